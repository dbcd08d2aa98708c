/** What one connection has said, asked and taken of late. Pure but for its own levels; time comes in as `now`. */
import { Bucket } from "../util/bucket.ts";
import { Work } from "./work.ts";

export interface SpendingLimits {
  /** Messages a second; 0: any number. */
  readonly messageRate: number;
  /** Bytes a second, of what it says and of what it asks for; 0: any number. */
  readonly byteRate: number;
}

/** So many seconds' worth of messages may come at once: a machine that wakes has a lot to say. */
const BURST_S = 5;

export class Spending {
  readonly work: Work = new Work();
  readonly #messages: Bucket | null;
  readonly #bytes: Bucket | null;
  readonly #answers: Bucket | null;

  constructor({ messageRate, byteRate }: SpendingLimits, now: number) {
    this.#messages = bucket(messageRate, now);
    this.#bytes = bucket(byteRate, now);
    this.#answers = bucket(byteRate, now);
  }

  /** Counts a message. Returns whether it was not too much. [LIMIT-1] */
  says(bytes: number, now: number): boolean {
    return this.#messages?.take(1, now) !== false && this.#bytes?.take(bytes, now) !== false;
  }

  /** Whether it may ask for anything. */
  mayAsk(now: number): boolean {
    return this.#answers?.take(0, now) !== false;
  }

  /** Counts the answer to a question. [LIMIT-9] */
  wasAnswered(bytes: number, now: number): void {
    this.#answers?.take(bytes, now);
  }

  /** Nothing of it counts any more. */
  isOver(now: number): boolean {
    const isFull = [this.#messages, this.#bytes, this.#answers].every((each) => each?.isFull(now) !== false);
    return isFull && this.work.isForgotten(now);
  }
}

function bucket(rate: number, now: number): Bucket | null {
  return rate === 0 ? null : new Bucket(rate, BURST_S, now);
}
