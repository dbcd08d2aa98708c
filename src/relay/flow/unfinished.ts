/**
 * Messages of which the beginning has come in and the end has not: what they take, over all links, is bounded. The link that has had
 * most kept is closed first. [FLOW-12]
 */
import { MemoryBudget } from "../util/budget.ts";

/** What one link has had kept up to this size is of no account, bytes. */
const FREE_BYTES = 64 * 1024;
/** Once the bound is passed, room is made for more than the next piece: down to this part of it. */
const MADE_ROOM = 7 / 8;

/** A link, as one that has begun messages. */
export interface Beginner {
  readonly unfinished: Unfinished;
  /** It is closed, and what was kept for it is let go. */
  endUnfinished(): void;
}

/** What all links of a relay have begun to say. */
export class UnfinishedData {
  readonly #budget: MemoryBudget;

  /** @param max bytes; 0: any number */
  constructor(max: number) {
    this.#budget = new MemoryBudget(max);
  }

  get isOver(): boolean {
    return this.#budget.isOver;
  }

  changed(bytes: number): void {
    this.#budget.add(bytes);
  }

  /** Closes those who have had most kept, when it is too much. */
  shed(links: Iterable<Beginner>): void {
    const largestFirst = [...links].filter(({ unfinished }) => unfinished.bytes > 0);
    largestFirst.sort((a, b) => b.unfinished.bytes - a.unfinished.bytes);
    for (const link of largestFirst) {
      if (this.#budget.excess(MADE_ROOM) === 0) return;
      link.endUnfinished();
    }
  }
}

/** What one link has begun to say. */
export class Unfinished {
  readonly #all: UnfinishedData;
  /** Bytes that have come in since the last message was whole. */
  #since = 0;
  #counted = 0;

  constructor(all: UnfinishedData) {
    this.#all = all;
  }

  /** Bytes that count. */
  get bytes(): number {
    return this.#counted;
  }

  /** So much came in. */
  came(bytes: number): void {
    this.#since += bytes;
  }

  /** So much of what came in was no part of a message. */
  wasNone(bytes: number): void {
    this.#since = Math.max(0, this.#since - bytes);
  }

  /** A message is whole. */
  whole(): void {
    this.#since = 0;
  }

  /**
   * Counts it anew. Returns whether all links together have begun too much.
   *
   * @param inPieces bytes of messages that came in pieces, each a message of its own to the socket
   */
  count(inPieces: number): boolean {
    const bytes = this.#since + inPieces;
    const counted = bytes > FREE_BYTES ? bytes : 0;
    if (counted === this.#counted) return false;
    this.#all.changed(counted - this.#counted);
    this.#counted = counted;
    return this.#all.isOver;
  }

  /** The link is over. */
  close(): void {
    this.#all.changed(-this.#counted);
    this.#counted = 0;
  }
}
