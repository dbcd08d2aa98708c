/** A bus over the publish and subscribe of Redis or Valkey. Nothing is stored there. */
import { DisconnectsClientError, ErrorReply, type RedisClientType, createClient } from "@redis/client";
import type { Unsubscribe } from "../../../presence/index.ts";
import type { Bus, BusCounts } from "../../ports/bus.ts";
import { reasonOf } from "../../util/reason.ts";

/** Past so many bytes that Redis has not taken, what is published is dropped: it heals as any gap does. [BUS-26] */
const MAX_UNSENT = 2 ** 20;
/** How long to wait before connecting again, ms: at first, and at most. */
const RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;
const CONNECT_MS = 2_000;

/** A stranger of the types that `createClient` infers. */
type Client = Pick<
  RedisClientType,
  "connect" | "destroy" | "close" | "publish" | "subscribe" | "unsubscribe" | "pubSubNumSub"
> & {
  on(event: "error", listener: (error: Error) => void): unknown;
};

export class RedisBus implements Bus {
  readonly #url: string;
  readonly #onError: (error: unknown) => void;
  readonly #publisher: Client;
  #subscriber: Client;
  readonly #listeners = new Map<string, Set<(bytes: Uint8Array) => void>>();
  #unsent = 0;
  #dropped = 0;
  #isClosed = false;
  /** The last error that was told, so that each is told once while it lasts. */
  #told = "";

  /**
   * Connects, and keeps connecting when the connection is lost.
   *
   * @param url `redis://` or `rediss://`, with the user and the password if there are any
   * @param onError told when Redis cannot be reached, once for each reason
   */
  constructor(url: string, onError: (error: unknown) => void) {
    this.#url = url;
    this.#onError = onError;
    this.#publisher = this.#client(true);
    this.#subscriber = this.#client(false);
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
      this.#listen(topic);
    }
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0 || this.#listeners.get(topic) !== listeners) return;
      this.#listeners.delete(topic);
      if (!this.#isClosed) this.#subscriber.unsubscribe(topic).catch(() => {});
    };
  }

  async listeners(topic: string): Promise<number> {
    const counts = await this.#publisher.pubSubNumSub([topic]);
    return counts[topic] ?? 0;
  }

  /** Begins the subscribing connection anew: it seems to be there, and nothing comes. [BUS-19] */
  reconnect(): void {
    if (this.#isClosed) return;
    destroy(this.#subscriber);
    this.#subscriber = this.#client(false);
    for (const topic of this.#listeners.keys()) this.#listen(topic);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    destroy(this.#subscriber);
    // what was published before is still sent, if Redis is there
    await Promise.race([
      this.#publisher.close().catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, CONNECT_MS).unref()),
    ]);
    destroy(this.#publisher);
  }

  #listen(topic: string): void {
    const deliver = (message: Buffer): void => {
      for (const listener of this.#listeners.get(topic) ?? []) listener(message);
    };
    this.#subscriber.subscribe(topic, deliver, true).catch((error: unknown) => this.#report(error));
  }

  /** @param isPublisher what it is told while there is no connection is not kept */
  #client(isPublisher: boolean): Client {
    const client = createClient({
      url: this.#url,
      disableOfflineQueue: isPublisher,
      socket: {
        connectTimeout: CONNECT_MS,
        // spread out, so that not all relays come at once
        reconnectStrategy: (retries) =>
          Math.random() * RETRY_MS + Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** Math.min(retries, 10)),
      },
    }) as unknown as Client;
    client.on("error", (error) => this.#report(error));
    client.connect().catch((error: unknown) => this.#report(error));
    return client;
  }

  #report(error: unknown): void {
    const message = reasonOf(error);
    // what is waited for when the connection begins anew is no news
    if (this.#isClosed || message === this.#told || error instanceof DisconnectsClientError) return;
    this.#told = message;
    this.#onError(new Error("Redis cannot be reached", { cause: error }));
  }
}

function destroy(client: Client): void {
  try {
    client.destroy();
  } catch {
    // it is closed already
  }
}
