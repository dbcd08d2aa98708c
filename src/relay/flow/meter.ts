/** What one link has said, asked and taken of late, and who pays for it. */
import type { ProcessorTime } from "./processor.ts";
import { Spending, type SpendingLimits } from "./spending.ts";
import { type TimeQuota, Work } from "./work.ts";

/** What all meters of a relay share. */
export interface Tariff {
  readonly limits: SpendingLimits;
  readonly processor: ProcessorTime;
  readonly time: TimeQuota;
}

export class Meter {
  readonly #tariff: Tariff;
  #payer: string;
  /** null: nothing that counts. */
  #spending: Spending | null = null;

  /** @param payer the id of a user, or else an address */
  constructor(tariff: Tariff, payer: string) {
    this.#tariff = tariff;
    this.#payer = payer;
  }

  /** From now on somebody else pays. */
  paidBy(payer: string): void {
    this.#payer = payer;
  }

  /** Counts a message. Returns whether it was not too much. */
  says(bytes: number, now: number): boolean {
    return this.#spent(now).says(bytes, now);
  }

  mayAsk(now: number): boolean {
    return this.#spent(now).mayAsk(now);
  }

  /** Counts the answer to a question. */
  wasAnswered(bytes: number, now: number): void {
    this.#spent(now).wasAnswered(bytes, now);
  }

  /**
   * Charges the link with what something took. Returns whether it may go on.
   *
   * @param sparedMs how much of that is not charged: others had the relay spend it
   */
  charge(elapsedMs: number, now: number, sparedMs = 0): boolean {
    if (elapsedMs <= 0) return true;
    const { processor, time } = this.#tariff;
    // stretches of spared time may overlap, and nobody is given time for that
    const counted = Math.max(0, 1 - sparedMs / elapsedMs);
    return time.charge(this.#spent(now).work, this.#payer, processor.taken(elapsedMs, now) * counted, now);
  }

  /** Charges who pays with what it took to end the link. */
  chargeEnd(elapsedMs: number, now: number): void {
    const { processor, time } = this.#tariff;
    time.charge(new Work(), this.#payer, processor.taken(elapsedMs, now), now);
  }

  /** Whether who pays has taken far more of late than all of its links may together. */
  isFarOver(now: number): boolean {
    return this.#tariff.time.isFarOver(this.#payer, now);
  }

  /** How much of the relay's time the link has taken of late, ms. */
  ofLate(now: number): number {
    return this.#spending?.work.ofLate(now) ?? 0;
  }

  /** Thousands say nothing for long: what counts no more is not kept. */
  sweep(now: number): void {
    if (this.#spending?.isOver(now) === true) this.#spending = null;
  }

  #spent(now: number): Spending {
    this.#spending ??= new Spending(this.#tariff.limits, now);
    return this.#spending;
  }
}
