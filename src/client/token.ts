/**
 * The tokens that a client shows the relay: fetched when connections open, renewed before they expire.
 */

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
/** An older token, though no relay has seen it, is not shown any more; nor is one waited for that takes longer, ms. */
const FRESH_MS = 30_000;
/** A JWT, or what else a subprotocol may be made of. What is none is most often the page of an error. */
const TOKEN = /^[\w.~-]*$/;

/**
 * When to renew a token that expires in `expiresInMs`, ms from now. With `random` (0 to 1) it is up to a tenth sooner, so
 * that those who came together do not renew together. Asked again after a renewal that brought nothing new, it waits
 * for ever shorter shares of what is left.
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

/**
 * The tokens of one client. Each is shown to the relay by the connections that open, or renew, at the same time; one that
 * no relay has seen yet, since none was there, is kept for the next attempt.
 */
export class Tokens {
  readonly #source: TokenSource;
  readonly #handler: TokensHandler;
  /** Asked for, or had and shown to nobody. */
  #token: Promise<string> | undefined;
  #askedAt = 0;
  /** When the token of some connection expires, the first to do so, ms since the epoch. */
  #expiresAt = Infinity;
  #renewAt = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(source: TokenSource = "", handler: TokensHandler) {
    this.#source = source;
    this.#handler = handler;
  }

  /** For a connection about to open. A rejection has been told to the handler. */
  get(): string | Promise<string> {
    const source = this.#source;
    if (typeof source === "string") return source;
    const now = Date.now();
    if (this.#token !== undefined && now - this.#askedAt < FRESH_MS) return this.#token;
    this.#askedAt = now;
    const token = Promise.resolve().then(source).then(checked);
    token.catch((error: unknown) => {
      if (this.#token === token) this.shown();
      if (!this.#stopped) this.#handler.failed(error);
    });
    return (this.#token = token);
  }

  /** The relay has seen the token: whoever connects from now on brings another. */
  shown(): void {
    this.#token = undefined;
  }

  /** The relay said for how long it takes the token of a connection, ms. */
  expires(inMs: number): void {
    this.#expiresAt = Math.min(this.#expiresAt, Date.now() + inMs);
    this.#plan();
  }

  /** Time may have passed unnoticed. */
  wake(): void {
    if (Date.now() >= this.#renewAt) void this.#renew();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #plan(): void {
    clearTimeout(this.#timer);
    const leftMs = this.#expiresAt - Date.now();
    this.#renewAt = Infinity;
    // past its end the relay closes the connection, and what is tried then is to connect
    if (this.#stopped || typeof this.#source === "string" || !(leftMs > 0 && leftMs < Infinity)) return;
    const waitMs = renewalInMs(leftMs, Math.random());
    this.#renewAt = Date.now() + waitMs;
    this.#timer = setTimeout(() => void this.#renew(), waitMs);
  }

  async #renew(): Promise<void> {
    clearTimeout(this.#timer);
    this.#renewAt = Infinity;
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
