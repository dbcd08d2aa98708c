import { guarded, report } from "./report.ts";

export type Unsubscribe = () => void;

/**
 * Typed listeners; each subscription returns its undo. A listener that throws does not keep the others from hearing: what
 * it throws goes to `onError`.
 */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();
  readonly #onError: (error: unknown) => void;

  /** @param onError told what a listener throws; default: `reportError`, or the console */
  constructor(onError: (error: unknown) => void = report) {
    this.#onError = onError;
  }

  on<K extends keyof Events>(type: K, listener: (event: Events[K]) => void): Unsubscribe {
    // wrapped, so that the same function subscribed twice is two subscriptions
    const entry = (event: Events[K]): void => listener(event);
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(entry));
    return () => {
      listeners.delete(entry);
    };
  }

  emit<K extends keyof Events>(type: K, event: Events[K]): void {
    // a copy: who unsubscribes or subscribes meanwhile changes the next event, not this one
    for (const listener of Array.from(this.#listeners.get(type) ?? [])) {
      guarded(() => (listener as (event: Events[K]) => void)(event), this.#onError);
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
