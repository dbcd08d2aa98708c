/** Numbers on one topic, so that what the bus loses is noticed. Pure. [BUS-3] */

/** How often a number is said again while nothing is sent, ms. */
const TAIL_AFTER_MS = 1_000;
const TAIL_EVERY_MS = 15_000;
/** A question that is not answered in this time is asked again, ms. */
const ASK_AGAIN_MS = 1_000;

/** What this relay has sent on a topic. */
export class Outgoing {
  #seq: number;
  #saidAt = -Infinity;
  #hasTail = true;

  /** @param before the number that the first message follows */
  constructor(before = 0) {
    this.#seq = before;
  }

  /** The number of the last message. */
  get seq(): number {
    return this.#seq;
  }

  next(now: number): number {
    this.#saidAt = now;
    this.#hasTail = false;
    return ++this.#seq;
  }

  /** Whether the last number is to be said again now: a relay that missed the last message notices only then. [BUS-4] */
  isTailDue(now: number): boolean {
    if (now - this.#saidAt < (this.#hasTail ? TAIL_EVERY_MS : TAIL_AFTER_MS)) return false;
    this.#hasTail = true;
    this.#saidAt = now;
    return true;
  }
}

/**
 * Where the numbers of a topic begin: above those of every topic that this relay has closed. A relay that did not hear that a room
 * was closed, and is opened anew, so notices a gap. [BUS-38]
 */
export class Numbers {
  #highest = -1;

  begin(): Outgoing {
    return new Outgoing(this.#highest + 1);
  }

  ended({ seq }: Outgoing): void {
    this.#highest = Math.max(this.#highest, seq);
  }
}

/** `take`: it is the next. `old`: it was had before. `gap`: something is missing. `wait`: what was asked for comes first. */
export type Order = "take" | "old" | "gap" | "wait";

/** What another relay has sent on a topic. */
export class Incoming {
  /** The number that comes next; null: all is asked for, and waited for. */
  #expected: number | null = null;
  #askedAt = -Infinity;

  get isWhole(): boolean {
    return this.#expected !== null;
  }

  /** @param isTail the number is that of the last message, said again */
  order(seq: number, isTail: boolean): Order {
    if (this.#expected === null) return "wait";
    const next = isTail ? seq + 1 : seq;
    if (next < this.#expected) return "old";
    if (next > this.#expected) {
      this.doubt();
      return "gap";
    }
    if (!isTail) this.#expected = seq + 1;
    return "take";
  }

  /** Whether more is known already than what was said up to a message. */
  isPast(seq: number): boolean {
    return this.#expected !== null && seq + 1 < this.#expected;
  }

  /** All that was said up to a message is known. */
  whole(seq: number): void {
    this.#expected = seq + 1;
  }

  /** What comes now may build on what was lost. */
  doubt(): void {
    this.#expected = null;
    this.#askedAt = -Infinity;
  }

  /** What was said cannot be taken. It is asked for again, but not again and again. */
  refuse(): void {
    this.#expected = null;
  }

  /** Something long is on its way, and may be what was asked for. */
  isComing(now: number): void {
    if (this.#askedAt > -Infinity) this.#askedAt = now;
  }

  /** Whether to ask for all of it now. */
  isAskDue(now: number): boolean {
    if (this.#expected !== null || now - this.#askedAt < ASK_AGAIN_MS) return false;
    this.#askedAt = now;
    return true;
  }
}
