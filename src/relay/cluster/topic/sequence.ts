/** Numbers of messages on one topic, by which a relay notices that the bus has lost one. Pure. [BUS-3] */

/** When the last number is said again while nothing is sent: first, and then how often, ms. */
const TAIL_AFTER_MS = 1_000;
const TAIL_EVERY_MS = 15_000;
/** A question that is not answered in this time is asked again, ms. */
const ASK_AGAIN_MS = 1_000;
/** A relay that has not said its last number for so long may have left the topic, which was not heard, ms. */
const SILENT_MS = 20_000;

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
 * Where the numbers of a topic begin: above those of every topic that this relay has closed. So another relay that has not heard that a
 * room was closed and opened anew notices a gap. [BUS-38]
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

/** What is done with a message. `take`: it is the next. `old`: it came before. `gap`: one before it is missing. `wait`: the answer has to come first. */
export type Order = "take" | "old" | "gap" | "wait";

/** What another relay has sent on a topic. */
export class Incoming {
  /** The number that comes next; null: all is asked for, and waited for. */
  #expected: number | null = null;
  #askedAt = -Infinity;
  #heardAt = -Infinity;

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

  /** Whether more is known already than an answer that was written after a message. @param seq the number of that message */
  isPast(seq: number): boolean {
    return this.#expected !== null && seq + 1 < this.#expected;
  }

  /** All that the relay said up to a message is known. */
  whole(seq: number): void {
    this.#expected = seq + 1;
  }

  /** A message may be missing: all has to be asked for, since the next ones may build on it. */
  doubt(): void {
    this.#expected = null;
    this.#askedAt = -Infinity;
  }

  /** A message cannot be taken. All is asked for again, but not at once where that was done just before. */
  refuse(): void {
    this.#expected = null;
  }

  /** All relays were asked at once, this one too. */
  asked(now: number): void {
    this.#expected = null;
    this.#askedAt = now;
  }

  /** The relay has said something on the topic, or of it. */
  heard(now: number): void {
    this.#heardAt = now;
  }

  /** A long message is on its way, and may be the answer. */
  isComing(now: number): void {
    this.#heardAt = now;
    if (this.#askedAt > -Infinity) this.#askedAt = now;
  }

  /** Whether to ask for all of it now: something is missing, or nothing at all has come for long. [BUS-4] */
  isAskDue(now: number): boolean {
    if (this.#expected !== null && now - this.#heardAt < SILENT_MS) return false;
    if (now - this.#askedAt < ASK_AGAIN_MS) return false;
    this.#askedAt = now;
    return true;
  }
}
