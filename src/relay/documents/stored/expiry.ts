/**
 * Documents that nobody has opened or changed for long are deleted, if that is wanted. When a document was last in use is
 * noted in the store, where a restart of the relay leaves it, and where other relays see it. [STORE-43] [STORE-44]
 */
import type { Clock } from "../../ports/clock.ts";
import type { DocumentStore } from "../../ports/stores/document-store.ts";

const HOUR_MS = 60 * 60 * 1_000;
/** How often it is looked for unused documents, at most, ms. */
const MIN_INTERVAL_MS = 100;
/** So soon after the start it is looked for the first time, ms: a relay may never run for long. */
const FIRST_MS = 60_000;
/** How many rooms the store is told of at a time. */
const BATCH = 1_000;
/** Who opens a document waits so long for the store to note that, ms. */
const MAX_WAIT_MS = 1_000;

const NO_NOTING = "it cannot be noted that documents are in use";
const NO_DELETING = "documents that nobody uses cannot be deleted";

/** The documents of a relay. */
export interface ExpiryHost {
  /** Rooms with a stored document that somebody is in. */
  openRooms(): Iterable<string>;
  /** Whether a document is in memory. */
  isHeld(room: string): boolean;
  /** Drops a document that is in memory alone. */
  release(room: string): void;
  /** Deletes a stored document that is not in memory; who opens the room meanwhile waits for it. */
  deleteUnused(room: string, unusedSince: number): Promise<unknown>;
  /** Asks the store for something, so that it is noticed where the store does not answer. */
  watch<T>(kind: "touch" | "unused", act: () => Promise<T>): Promise<T>;
  warn(message: string, cause: unknown): void;
}

export class Expiry {
  readonly #host: ExpiryHost;
  readonly #store: DocumentStore | null;
  readonly #ttl: number;
  readonly #clock: Clock;
  /** Without a store: when each document was left that has content, ms of the clock. The one that was left first comes first. */
  readonly #leftAt = new Map<string, number>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** What the store is being told. */
  readonly #touching = new Set<Promise<void>>();
  #running: Promise<void> | null = null;
  /** What failed when it was tried last: of several failures in a row the first is reported. */
  readonly #failing = new Set<string>();
  /** The store takes long to note what is in use: nothing more is noted until it has caught up. */
  #isLate = false;
  #isClosed = false;

  /**
   * @param store null: documents are in memory alone
   * @param ttl how long a document may be unused, ms; 0: for ever
   */
  constructor(host: ExpiryHost, store: DocumentStore | null, ttl: number, clock: Clock) {
    this.#host = host;
    this.#store = store;
    this.#ttl = ttl;
    this.#clock = clock;
    if (ttl === 0 && store?.touch === undefined) return;
    const interval = ttl === 0 ? HOUR_MS : Math.min(HOUR_MS, Math.max(MIN_INTERVAL_MS, Math.ceil(ttl / 4)));
    const run = (): void => void (this.#running ??= this.#run().finally(() => (this.#running = null)));
    this.#timers.add(setTimeout(run, Math.min(interval, FIRST_MS)).unref());
    this.#timers.add(setInterval(run, interval).unref());
  }

  /** Somebody opens a room. Resolves once the store knows, cannot be told, or takes long: it never rejects. [STORE-49] */
  async opened(room: string): Promise<void> {
    this.#leftAt.delete(room);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#isLate = true;
        resolve();
      }, MAX_WAIT_MS).unref();
    });
    await Promise.race([this.#touch([room]), late]);
    clearTimeout(timer);
  }

  /** Nobody is in a room any more that has a document. */
  left(room: string): void {
    if (this.#store !== null) return void this.#touch([room]);
    this.#leftAt.delete(room);
    this.#leftAt.set(room, this.#clock.now());
  }

  /** The document of a room is gone. */
  deleted(room: string): void {
    this.#leftAt.delete(room);
  }

  /** Begins nothing any more, and waits for what the store is doing. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all([this.#running, ...this.#touching]);
  }

  async #run(): Promise<void> {
    await this.#touch([...this.#host.openRooms()]);
    if (this.#ttl === 0 || this.#isClosed) return;
    if (this.#store === null) return this.#dropUnused(this.#clock.now() - this.#ttl);
    const store = this.#store;
    await this.#try(NO_DELETING, () => this.#deleteUnused(store, this.#clock.wall()));
  }

  async #deleteUnused(store: DocumentStore, now: number): Promise<void> {
    const unusedSince = now - this.#ttl;
    const rooms = store.unused?.(unusedSince, now)[Symbol.asyncIterator]();
    for (;;) {
      const next = await this.#host.watch("unused", async () => rooms?.next());
      if (next === undefined || next.done === true) return;
      if (this.#isClosed) return void (await rooms?.return?.());
      if (!this.#host.isHeld(next.value)) await this.#host.deleteUnused(next.value, unusedSince);
    }
  }

  #dropUnused(leftBefore: number): void {
    for (const [room, at] of this.#leftAt) {
      if (at >= leftBefore) return;
      this.#leftAt.delete(room);
      this.#host.release(room);
    }
  }

  async #touch(rooms: readonly string[]): Promise<void> {
    if (this.#isClosed || this.#isLate || this.#store?.touch === undefined) return;
    const touching = this.#note(rooms);
    this.#touching.add(touching);
    await touching;
    this.#touching.delete(touching);
    if (!this.#isLate || this.#touching.size > 0) return;
    this.#isLate = false;
    // what was opened meanwhile
    void this.#touch([...this.#host.openRooms()]);
  }

  /** Who cannot be told that a document is in use is not kept from it: that is noted again later. */
  async #note(rooms: readonly string[]): Promise<void> {
    await this.#try(NO_NOTING, async () => {
      for (let at = 0; at < rooms.length; at += BATCH) {
        const some = rooms.slice(at, at + BATCH);
        await this.#host.watch("touch", async () => this.#store?.touch?.(some, this.#clock.wall()));
      }
    });
  }

  async #try(failure: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
      this.#failing.delete(failure);
    } catch (error) {
      if (!this.#failing.has(failure) && !this.#isClosed) this.#host.warn(failure, error);
      this.#failing.add(failure);
    }
  }
}
