/**
 * A bus of the application's own that may throw, or reject, though it is not to: what is said is lost then, and heals as any gap
 * does; the rooms that say it go on. [BUS-39]
 */
import type { Unsubscribe } from "../../../presence/index.ts";
import type { Bus, BusCounts } from "../../ports/bus.ts";

export class GuardedBus implements Bus {
  readonly #bus: Bus;
  readonly #onError: (error: unknown) => void;
  /** Missing where the bus below cannot tell. */
  readonly listeners?: (topic: string) => Promise<number>;
  /** What could not be listened to: it is tried again when the bus begins anew. */
  readonly #unheard = new Set<() => void>();
  #dropped = 0;
  #isFailing = false;

  /** @param onError told of the first failure of several in a row */
  constructor(bus: Bus, onError: (error: unknown) => void) {
    this.#bus = bus;
    this.#onError = onError;
    if (bus.listeners !== undefined) this.listeners = async (topic) => (await bus.listeners?.(topic)) ?? 0;
  }

  get counts(): BusCounts {
    const { unsentBytes, dropped } = this.#bus.counts ?? { unsentBytes: 0, dropped: 0 };
    return { unsentBytes, dropped: dropped + this.#dropped };
  }

  publish(topic: string, bytes: Uint8Array): void | Promise<void> {
    const lost = (error: unknown): void => {
      this.#dropped++;
      this.#failed(error);
    };
    try {
      const result = this.#bus.publish(topic, bytes);
      this.#isFailing = false;
      return result instanceof Promise ? result.catch(lost) : undefined;
    } catch (error) {
      return lost(error);
    }
  }

  subscribe(topic: string, on: (bytes: Uint8Array) => void): Unsubscribe {
    let undo: Unsubscribe | null = null;
    const listen = (): void => {
      this.#unheard.add(listen);
      this.#try(() => {
        undo = this.#bus.subscribe(topic, on);
        this.#unheard.delete(listen);
      });
    };
    listen();
    return () => {
      this.#unheard.delete(listen);
      this.#try(() => undo?.());
    };
  }

  reconnect(): void {
    this.#try(() => this.#bus.reconnect?.());
    for (const listen of this.#unheard) listen();
  }

  async close(): Promise<void> {
    try {
      await this.#bus.close?.();
    } catch (error) {
      this.#failed(error);
    }
  }

  #try(act: () => unknown): void {
    try {
      act();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (!this.#isFailing) this.#onError(error);
    this.#isFailing = true;
  }
}
