/**
 * When documents are compacted: once what was appended outweighs the snapshot, one document after the other. What is made
 * one is what the store itself has, not what this relay knows of the document: so nothing is lost of what other relays
 * append, nor where this one is killed in between. [STORE-11]
 */
import type { DocumentStore, StoredDocument } from "../../ports/stores/document-store.ts";
import { readStored } from "./damage.ts";
import type { StoreHealth } from "./health.ts";
import { DocumentThread } from "./thread.ts";

/** A shorter log is not worth it, bytes; but one of so many updates is. */
const MIN_BYTES = 64 * 1024;
const MAX_COUNT = 5_000;

/** What the store has of one document, as far as this relay knows. */
interface Log {
  snapshotBytes: number;
  /** Bytes, and number, of the updates since. */
  bytes: number;
  count: number;
  keepsHistory: boolean;
  /** After a failure: not before there is so much, bytes. */
  notBelow: number;
}

export interface CompactionCounts {
  /** Of the documents that are in memory: what their snapshots take in the store, bytes. */
  readonly snapshotBytes: number;
  /** What was appended since, bytes; and in how many updates. */
  readonly logBytes: number;
  readonly logUpdates: number;
  /** Compactions since the start. */
  readonly compactions: number;
}

export class Compaction {
  readonly #store: DocumentStore;
  readonly #keepsHistory: boolean;
  readonly #warn: (message: string, cause: unknown) => void;
  readonly #health: StoreHealth;
  readonly #thread = new DocumentThread();
  readonly #logs = new Map<string, Log>();
  readonly #due = new Set<string>();
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;
  #count = 0;

  /** @param keepsHistory whether what was deleted is kept of all documents */
  constructor(
    store: DocumentStore,
    keepsHistory: boolean,
    warn: (message: string, cause: unknown) => void,
    health: StoreHealth,
  ) {
    this.#health = health;
    this.#store = store;
    this.#keepsHistory = keepsHistory;
    this.#warn = warn;
  }

  get counts(): CompactionCounts {
    let [snapshotBytes, logBytes, logUpdates] = [0, 0, 0];
    for (const log of this.#logs.values()) {
      snapshotBytes += log.snapshotBytes;
      logBytes += log.bytes;
      logUpdates += log.count;
    }
    return { snapshotBytes, logBytes, logUpdates, compactions: this.#count };
  }

  /** A document was loaded; null: the store has none. */
  loaded(room: string, stored: StoredDocument | null): void {
    const updates = stored?.updates ?? [];
    const log = this.#log(room);
    log.snapshotBytes = stored?.snapshot?.length ?? 0;
    log.bytes = sum(updates);
    log.count = updates.length;
    this.#check(room, log);
  }

  /** Updates were appended to a document. */
  appended(room: string, updates: readonly Uint8Array[]): void {
    const log = this.#log(room);
    log.bytes += sum(updates);
    log.count += updates.length;
    this.#check(room, log);
  }

  /** What is deleted from a document is kept from now on. */
  keepHistory(room: string): void {
    this.#log(room).keepsHistory = true;
  }

  /** Nobody is in the room any more. The relay that opens it next need not be told that the history is kept: the snapshot says so. */
  left(room: string): void {
    const log = this.#logs.get(room);
    if (log?.keepsHistory === true && log.count > 0) this.#plan(room);
  }

  /** The document is in memory no longer. */
  unloaded(room: string): void {
    if (!this.#due.has(room)) this.#logs.delete(room);
  }

  /** Begins nothing any more, and waits for what the store is doing. */
  async close(): Promise<void> {
    this.#stopping.abort();
    this.#thread.close();
    this.#due.clear();
    await this.#running;
  }

  #log(room: string): Log {
    let log = this.#logs.get(room);
    if (log === undefined) {
      log = { snapshotBytes: 0, bytes: 0, count: 0, keepsHistory: this.#keepsHistory, notBelow: 0 };
      this.#logs.set(room, log);
    }
    return log;
  }

  #check(room: string, { snapshotBytes, bytes, count, notBelow }: Log): void {
    if (bytes < notBelow) return;
    if (bytes >= Math.max(MIN_BYTES, snapshotBytes) || count >= MAX_COUNT) this.#plan(room);
  }

  #plan(room: string): void {
    if (this.#stopping.signal.aborted) return;
    this.#due.add(room);
    this.#running ??= this.#run().finally(() => (this.#running = null));
  }

  async #run(): Promise<void> {
    for (let room = first(this.#due); room !== undefined; room = first(this.#due)) {
      await this.#compact(room);
      this.#due.delete(room);
    }
  }

  async #compact(room: string): Promise<void> {
    const log = this.#log(room);
    const { bytes, count, keepsHistory } = log;
    try {
      const loaded = await this.#health.watch("load", () => this.#store.load(room, this.#stopping.signal));
      const stored = readStored(loaded);
      if (stored === null || stored.updates.length === 0) return;
      const snapshot = await this.#thread.compact({ ...stored, keepsHistory });
      const { signal } = this.#stopping;
      if (signal.aborted) return;
      if (await this.#health.watch("compact", () => this.#store.compact(room, snapshot, stored.position))) {
        this.#count++;
        log.snapshotBytes = snapshot.length;
      }
      // else another relay was first: what it made of the log is as good
      log.bytes -= Math.min(bytes, log.bytes);
      log.count -= Math.min(count, log.count);
      log.notBelow = 0;
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      if (log.notBelow === 0) this.#warn(`the document of ${room} cannot be compacted`, error);
      log.notBelow = Math.max(MIN_BYTES, log.bytes * 2);
    }
  }
}

function first<T>(values: Iterable<T>): T | undefined {
  for (const value of values) return value;
  return undefined;
}

function sum(updates: readonly Uint8Array[]): number {
  return updates.reduce((bytes, { length }) => bytes + length, 0);
}
