import { guarded, report } from "./report.ts";

export type Unsubscribe = () => void;

/**
 * Typed listeners; each subscription returns its undo. A listener that throws does not keep the others from hearing: what
 * it throws goes to `onError`.
 */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();
  readonly #types: readonly (keyof Events)[] | undefined;
  readonly #onError: (error: unknown) => void;

  /**
   * @param types of the events that there are; default: nobody but our own code listens
   * @param onError told what a listener throws; default: `reportError`, or the console
   */
  constructor(types?: readonly (keyof Events)[], onError: (error: unknown) => void = report) {
    this.#types = types;
    this.#onError = onError;
  }

  /** @throws TypeError for an event that there is none of, or no listener: nothing would ever be called [CLIENT-18] */
  on<K extends keyof Events>(type: K, listener: (event: Events[K]) => void): Unsubscribe {
    if (typeof listener !== "function" || this.#types?.includes(type) === false) {
      throw new TypeError(`on("${String(type)}"): no function, or none of ${String(this.#types)}`);
    }
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
