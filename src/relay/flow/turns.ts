/**
 * Whose messages are acted on next, when there is more to do than can be done at once. Many connections that each have one
 * costly thing to say at the same moment would otherwise keep the relay from everybody else, without any of them having
 * taken too much. [COST-8]
 */
import { immediate } from "../util/immediate.ts";

/** When acting on messages of all connections together has taken this long, the relay looks for new ones first, ms. */
const TURN_MS = 30;
/** What was used is forgotten when it is as much as this: most messages take a small part of it, and none of them needs a turn of its own, ms. */
const WORTH_MS = 1;
/** A message that is expected to take longer than this waits while any other message waits, ms. */
const SHORT_MS = 5;
/** In one turn of so many, the message that has waited longest goes first. */
const LONGEST_EVERY = 8;

interface Waiting {
  readonly expectedMs: number;
  readonly act: () => void;
  isCancelled: boolean;
}

export class Turns {
  #usedMs = 0;
  #waiting: Waiting[] = [];
  #isScheduled = false;
  #turns = 0;

  /** Nothing waits, and there is time left in this turn: whatever is heard now need not wait. */
  get isFree(): boolean {
    return this.#waiting.length === 0 && !this.#isOver;
  }

  /**
   * Whether what is heard now had better wait.
   *
   * @param expectedMs how long it may take, about
   */
  isTaken(expectedMs = 0): boolean {
    return this.#isOver || (this.#waiting.length > 0 && expectedMs > SHORT_MS);
  }

  /** Something that was heard has kept the relay so long, ms. */
  used(ms: number): void {
    if (ms <= 0) return;
    this.#usedMs += ms;
    if (this.#usedMs >= WORTH_MS) this.#schedule();
  }

  /**
   * Acts in a later turn: those that are expected to take least go first, and at times the one that has waited longest.
   * Returns what undoes it.
   *
   * @param expectedMs how long it may take, about
   */
  wait(expectedMs: number, act: () => void): () => void {
    const waiting = { expectedMs, act, isCancelled: false };
    this.#waiting.push(waiting);
    this.#schedule();
    return () => void (waiting.isCancelled = true);
  }

  get #isOver(): boolean {
    return this.#usedMs >= TURN_MS;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    immediate(() => this.#begin());
  }

  /** Lets those act that have waited, and then leaves as much time again for what comes in. */
  #begin(): void {
    this.#isScheduled = false;
    this.#usedMs = 0;
    const due = this.#waiting.filter(({ isCancelled }) => !isCancelled);
    // who has not had enough of this turn waits for the next
    this.#waiting = [];
    const acted = new Set<Waiting>();
    const inOrder = due.toSorted((a, b) => a.expectedMs - b.expectedMs);
    if (this.#turns++ % LONGEST_EVERY === 0) inOrder.unshift(...due.slice(0, 1));
    try {
      for (const next of inOrder) {
        if (this.#isOver) break;
        if (next.isCancelled || acted.has(next)) continue;
        acted.add(next);
        next.act();
      }
    } finally {
      this.#waiting.unshift(...due.filter((each) => !acted.has(each)));
      this.#usedMs = 0;
      if (this.#waiting.length > 0) this.#schedule();
    }
  }
}
