/**
 * Whose cursors a room shows when it has more people than cursors can be told apart: those of the people who moved lately.
 * Everybody is seen all the same. Pure; time comes in as `now`, monotonic ms. [FLOW-5]
 */

/** A person who has not moved for this time makes room for another who moves, ms. */
const CALM_MS = 2_000;

export class CursorLimiter {
  readonly #max: number;
  /** When each id that is shown moved last, the one that has been still for longest first; null: all are shown. */
  readonly #shown: Map<number, number> | null;

  /** @param max how many cursors are shown; 0: all */
  constructor(max: number) {
    this.#max = max;
    this.#shown = max === 0 ? null : new Map();
  }

  shows(id: number): boolean {
    return this.#shown === null || this.#shown.has(id);
  }

  /** Somebody moved. Returns who is shown no more for it, if anybody. */
  moved(id: number, now: number): number | null {
    const shown = this.#shown;
    if (shown === null) return null;
    const isNew = !shown.delete(id);
    if (!isNew || shown.size < this.#max) {
      shown.set(id, now);
      return null;
    }
    for (const [calm, at] of shown) {
      if (at > now - CALM_MS) return null;
      shown.delete(calm);
      shown.set(id, now);
      return calm;
    }
    return null;
  }

  left(id: number): void {
    this.#shown?.delete(id);
  }
}
