/** Words for why there is no connection, for the person who has to mend it. Pure. */
import { EXPIRED, TIMED_OUT } from "../../wire/index.ts";
import type { Failure } from "./reconnecting.ts";

/** For how long there is no connection before that is said, ms. */
const PATIENCE_MS = 2_000;

/**
 * What to tell the application; null: nothing yet, for that a connection drops is nothing unusual.
 *
 * @param url of the relay, without a room
 * @param hasGreeted a relay of ours has greeted the client at this address before: the address is right
 */
export function troubleOf(
  url: string,
  { code, reason, wasSettled, wasDialed, failingMs }: Failure,
  hasGreeted: boolean,
): string | null {
  const why = reason === "" ? `${code}` : `${code}: ${reason}`;
  const isTold = code >= 4400 && code !== TIMED_OUT && !(code === EXPIRED && wasSettled);
  if (isTold) return `the relay at ${url} closed the connection (${why}); it is tried again`;
  if (failingMs < PATIENCE_MS) return null;
  const none = `no connection to ${url} (${why})`;
  if (!wasDialed) return `${none}; it is asked for again`;
  // [CLIENT-13]
  if (hasGreeted) return `${none}: the relay is away, or this device is offline; it is tried again`;
  return `${none}; check address, port and certificate`;
}

/** For a server that speaks, but not as a relay of ours. */
export const notOurs = (url: string): string => `the server at ${url} is no copresence relay: nobody is seen`;
