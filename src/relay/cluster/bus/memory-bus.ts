/** A bus within one process, which loses nothing: for tests, and for several hubs in one process. */
import type { Unsubscribe } from "../../../presence/index.ts";
import type { Bus } from "../../ports/bus.ts";

export class MemoryBus implements Bus {
  readonly #listeners = new Map<string, Set<(bytes: Uint8Array) => void>>();

  publish(topic: string, bytes: Uint8Array): void {
    // as over a network: the sender goes on first
    queueMicrotask(() => {
      for (const listener of this.#listeners.get(topic) ?? []) listener(bytes);
    });
  }

  listeners(topic: string): Promise<number> {
    return Promise.resolve(this.#listeners.get(topic)?.size ?? 0);
  }

  subscribe(topic: string, on: (bytes: Uint8Array) => void): Unsubscribe {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners);
    // each time a listener of its own, so that an undo takes off no other
    const listener = (bytes: Uint8Array): void => on(bytes);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(topic) === listeners) this.#listeners.delete(topic);
    };
  }
}
