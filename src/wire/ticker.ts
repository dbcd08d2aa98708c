/**
 * Runs `flush` at once when things were quiet, and at most once per interval when they are not: a lone change waits for
 * nothing, a burst is one flush.
 */
export class Ticker {
  readonly #intervalMs: number;
  readonly #flush: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last = -Infinity;

  constructor(intervalMs: number, flush: () => void) {
    this.#intervalMs = intervalMs;
    this.#flush = flush;
  }

  /** Sees to it that a flush follows. What comes before it, in the same turn at least, is in it. */
  schedule(): void {
    if (this.#timer !== undefined) return;
    // at most the interval, though the clock was set back meanwhile
    const wait = Math.min(this.#intervalMs, Math.max(0, this.#last + this.#intervalMs - Date.now()));
    this.#timer = setTimeout(() => this.run(), wait);
  }

  /** Flushes now, and takes the place of a flush that was scheduled. */
  run(): void {
    this.stop();
    this.#last = Date.now();
    this.#flush();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
