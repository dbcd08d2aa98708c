/**
 * The messages of one receiver that are in memory, in lanes: those with the same key go one after the other, those with
 * different keys side by side. Says which may go now. Pure but for its own state; time comes in as `now`, monotonic ms.
 */
import { QueueByTime } from "../util/queue-by-time.ts";

export interface Laned {
  readonly number: number;
  readonly key: string;
  /** Characters. */
  readonly length: number;
}

interface Lane<T> {
  readonly key: string;
  /** The first may be on its way. */
  readonly messages: T[];
  failures: number;
}

/** A lane that failed so often is stuck: what waits behind it is for its own receiver's fault alone. */
const STUCK_AFTER = 5;

export class Lanes<T extends Laned> {
  readonly #lanes = new Map<string, Lane<T>>();
  /** Lanes that may go, in the order in which they came to that. */
  readonly #ready = new Set<Lane<T>>();
  /** Lanes that failed, and are tried again later. */
  #resting = new QueueByTime<Lane<T>>();
  #size = 0;
  #stuck = 0;
  #characters = 0;

  /** How many messages there are. */
  get size(): number {
    return this.#size;
  }

  /** How many of them wait in lanes that have failed again and again. */
  get stuck(): number {
    return this.#stuck;
  }

  /** How long all of them are. */
  get characters(): number {
    return this.#characters;
  }

  /** The message that was added first, of those that are still there. */
  get oldest(): T | undefined {
    let oldest: T | undefined;
    for (const { messages } of this.#lanes.values()) {
      const [first] = messages;
      if (first !== undefined && (oldest === undefined || first.number < oldest.number)) oldest = first;
    }
    return oldest;
  }

  /** Numbers come in order. */
  add(message: T): void {
    this.#size++;
    this.#characters += message.length;
    const known = this.#lanes.get(message.key);
    if (known !== undefined) {
      known.messages.push(message);
      if (isStuck(known)) this.#stuck++;
      return;
    }
    const lane: Lane<T> = { key: message.key, messages: [message], failures: 0 };
    this.#lanes.set(message.key, lane);
    this.#ready.add(lane);
  }

  /** Takes the first message of a lane that may go now; it is on its way until `taken` or `failed`. */
  next(now: number): T | null {
    this.#wake(now);
    const [lane] = this.#ready;
    return lane === undefined ? null : this.#run(lane);
  }

  /** The same, or the lane that rests and is due first. */
  nextAtAll(now: number): T | null {
    const next = this.next(now);
    if (next !== null) return next;
    const lane = this.#resting.take(Infinity);
    return lane === undefined ? null : this.#run(lane);
  }

  /** A message is done with: the next of its lane may go. */
  taken({ key, length }: T): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return;
    if (isStuck(lane)) this.#stuck -= lane.messages.length;
    lane.messages.shift();
    this.#size--;
    this.#characters -= length;
    lane.failures = 0;
    if (lane.messages.length === 0) this.#lanes.delete(key);
    else this.#ready.add(lane);
  }

  /**
   * A message was not taken, and is tried again.
   *
   * @param isAll nothing is taken at all: that says nothing about this lane
   * @param waitMs how long to wait, by how often it has failed
   */
  failed({ key }: T, now: number, isAll: boolean, waitMs: (failures: number) => number): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return;
    if (!isAll) {
      lane.failures++;
      if (lane.failures === STUCK_AFTER) this.#stuck += lane.messages.length;
    }
    this.#resting.add(lane, now + waitMs(Math.max(1, lane.failures)));
  }

  /** All that wait may go now, but for lanes that are stuck: what they wait for is not over. */
  hurry(): void {
    const resting = this.#resting;
    this.#resting = new QueueByTime();
    for (let at = resting.dueAt, lane = resting.take(Infinity); lane !== undefined && at !== null;) {
      if (isStuck(lane)) this.#resting.add(lane, at);
      else this.#ready.add(lane);
      at = resting.dueAt;
      lane = resting.take(Infinity);
    }
  }

  /** All may go now, whatever they wait for. */
  wake(): void {
    this.#wake(Infinity);
  }

  /** How long until some lane may go that waits, ms; null: none waits. */
  waitMs(now: number): number | null {
    if (this.#ready.size > 0) return 0;
    const { dueAt } = this.#resting;
    return dueAt === null ? null : Math.max(0, dueAt - now);
  }

  #wake(now: number): void {
    for (let lane = this.#resting.take(now); lane !== undefined; lane = this.#resting.take(now)) this.#ready.add(lane);
  }

  /** A lane that is there has messages. */
  #run(lane: Lane<T>): T | null {
    this.#ready.delete(lane);
    return lane.messages[0] ?? null;
  }
}

function isStuck({ failures }: Lane<unknown>): boolean {
  return failures >= STUCK_AFTER;
}
