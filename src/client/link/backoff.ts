/** How long to wait before the next attempt. Pure but for chance. */

export interface BackoffTiming {
  /** Longest wait before the first retry, ms; it doubles with each. */
  readonly backoffMs: number;
  /** The longest wait of all, ms. */
  readonly maxBackoffMs: number;
}

/**
 * What lasted as long as this many of the longest waits has shown that the relay wants it: the next loss is the first
 * again. A first message shows less: a relay that is full greets, and closes.
 */
const SETTLED_BACKOFFS = 2;

export class Backoff {
  readonly #timing: BackoffTiming;
  /** Attempts since one last lasted. */
  attempts = 0;

  constructor(timing: BackoffTiming) {
    this.#timing = timing;
  }

  /** How long to wait before another attempt, ms. Full jitter: those who lost the relay together do not come back together [LIVE-6] */
  next(): number {
    const { backoffMs, maxBackoffMs } = this.#timing;
    const ceiling = Math.min(maxBackoffMs, backoffMs * 2 ** this.attempts++);
    return Math.random() * ceiling;
  }

  /** [LIVE-19] Whether what lasted so long has shown that the relay wants it: then the waits begin anew. */
  lasted(ms: number): boolean {
    const isSettled = ms >= SETTLED_BACKOFFS * this.#timing.maxBackoffMs;
    if (isSettled) this.attempts = 0;
    return isSettled;
  }
}
