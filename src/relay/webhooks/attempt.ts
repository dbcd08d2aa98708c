/** One attempt to give a message to a receiver. */
import { causeOf, codeOf } from "../util/reason.ts";

/** Makes the value of `webhook-signature`. */
export type Sign = (id: string, at: Date, body: string) => string;

export type Outcome =
  | { readonly type: "taken" }
  /** It was not, as far as the relay knows. `waitMs`: how long the receiver asks to be left alone */
  | { readonly type: "failed"; readonly reason: string; readonly waitMs: number };

/** A receiver is not waited for longer than that because it says so, ms. */
const MAX_RETRY_AFTER_MS = 5 * 60_000;

/**
 * Signs by the library of Standard Webhooks. [HOOK-2]
 *
 * @param secrets `whsec_…`; of several, each signs: receivers may know an older one
 * @throws RangeError for a secret that is none
 */
export async function signerOf(secrets: readonly string[]): Promise<Sign> {
  const { Webhook } = await import("standardwebhooks");
  const webhooks = secrets.map((secret) => new Webhook(secret));
  return (id, at, body) => webhooks.map((webhook) => webhook.sign(id, at, body)).join(" ");
}

/**
 * Posts a message. Never throws. [HOOK-4]
 *
 * @param signal aborts when the relay stops
 * @param now ms since the epoch
 */
export async function attempt(
  url: string,
  sign: Sign,
  { id, body }: { readonly id: string; readonly body: string },
  { timeoutMs, signal, now }: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly now: number },
): Promise<Outcome> {
  const at = new Date(now);
  const own = new AbortController();
  const abort = (): void => own.abort();
  signal.addEventListener("abort", abort);
  const timer = setTimeout(abort, timeoutMs);
  try {
    const response = await fetch(url, {
      method: "POST",
      // [HOOK-16] an address that nobody has configured gets nothing
      redirect: "manual",
      signal: own.signal,
      headers: {
        "content-type": "application/json",
        "user-agent": "copresence",
        "webhook-id": id,
        "webhook-timestamp": `${Math.floor(now / 1_000)}`,
        "webhook-signature": sign(id, at, body),
      },
      body,
    });
    // what it says besides is not read
    await response.body?.cancel();
    if (response.ok) return { type: "taken" };
    return { type: "failed", reason: `it answered ${response.status}`, waitMs: retryAfter(response.headers, now) };
  } catch (error) {
    const isLate = own.signal.aborted && !signal.aborted;
    const reason = isLate ? `it did not answer within ${timeoutMs} ms` : whyNotReached(error);
    return { type: "failed", reason, waitMs: 0 };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

/** What `Retry-After` asks for: seconds, or a date. */
function retryAfter(headers: Headers, now: number): number {
  const given = headers.get("retry-after");
  if (given === null) return 0;
  const waitMs = /^\d+$/.test(given) ? Number(given) * 1_000 : Date.parse(given) - now;
  return Number.isNaN(waitMs) ? 0 : Math.min(MAX_RETRY_AFTER_MS, Math.max(0, waitMs));
}

/** Without the address: it may hold a secret. */
function whyNotReached(error: unknown): string {
  const code = codeOf(causeOf(error));
  return code === undefined ? "it cannot be reached" : `it cannot be reached (${code})`;
}
