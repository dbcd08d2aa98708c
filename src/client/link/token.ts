/**
 * The tokens that a client shows the relay: fetched when connections open, renewed before they expire.
 */

import { monotonic } from "../browser/clock.ts";
import type { TokenGiver } from "./socket.ts";

/**
 * A token, or how to get one: typically from the application's own session, `() => fetch("/presence-token").then(…)`.
 * An empty text is none.
 */
export type TokenSource = string | (() => string | Promise<string>);

/** The longest share of its time that a token is used for. */
const USED = 0.9;
/** How long before the end to renew, if that is no more than half of the time: a browser lets a hidden page wait for a minute. */
const MARGIN_MS = 65_000;
/** Between two renewals, at least. */
const MIN_RENEWAL_MS = 1_000;
/** setTimeout takes no more. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** How long a token that no relay has seen may be shown [TOKEN-8], and how long the function may take to answer [TOKEN-9], ms. */
const FRESH_MS = 30_000;
/** The longest that a function waits to be asked again, ms. */
const MAX_BACKOFF_MS = 30_000;
/** A token that a relay does not take counts as so many failures: another will not be there at once. */
const REJECTED_FAILURES = 5;
/** A JWT, or what else a subprotocol may be made of. What is none is most often the page of an error. */
const TOKEN = /^[\w.~-]*$/;

/**
 * When to renew a token that expires in `expiresInMs`, ms from now. With `random` (0 to 1) it is up to a tenth sooner, so
 * that those who came together do not renew together. Asked again after a renewal that brought nothing new, it waits
 * for ever shorter shares of what is left, and never less than `MIN_RENEWAL_MS`. [TOKEN-2] [TOKEN-11]
 */
export function renewalInMs(expiresInMs: number, random: number): number {
  const latest = Math.min(expiresInMs * USED, Math.max(expiresInMs - MARGIN_MS, expiresInMs / 2));
  return Math.min(MAX_TIMEOUT_MS, Math.max(MIN_RENEWAL_MS, latest * (1 - random / 10)));
}

type Timer = ReturnType<typeof setTimeout>;

export interface TokensHandler {
  /** A token to go on with, for all connections that are open. */
  renewed(token: string): void;
  /** There is none. */
  failed(error: unknown): void;
}

/** A call of the token function: it is to come, under way, or its token has not been shown to a relay yet. */
interface TokenRequest {
  readonly token: Promise<string>;
  /** When the function is called, monotonic ms: later than it was asked for, while it fails. */
  at: number;
}

/**
 * The tokens of one client. Each is shown to the relay once, by a connection that opens or renews; one that no relay has seen
 * yet, since none was there, is kept for the next attempt.
 */
export interface Tokens extends TokenGiver {
  /** The relay said for how long it takes the token, ms. */
  expires(inMs: number): void;
  /** Time may have passed unnoticed, or the network be back. */
  wake(): void;
  stop(): void;
}

/**
 * [TOKEN-10] While the function fails, or gives what the relay does not take, the client waits before it asks again.
 *
 * @param backoffMs how long to wait after the first failure, at most; twice as long after each that follows
 */
export function createTokens(source: TokenSource = "", handler: TokensHandler, backoffMs = 100): Tokens {
  let request: TokenRequest | undefined;
  /** How often in a row no token was had that a relay took. */
  let failures = 0;
  /** The function is not called before, monotonic ms. */
  let notBefore = -Infinity;
  /** Ends the wait before the function is called. */
  let endWait = (): void => {};
  let waitTimer: Timer | undefined;
  /** When the token expires, monotonic ms. */
  let expiresAt = Infinity;
  /** When to renew it, by the device's clock, which goes on while the machine sleeps. */
  let renewDate = Infinity;
  let renewTimer: Timer | undefined;
  let isStopped = false;

  /** The token for a connection about to open. A rejection has been told to the handler. [TOKEN-8] */
  function get(): string | Promise<string> {
    if (typeof source === "string") return source;
    const now = monotonic();
    if (request === undefined || now - request.at >= FRESH_MS) request = ask(source, Math.max(now, notBefore));
    return request.token;
  }

  function ask(call: () => string | Promise<string>, at: number): TokenRequest {
    const asked = { token: until(at).then(call).then(checked), at };
    asked.token.catch((error: unknown) => {
      if (request === asked) backOff(failures + 1);
      if (!isStopped) handler.failed(error);
    });
    return asked;
  }

  function until(at: number): Promise<void> {
    const waitMs = at - monotonic();
    if (waitMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      endWait = resolve;
      waitTimer = setTimeout(resolve, waitMs);
    });
  }

  function backOff(count: number): void {
    request = undefined;
    failures = count;
    const ceiling = Math.min(MAX_BACKOFF_MS, backoffMs * 2 ** (failures - 1));
    // at random, but never none: those who lost the function together do not ask together
    notBefore = monotonic() + (ceiling * (1 + Math.random())) / 2;
  }

  /** The relay has seen the token: a connection that is opened from now on brings another. [TOKEN-4] [TOKEN-8] */
  function shown(): void {
    // one that is still to be asked for, nobody has seen
    if (request !== undefined && request.at <= monotonic()) request = undefined;
  }

  function accepted(): void {
    failures = 0;
    notBefore = -Infinity;
  }

  function plan(): void {
    clearTimeout(renewTimer);
    renewDate = Infinity;
    const leftMs = expiresAt - monotonic();
    // past its end the relay closes the connection, and what is tried then is to connect
    if (isStopped || typeof source === "string" || !(leftMs > 0 && leftMs < Infinity)) return;
    const waitMs = renewalInMs(leftMs, Math.random());
    renewDate = Date.now() + waitMs;
    renewTimer = setTimeout(() => void renew(), waitMs);
  }

  async function renew(): Promise<void> {
    clearTimeout(renewTimer);
    renewDate = Infinity;
    shown();
    try {
      const token = await get();
      // to go on with none would end what the last one still keeps open
      if (token === "") plan();
      else if (!isStopped) handler.renewed(token);
    } catch {
      plan();
    }
  }

  return {
    get,
    shown,
    accepted,
    /** [TOKEN-6] A function may have a better one once keys have been exchanged. */
    rejected() {
      // [TOKEN-7] a fixed token does not become a better one
      if (typeof source === "string") return false;
      backOff(Math.max(failures + 1, REJECTED_FAILURES));
      return true;
    },
    expires(inMs) {
      expiresAt = monotonic() + inMs;
      plan();
    },
    wake() {
      // [TOKEN-3] those who wait are answered, not left waiting: the function is asked now
      if (notBefore > monotonic()) {
        accepted();
        if (request !== undefined) request.at = monotonic();
        clearTimeout(waitTimer);
        endWait();
      }
      // a renewal that is due is made at once [TOKEN-2]
      if (Date.now() >= renewDate) void renew();
    },
    stop() {
      isStopped = true;
      clearTimeout(waitTimer);
      clearTimeout(renewTimer);
    },
  };
}

function checked(token: unknown): string {
  if (typeof token === "string" && TOKEN.test(token)) return token;
  throw new TypeError("what the token function gave is no token");
}
