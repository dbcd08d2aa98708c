/**
 * New clocks that other relays were asked for, since a stock client has come that may remember the old ones. A question that was lost is
 * asked again: the answer to a gap holds the states as they are, and not the questions. [BUS-7]
 */
import type { PresentEntry } from "../../../awareness/index.ts";

/** A question upon which nothing comes is asked again so much later, ms, and so often at most. */
const AGAIN_MS = 1_000;
const MAX_TIMES = 3;

/** What is known of the client ids of a room. */
interface RegisterView {
  get(id: number): PresentEntry | undefined;
  present(): Iterable<PresentEntry>;
}

export class Renewals {
  readonly #register: RegisterView;
  /** The ids of other relays that wait for a new clock, with the old one. */
  readonly #waiting = new Map<number, number>();
  #askedAt = -Infinity;
  #times = 0;

  constructor(register: RegisterView) {
    this.#register = register;
  }

  /** The other relays were asked. */
  asked(now: number): void {
    this.#askedAt = now;
    this.#times = 0;
    // those who have left since the last question are waited for no more
    this.#waiting.clear();
    for (const { id, owner, remote } of this.#register.present()) {
      if (owner !== null && remote !== null) this.#waiting.set(id, remote.clock);
    }
  }

  /** Whether to ask them again now. */
  isDue(now: number): boolean {
    if (this.#waiting.size === 0 || now - this.#askedAt < AGAIN_MS) return false;
    for (const [id, clock] of this.#waiting) {
      const entry = this.#register.get(id);
      const isOld = entry?.owner !== null && entry?.remote?.clock === clock;
      if (!isOld) this.#waiting.delete(id);
    }
    if (this.#waiting.size === 0) return false;
    this.#askedAt = now;
    if (++this.#times <= MAX_TIMES) return true;
    this.#waiting.clear();
    return false;
  }
}
