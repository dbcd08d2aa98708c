/**
 * Time as a quota. Some messages cost far more than their number and size say, so what handling them took is charged to
 * their connection, and to its user; on a relay that asks nobody who they are, to its address. [COST-1] [COST-2]
 *
 * Pure but for its own sums; `now` comes in, ms of the clock that only goes forward.
 */

/** Time that was taken this long ago counts for about a third (1/e) of time that is taken now, ms. */
const MEMORY_MS = 3_000;
/** One thing is charged at most this part of what may be taken at once: the machine may have been busy, or collected garbage. [COST-3] */
const MAX_CHARGE = 1 / 3;
/** All connections of one user, or address, may take so many times what one may. */
const CONNECTIONS = 2;
/** When they take so many times what they may together, none of them adds much to a document. [COST-10] */
const FAR_OVER = 2;
/** When they take more, those are spared that took less than this part of what one may. [COST-9] */
const SPARED = 1 / 16;
/** Less than this is forgotten, ms. */
const NOTHING_MS = 0.5;

/** How much of the relay's time somebody has taken of late, ms. */
export class Work {
  #ms = 0;
  #at = -Infinity;

  ofLate(now: number): number {
    return this.#ms === 0 ? 0 : this.#ms * Math.exp((this.#at - now) / MEMORY_MS);
  }

  /** Returns what it comes to. */
  add(ms: number, now: number): number {
    this.#ms = this.ofLate(now) + ms;
    this.#at = now;
    return this.#ms;
  }

  isForgotten(now: number): boolean {
    return this.ofLate(now) < NOTHING_MS;
  }
}

/** Whose work is charged together. */
export class TimeQuota {
  /** What one connection may take at once, ms. */
  readonly #limitMs: number;
  readonly #payers = new Map<string, Work>();
  #sweptAt = -Infinity;

  /** @param timeRate ms a second, on average; 0: any number */
  constructor(timeRate: number) {
    this.#limitMs = timeRate === 0 ? Infinity : (timeRate * MEMORY_MS) / 1_000;
  }

  /** How many payers have taken something of late. */
  get size(): number {
    return this.#payers.size;
  }

  /**
   * Charges a connection, and the user or address that pays for it, with what something took. Returns whether the connection may go on.
   *
   * @param payer its user, or else its address
   */
  charge(own: Work, payer: string, ms: number, now: number): boolean {
    const charged = Math.min(ms, this.#limitMs * MAX_CHARGE);
    const ofLate = own.add(charged, now);
    const together = this.#workOf(payer).add(charged, now);
    if (ofLate >= this.#limitMs) return false;
    return together < this.#limitMs * CONNECTIONS || ofLate < this.#limitMs * SPARED;
  }

  /** Whether all connections of a payer together have taken far more of late than they may. [COST-10] */
  isFarOver(payer: string, now: number): boolean {
    const work = this.#payers.get(payer);
    return work !== undefined && work.ofLate(now) >= this.#limitMs * CONNECTIONS * FAR_OVER;
  }

  /** Forgets those who have taken nothing for long. */
  sweep(now: number): void {
    if (now - this.#sweptAt < MEMORY_MS) return;
    this.#sweptAt = now;
    for (const [payer, work] of this.#payers) if (work.isForgotten(now)) this.#payers.delete(payer);
  }

  #workOf(payer: string): Work {
    let work = this.#payers.get(payer);
    if (work === undefined) {
      work = new Work();
      this.#payers.set(payer, work);
    }
    return work;
  }
}
