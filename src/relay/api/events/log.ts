/**
 * The latest events, as they were sent: so that somebody who comes back is told what was missed. It holds events from when it
 * was begun, without a gap, and only so many of them. Pure but for its own contents. [API-28]
 */

/** An event that was written for those who may hear it. */
export interface LoggedEvent {
  readonly id: string;
  /** The room or lobby that it is of. */
  readonly place: string;
  readonly userId: string;
  /** The lobby in which the user counts there; null: several. */
  readonly lobby: string | null;
  /** As server-sent events have it. */
  readonly message: Uint8Array;
}

const MAX_EVENTS = 10_000;
const MAX_BYTES = 16 * 2 ** 20;

export class EventLog {
  #events: LoggedEvent[] = [];
  #bytes = 0;
  /** The id after which it holds everything. */
  #after: string;

  /** @param after an id that was given to nothing else: what happens from now on comes after it */
  constructor(after: string) {
    this.#after = after;
  }

  /** The id of what happened last. */
  get lastId(): string {
    return this.#events.at(-1)?.id ?? this.#after;
  }

  push(event: LoggedEvent): void {
    this.#events.push(event);
    this.#bytes += event.message.length;
    if (this.#events.length > 2 * MAX_EVENTS || this.#bytes > 2 * MAX_BYTES) this.#forget();
  }

  /** What happened since; null: it is not known any more, or never was. */
  since(id: string): readonly LoggedEvent[] | null {
    if (id === this.#after) return this.#events;
    const at = this.#events.findLastIndex((event) => event.id === id);
    return at < 0 ? null : this.#events.slice(at + 1);
  }

  /** Forgets the oldest: seldom, and then many. */
  #forget(): void {
    let [kept, bytes] = [this.#events.length, this.#bytes];
    let from = 0;
    while (kept > MAX_EVENTS || bytes > MAX_BYTES) {
      const first = this.#events[from++];
      if (first === undefined) break;
      this.#after = first.id;
      bytes -= first.message.length;
      kept--;
    }
    this.#events = this.#events.slice(from);
    this.#bytes = bytes;
  }
}
