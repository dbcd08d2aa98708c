/** Where events of presence go besides the listeners of this process: a queue, a log, an HTTP endpoint. */
import type { PresenceEvent } from "../../presence/index.ts";

/** An event with an id, by which a receiver knows that it has had it before. */
export type IdentifiedEvent = PresenceEvent & { readonly id: string };

export interface EventSink {
  /**
   * Takes events in the order in which they happened. The next batch comes once this one is taken. A promise that rejects
   * says that nothing was taken for sure: the same events come again, with the same ids.
   */
  deliver(batch: readonly IdentifiedEvent[]): Promise<void>;
}
