/**
 * The messages of one receiver that are in memory, in lanes: those with the same key go one after the other, those with
 * different keys side by side. Says which may go now. Pure but for its own state; time comes in as `now`, monotonic ms.
 */

export interface Laned {
  readonly number: number;
  readonly key: string;
}

interface Lane<T> {
  readonly key: string;
  /** The first may be on its way. */
  readonly messages: T[];
  isRunning: boolean;
  failures: number;
  /** Not tried before. */
  notBefore: number;
}

export class Lanes<T extends Laned> {
  readonly #lanes = new Map<string, Lane<T>>();
  #size = 0;

  /** How many messages there are. */
  get size(): number {
    return this.#size;
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
    const lane = this.#lanes.get(message.key);
    if (lane !== undefined) lane.messages.push(message);
    else {
      const fresh = { key: message.key, messages: [message], isRunning: false, failures: 0, notBefore: -Infinity };
      this.#lanes.set(message.key, fresh);
    }
  }

  /** Takes the first message of a lane that may go now; it is on its way until `taken` or `failed`. */
  next(now: number): T | null {
    for (const lane of this.#lanes.values()) {
      const [message] = lane.messages;
      if (message === undefined || lane.isRunning || lane.notBefore > now) continue;
      lane.isRunning = true;
      // behind all others
      this.#lanes.delete(lane.key);
      this.#lanes.set(lane.key, lane);
      return message;
    }
    return null;
  }

  /** A message is done with: the next of its lane may go. */
  taken({ key }: T): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return;
    lane.messages.shift();
    this.#size--;
    if (lane.messages.length === 0) return void this.#lanes.delete(key);
    lane.isRunning = false;
    lane.failures = 0;
  }

  /** A message was not taken, and is tried again. @param waitMs how long to wait, by how often it has failed */
  failed({ key }: T, now: number, waitMs: (failures: number) => number): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return;
    lane.isRunning = false;
    lane.failures++;
    lane.notBefore = now + waitMs(lane.failures);
  }

  /** All that wait may go now. */
  hurry(): void {
    for (const lane of this.#lanes.values()) lane.notBefore = -Infinity;
  }

  /** How long until some lane may go that waits, ms; null: none waits. */
  waitMs(now: number): number | null {
    let earliest = Infinity;
    for (const { isRunning, notBefore } of this.#lanes.values())
      if (!isRunning) earliest = Math.min(earliest, notBefore);
    return earliest === Infinity ? null : Math.max(0, earliest - now);
  }
}
