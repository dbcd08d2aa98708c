/** Lets only so many through in each second: any client can bring about lines of a log, and is not to fill it. */

const WINDOW_MS = 1_000;

export class Sparing {
  readonly #most: number;
  readonly #now: () => number;
  #from = -Infinity;
  #count = 0;
  #left = 0;

  /** @param most in a second @param now monotonic ms */
  constructor(most: number, now: () => number) {
    this.#most = most;
    this.#now = now;
  }

  /** Whether one more may go; and how many were left out since the last that might. */
  take(): { readonly ok: boolean; readonly leftOut: number } {
    const now = this.#now();
    if (now - this.#from >= WINDOW_MS) {
      this.#from = now;
      this.#count = 0;
    }
    if (++this.#count > this.#most) {
      this.#left++;
      return { ok: false, leftOut: 0 };
    }
    const leftOut = this.#left;
    this.#left = 0;
    return { ok: true, leftOut };
  }
}
