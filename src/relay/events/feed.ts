/**
 * Events on their way to one sink: they are delivered in order, in batches, one batch at a time. What the sink does not take
 * comes again. [EVENT-1] [EVENT-2]
 */
import type { EventSink, IdentifiedEvent } from "../ports/event-sink.ts";

const MAX_BATCH = 500;
/** More do not wait for a sink that takes none: the oldest are dropped. [EVENT-3] */
const MAX_WAITING = 100_000;
/** How long to wait after a delivery that failed, ms: at first, and at most. */
const RETRY_MS = 250;
const MAX_RETRY_MS = 30_000;

export class EventFeed {
  readonly #sink: EventSink;
  readonly #onError: (error: unknown) => void;
  #waiting: IdentifiedEvent[] = [];
  #failures = 0;
  #isDropping = false;
  #running: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param onError told of the first failure of several in a row, and when events are dropped
   */
  constructor(sink: EventSink, onError: (error: unknown) => void) {
    this.#sink = sink;
    this.#onError = onError;
  }

  push(events: readonly IdentifiedEvent[]): void {
    // one by one: as arguments of one call, the leaves of a whole lobby would be too many
    for (const event of events) this.#waiting.push(event);
    this.#drop();
    if (this.#failures === 0) this.#start();
  }

  /** Delivers what waits once more, and tries no more after that. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#running !== null) await this.#running;
    clearTimeout(this.#timer);
    await this.#run();
    clearTimeout(this.#timer);
  }

  #drop(): void {
    const surplus = this.#waiting.length - MAX_WAITING;
    if (surplus <= 0) return;
    this.#waiting.splice(0, surplus);
    if (!this.#isDropping) this.#onError(new Error(`events are dropped: more than ${MAX_WAITING} wait for a sink`));
    this.#isDropping = true;
  }

  #start(): void {
    if (this.#running !== null || this.#waiting.length === 0) return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
      if (this.#failures === 0) return this.#start();
      const delay = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** (this.#failures - 1));
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#start(), delay);
    });
  }

  /** Delivers all that waits, until the sink fails. */
  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, MAX_BATCH);
      try {
        await this.#sink.deliver(batch);
      } catch (error) {
        if (this.#failures++ === 0) this.#onError(error);
        return;
      }
      this.#failures = 0;
      this.#isDropping = false;
      // some of it may have been dropped meanwhile
      const last = batch.at(-1)?.id;
      this.#waiting.splice(0, this.#waiting.findIndex(({ id }) => id === last) + 1);
    }
  }
}
