/**
 * The tokens that a client shows the relay: fetched when connections open, renewed before they expire.
 */

import { monotonic } from "../browser/clock.ts";

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

/** The wait before the function is asked again. */
interface Wait {
  /** Asks now. */
  end(): void;
  /** Does not ask at all: nobody needs a token any more. */
  abandon(): void;
}

/**
 * The tokens of one client. Each is shown to the relay by the connections that open, or renew, at the same time; one that
 * no relay has seen yet, since none was there, is kept for the next attempt.
 *
 * [TOKEN-10] While the function fails, or gives what the relay does not take, all connections wait for the one next time
 * that it is asked.
 */
export class Tokens {
  readonly #source: TokenSource;
  readonly #handler: TokensHandler;
  readonly #backoffMs: number;
  #request: TokenRequest | undefined;
  /** How often in a row no token was had that a relay took. */
  #failures = 0;
  /** The function is not called before, monotonic ms. */
  #notBefore = -Infinity;
  #waiting: Wait | undefined;
  /** When the token of some connection expires, the first to do so, monotonic ms. */
  #expiresAt = Infinity;
  #renewAt = Infinity;
  /** The same by the device's clock, which goes on while the machine sleeps. */
  #renewDate = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /** @param backoffMs how long to wait after the first failure, at most; twice as long after each that follows */
  constructor(source: TokenSource = "", handler: TokensHandler, backoffMs = 100) {
    this.#source = source;
    this.#handler = handler;
    this.#backoffMs = backoffMs;
  }

  /** The token for a connection about to open. A rejection has been told to the handler, unless the client is destroyed. [TOKEN-8] */
  get(): string | Promise<string> {
    const source = this.#source;
    if (typeof source === "string") return source;
    const now = monotonic();
    if (this.#request !== undefined && now - this.#request.at < FRESH_MS) return this.#request.token;
    const at = Math.max(now, this.#notBefore);
    const token = this.#until(at).then(source).then(checked);
    const request: TokenRequest = { token, at };
    token.catch((error: unknown) => {
      if (this.#request === request) this.#backOff(this.#failures + 1);
      if (!this.#stopped) this.#handler.failed(error);
    });
    this.#request = request;
    return token;
  }

  /** The relay has seen the token: a connection that is opened from now on brings another. [TOKEN-4] [TOKEN-8] */
  shown(): void {
    // one that is still to be asked for, nobody has seen
    if (this.#request !== undefined && this.#request.at <= monotonic()) this.#request = undefined;
  }

  /** The relay has taken the token. */
  accepted(): void {
    this.#failures = 0;
    this.#notBefore = -Infinity;
  }

  /**
   * [TOKEN-6] The relay has not taken the token. Returns whether there may be a better one: a function may have one once
   * keys have been exchanged.
   */
  rejected(): boolean {
    // [TOKEN-7] a fixed token does not become a better one
    if (typeof this.#source === "string") return false;
    // of connections that showed the same token, the first counts
    if (monotonic() >= this.#notBefore) this.#backOff(Math.max(this.#failures + 1, REJECTED_FAILURES));
    return true;
  }

  /** The relay said for how long it takes the token of a connection, ms. */
  expires(inMs: number): void {
    this.#expiresAt = Math.min(this.#expiresAt, monotonic() + inMs);
    this.#plan();
  }

  /** Time may have passed unnoticed, or the network be back. */
  wake(): void {
    // [TOKEN-3] those who wait are answered, not left waiting: the function is asked now
    if (this.#notBefore > monotonic()) {
      this.accepted();
      if (this.#request !== undefined) this.#request.at = monotonic();
      this.#waiting?.end();
    }
    // a renewal that is due is made at once [TOKEN-2]
    if (monotonic() >= this.#renewAt || Date.now() >= this.#renewDate) void this.#renew();
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting?.abandon();
    clearTimeout(this.#timer);
  }

  #backOff(failures: number): void {
    this.#request = undefined;
    this.#failures = failures;
    const ceiling = Math.min(MAX_BACKOFF_MS, this.#backoffMs * 2 ** (failures - 1));
    // at random, but never none: those who lost the function together do not ask together
    this.#notBefore = monotonic() + (ceiling * (1 + Math.random())) / 2;
  }

  /** Settles in any case: at the time, when the wait is cut short, or with a rejection when the client is destroyed. */
  #until(at: number): Promise<void> {
    const waitMs = at - monotonic();
    if (waitMs <= 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve();
      };
      const abandon = (): void => {
        clearTimeout(timer);
        this.#waiting = undefined;
        reject(new Error("the client was destroyed before it had a token"));
      };
      const timer = setTimeout(end, waitMs);
      this.#waiting = { end, abandon };
    });
  }

  #plan(): void {
    clearTimeout(this.#timer);
    const leftMs = this.#expiresAt - monotonic();
    this.#renewAt = this.#renewDate = Infinity;
    // past its end the relay closes the connection, and what is tried then is to connect
    if (this.#stopped || typeof this.#source === "string" || !(leftMs > 0 && leftMs < Infinity)) return;
    const waitMs = renewalInMs(leftMs, Math.random());
    this.#renewAt = monotonic() + waitMs;
    this.#renewDate = Date.now() + waitMs;
    this.#timer = setTimeout(() => void this.#renew(), waitMs);
  }

  async #renew(): Promise<void> {
    clearTimeout(this.#timer);
    this.#renewAt = this.#renewDate = Infinity;
    this.shown();
    try {
      const token = await this.get();
      // to go on with none would end what the last one still keeps open
      if (token === "") return this.#plan();
      // each connection is told anew for how long
      this.#expiresAt = Infinity;
      if (!this.#stopped) this.#handler.renewed(token);
    } catch {
      this.#plan();
    }
  }
}

function checked(token: unknown): string {
  if (typeof token === "string" && TOKEN.test(token)) return token;
  throw new TypeError("what the token function gave is no token");
}
