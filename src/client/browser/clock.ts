/**
 * Time in the client: durations by a clock that only goes forward, dates in the relay's time. The clock of a device may be
 * wrong by days, and may be set while the page is open. [TIME-5]
 */

/** [SYNC-5] ms that only go forward, from whenever. */
export const monotonic = (): number => performance.now();

/** The relay's word on the time comes late by what the network takes: what is less than this is no difference, ms. */
const NOTICEABLE_MS = 1_000;

/** The relay's clock, as far as the client knows it. */
export class RelayClock {
  /** What to add to a monotonic time. */
  #offsetMs = Date.now() - monotonic();
  #isKnown = false;

  /** The relay has said what time it is. Until then this device's own clock counts. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** A monotonic time (default: now) as a date, ms since the epoch. */
  at(ms: number = monotonic()): number {
    return Math.floor(ms + this.#offsetMs);
  }

  /** Takes the relay's word on the time. Returns by how much dates change, ms; null: it is no news. */
  learn(now: number): number | null {
    const shiftMs = now - this.at();
    if (this.#isKnown && Math.abs(shiftMs) < NOTICEABLE_MS) return null;
    this.#isKnown = true;
    this.#offsetMs += shiftMs;
    return shiftMs;
  }
}
