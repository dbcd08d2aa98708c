/** A bus over the publish and subscribe of Redis or Valkey. Nothing is stored there. */
import { ClientClosedError, DisconnectsClientError, ErrorReply } from "@redis/client";
import type { Unsubscribe } from "../../../presence/index.ts";
import type { Bus, BusCounts } from "../../ports/bus.ts";
import type { BusAddress } from "../../util/bus-address.ts";
import { reasonOf } from "../../util/reason.ts";
import { type RedisConnection, makeConnection, retryMs } from "./redis-connection.ts";

/** Past so many bytes that Redis has not taken, what is published is dropped: it heals as any gap does. [BUS-26] */
const MAX_UNSENT = 2 ** 20;
/** How long what was published may take to be sent when the bus is closed, ms. */
const CLOSE_MS = 2_000;

export class RedisBus implements Bus {
  readonly #address: BusAddress;
  readonly #onError: (error: unknown) => void;
  #publisher: RedisConnection;
  #subscriber: RedisConnection;
  /** Resolves once the subscribing connection was made for the first time. */
  #connected: Promise<void>;
  readonly #listeners = new Map<string, Set<(bytes: Uint8Array) => void>>();
  #unsent = 0;
  #dropped = 0;
  #isClosed = false;
  /** The last error that was told, so that each is told once while it lasts. */
  #told = "";

  /**
   * Connects, and keeps connecting when the connection is lost.
   *
   * @param address as `readBusAddress` reads it
   * @param onError told when Redis cannot be reached, once for each reason
   */
  constructor(address: BusAddress, onError: (error: unknown) => void) {
    this.#address = address;
    this.#onError = onError;
    this.#publisher = this.#connection(false);
    void this.#connect(this.#publisher);
    this.#subscriber = this.#connection(true);
    this.#connected = this.#connect(this.#subscriber);
  }

  get counts(): BusCounts {
    return { unsentBytes: this.#unsent, dropped: this.#dropped };
  }

  publish(topic: string, bytes: Uint8Array): Promise<void> {
    if (this.#isClosed || this.#unsent + bytes.length > MAX_UNSENT) {
      this.#dropped++;
      return Promise.resolve();
    }
    this.#unsent += bytes.length;
    return this.#send(topic, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  }

  async #send(topic: string, message: Buffer): Promise<void> {
    try {
      await this.#publisher.publish(topic, message);
      this.#told = "";
    } catch (error) {
      this.#dropped++;
      // Redis is there, and refuses: such as to a user who may not write to the topic
      if (error instanceof ErrorReply) this.#report(error);
    } finally {
      this.#unsent -= message.length;
    }
  }

  subscribe(topic: string, on: (bytes: Uint8Array) => void): Unsubscribe {
    const listeners = this.#listeners.get(topic) ?? new Set();
    // each time a listener of its own, so that an undo takes off no other
    const listener = (bytes: Uint8Array): void => on(bytes);
    listeners.add(listener);
    if (listeners.size === 1) {
      this.#listeners.set(topic, listeners);
      void this.#listen(topic);
    }
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0 || this.#listeners.get(topic) !== listeners) return;
      this.#listeners.delete(topic);
      if (!this.#isClosed) this.#subscriber.unsubscribe(topic).catch(() => {});
    };
  }

  listeners(topic: string): Promise<number> {
    return this.#publisher.listeners(topic);
  }

  /**
   * Begins both connections anew: they seem to be there, and nothing comes. Over a network that was away for a while TCP tries again
   * ever more seldom, and would go on with what was said long ago. [BUS-19]
   */
  reconnect(): void {
    if (this.#isClosed) return;
    destroy(this.#publisher);
    this.#publisher = this.#connection(false);
    void this.#connect(this.#publisher);
    destroy(this.#subscriber);
    this.#subscriber = this.#connection(true);
    this.#connected = this.#connect(this.#subscriber);
    for (const topic of this.#listeners.keys()) void this.#listen(topic);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    destroy(this.#subscriber);
    // what was published before is still sent, if Redis is there
    await Promise.race([
      this.#publisher.close().catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, CLOSE_MS).unref()),
    ]);
    destroy(this.#publisher);
  }

  /** Listens to a topic, and tries again while that fails and the topic is still wanted. */
  async #listen(topic: string): Promise<void> {
    const [subscriber, listeners] = [this.#subscriber, this.#listeners.get(topic)];
    const deliver = (message: Buffer): void => {
      for (const listener of this.#listeners.get(topic) ?? []) listener(message);
    };
    const isWanted = (): boolean => this.#isCurrent(subscriber) && this.#listeners.get(topic) === listeners;
    if (this.#address.type !== "server") await this.#connected;
    for (let attempts = 0; isWanted(); attempts++) {
      try {
        await subscriber.subscribe(topic, deliver);
        return;
      } catch (error) {
        if (!isWanted()) return;
        if (attempts === 0) this.#report(error);
        // a client of one server listens again by itself, and one that is refused would be refused again
        if (this.#address.type === "server") return;
        await waitFor(retryMs(attempts));
      }
    }
  }

  /** @param keepsWaiting whether what is asked while there is no connection waits for the next one */
  #connection(keepsWaiting: boolean): RedisConnection {
    const made = makeConnection(this.#address, keepsWaiting);
    made.on("error", (error) => this.#report(error));
    return made;
  }

  /** Connects, and tries again until that has worked once: from then on the connection comes back by itself. */
  async #connect(connection: RedisConnection): Promise<void> {
    for (let attempts = 0; this.#isCurrent(connection); attempts++) {
      try {
        await connection.connect();
        return;
      } catch (error) {
        if (!this.#isCurrent(connection)) return;
        this.#report(error);
        // a client of one server goes on by itself
        if (this.#address.type === "server") return;
        await waitFor(retryMs(attempts));
      }
    }
  }

  #isCurrent(connection: RedisConnection): boolean {
    return !this.#isClosed && (connection === this.#publisher || connection === this.#subscriber);
  }

  #report(error: unknown): void {
    const message = reasonOf(error);
    // what is waited for when the connection begins anew is no news
    if (this.#isClosed || message === this.#told || error instanceof DisconnectsClientError) return;
    if (error instanceof ClientClosedError) return;
    this.#told = message;
    this.#onError(new Error("Redis cannot be reached", { cause: error }));
  }
}

function destroy(connection: RedisConnection): void {
  const ignore = (): void => {};
  try {
    // it may be closed already
    Promise.resolve(connection.destroy()).catch(ignore);
  } catch {
    ignore();
  }
}

function waitFor(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms).unref());
}
