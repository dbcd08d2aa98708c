/** A sink that keeps events in memory: for tests, and to learn from. */
import type { EventSink, IdentifiedEvent } from "../ports/event-sink.ts";

export class MemoryEventSink implements EventSink {
  readonly events: IdentifiedEvent[] = [];
  readonly #ids = new Set<string>();

  deliver(batch: readonly IdentifiedEvent[]): Promise<void> {
    for (const event of batch) {
      // it came before, and its sender was not told
      if (this.#ids.has(event.id)) continue;
      this.#ids.add(event.id);
      this.events.push(event);
    }
    return Promise.resolve();
  }
}
