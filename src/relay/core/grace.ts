/**
 * What waits for a while and is then given up, unless it is released before: one timer for all, since all wait equally
 * long. [TIME-1]
 */
import { type Clock, stallOf } from "../ports/clock.ts";

/** So long it may take to hear those who spoke while the relay did not run, ms. */
const HEARD_MS = 1_000;

export class Grace<T> {
  readonly #ms: number;
  readonly #clock: Clock;
  readonly #expire: (item: T) => void;
  readonly #deadlines = new Map<T, number>();
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

  release(item: T): void {
    this.#deadlines.delete(item);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#deadlines.clear();
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
      this.#deadlines.delete(item);
      this.#expire(item);
    }
    this.#arm();
  }

  #postpone(ms: number): void {
    for (const [item, deadline] of this.#deadlines) this.#deadlines.set(item, deadline + ms);
  }
}
