/**
 * What waits for a while and is then given up, unless it is released before: one timer for all, since all wait equally
 * long. [TIME-1]
 */
import type { Author, PresentEntry } from "../../awareness/index.ts";
import { isStockSession } from "../../presence/index.ts";
import { Close, isFinal } from "../../wire/index.ts";
import { type Clock, stallOf } from "../ports/clock.ts";

/** Once the relay runs again, hearing what clients said meanwhile may take this long, ms. */
const HEARD_MS = 1_000;

/** How a connection was lost that may come back. */
export interface Loss {
  /** As WebSocket has it. */
  readonly code: number;
  /** When that was noticed, ms since the epoch. */
  readonly at: number;
  /** When its people leave unless they come back, ms since the epoch. */
  readonly until: number;
}

export class Grace<T> {
  readonly #ms: number;
  readonly #clock: Clock;
  readonly #expire: (item: T) => void;
  readonly #deadlines = new Map<T, number>();
  readonly #losses = new Map<T, Omit<Loss, "until">>();
  /** When the next of them is to be given up. */
  #dueAt = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number, clock: Clock, expire: (item: T) => void) {
    this.#ms = ms;
    this.#clock = clock;
    this.#expire = expire;
  }

  hold(item: T): void {
    this.#deadlines.delete(item);
    this.#deadlines.set(item, this.#clock.now() + this.#ms);
    this.#arm();
  }

  /** Notes how the connection of an item was lost that is about to be held. */
  lost(item: T, code: number): void {
    this.#losses.set(item, { code, at: Math.round(this.#clock.wall()) });
  }

  /** How the connection of an item that is held was lost. */
  lossOf(item: T): Loss | undefined {
    const [deadline, loss] = [this.#deadlines.get(item), this.#losses.get(item)];
    if (deadline === undefined || loss === undefined) return undefined;
    return { ...loss, until: Math.round(this.#clock.wall() + deadline - this.#clock.now()) };
  }

  release(item: T): void {
    this.#deadlines.delete(item);
    this.#losses.delete(item);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#deadlines.clear();
    this.#losses.clear();
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    for (const deadline of this.#deadlines.values()) {
      this.#dueAt = deadline;
      this.#timer = setTimeout(() => this.#run(), Math.max(0, deadline - this.#clock.now()));
      return;
    }
  }

  #run(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    // [TIME-3] they may have come back while the relay did not run, and have yet to be heard
    const stalledMs = stallOf(this.#dueAt, now);
    if (stalledMs > 0) this.#postpone(stalledMs + HEARD_MS);
    for (const [item, deadline] of this.#deadlines) {
      if (deadline > now) break;
      this.release(item);
      this.#expire(item);
    }
    this.#arm();
  }

  #postpone(ms: number): void {
    for (const [item, deadline] of this.#deadlines) this.#deadlines.set(item, deadline + ms);
  }
}

/** Whether a connection that ended so left for good, or may come back within the grace. [LIVE-1] [LIVE-2] [LIVE-3] */
export function isLeave(code: number, { kind, silent }: Author, entry: PresentEntry): boolean {
  if (code === Close.normal) return true;
  // [LIVE-1] the relay has closed it for good: nobody comes back but our client, with a better token, or with less to say
  const mayReturn = kind === "native" && (code === Close.notAuthenticated || code === Close.tooLarge);
  if (isFinal(code) && !mayReturn) return true;
  // a stock client that closes its tab has no session to come back as; but one that was frozen may have been thawed, of
  // which the browser says the same
  return code === Close.goingAway && isStockSession(entry.claim) && !silent;
}
