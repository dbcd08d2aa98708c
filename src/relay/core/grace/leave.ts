/** Which ends of a connection are a leave, and which a loss after which the client may come back. */
import type { Author, PresentEntry } from "../../../awareness/index.ts";
import { isStockSession } from "../../../presence/index.ts";
import { Close, isFinal } from "../../../wire/index.ts";

/**
 * Whether an entry leaves at once because its author's connection has ended. Else its client may come back within the grace.
 * [LIVE-1] [LIVE-2] [LIVE-3]
 *
 * @param code the close code of the connection
 */
export function isLeave(code: number, { kind, silent }: Author, entry: PresentEntry): boolean {
  if (code === Close.normal) return true;
  // [LIVE-1] after a close for good only our client comes back, with a better token or with less to say
  const mayReturn = kind === "native" && (code === Close.notAuthenticated || code === Close.tooLarge);
  if (isFinal(code) && !mayReturn) return true;
  // a stock client that closes its tab has no session to come back as; but a browser closes the connection of a tab that it
  // froze with the same code, and the tab may have been thawed
  return code === Close.goingAway && isStockSession(entry.claim) && !silent;
}
