/** Events of a hub, on their way to listeners of the application and to sinks. */
import { Emitter, type PresenceEvent, type Unsubscribe } from "../../presence/index.ts";
import type { Hub } from "../core/hub.ts";
import { EventFeed } from "../events/feed.ts";
import type { EventSink, IdentifiedEvent } from "../ports/event-sink.ts";
import { type ErrorListener, callListener } from "../util/report.ts";

/** Events of all rooms and lobbies. `roomId` says which room; `id` is the event's own, the same in the HTTP API and in sinks. */
export interface RelayEvents {
  readonly join: Extract<IdentifiedEvent, { type: "join" }>;
  readonly leave: Extract<IdentifiedEvent, { type: "leave" }>;
  readonly update: Extract<IdentifiedEvent, { type: "update" }>;
  /** All three. */
  readonly event: IdentifiedEvent;
}

const TYPES: readonly (keyof RelayEvents)[] = ["join", "leave", "update", "event"];

export class HubEvents {
  readonly #hub: Hub;
  readonly #onError: ErrorListener;
  readonly #emitter = new Emitter<RelayEvents>();
  readonly #feeds: readonly EventFeed[];
  readonly #unobserve: Unsubscribe;
  /** How many ids events have had. */
  #count = 0;

  constructor(hub: Hub, sinks: readonly EventSink[], onError: ErrorListener) {
    this.#hub = hub;
    this.#onError = onError;
    this.#feeds = sinks.map((sink) => new EventFeed(sink, (error) => onError(error, "an event sink")));
    this.#unobserve = sinks.length > 0 ? hub.observe() : () => {};
  }

  /** A new id, different from those of all events of this and other relays, also before a restart. Ids of one relay are in the order of its events. */
  nextId(): string {
    return `${this.#hub.shard}-${++this.#count}`;
  }

  /** @throws RangeError for an event that there is none of; TypeError for a listener that is no function [RUN-10] */
  on<K extends keyof RelayEvents>(type: K, listener: (event: RelayEvents[K]) => void): Unsubscribe {
    if (!TYPES.includes(type)) throw new RangeError(`there is no event "${type}"; there are ${TYPES.join(", ")}`);
    if (typeof listener !== "function") throw new TypeError(`the listener of "${type}" must be a function`);
    // [HTTP-8] what a listener of the application throws is reported
    const onError = (error: unknown): void => this.#onError(error, `a listener of "${type}"`);
    const unobserve = this.#hub.observe();
    const off = this.#emitter.on(type, (event) => callListener(listener, event, onError));
    return () => {
      off();
      unobserve();
    };
  }

  /** Hands events to all who are to be told. */
  emit(events: readonly PresenceEvent[]): void {
    // [EVENT-4] numbered once, for all who are told
    const identified = events.map((event) => ({ ...event, id: this.nextId() }));
    for (const feed of this.#feeds) feed.push(identified);
    for (const event of identified) {
      this.#emitter.emit("event", event);
      switch (event.type) {
        case "join":
          this.#emitter.emit("join", event);
          break;
        case "leave":
          this.#emitter.emit("leave", event);
          break;
        case "update":
          this.#emitter.emit("update", event);
          break;
      }
    }
  }

  /** No listener hears anything any more. */
  stop(): void {
    this.#unobserve();
    this.#emitter.clear();
  }

  /** Delivers what waits for sinks. Each promise is that of one sink. */
  closeSinks(): readonly Promise<void>[] {
    return this.#feeds.map((feed) => feed.close());
  }
}
