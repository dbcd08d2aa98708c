/** A store that lasts as long as the process: for tests, and to learn from. */
import type { DocumentStore, Position, StoredDocument } from "../ports/stores/document-store.ts";
import { MemoryPeopleStore } from "./memory-people.ts";

interface Log {
  snapshot: Uint8Array | null;
  /** How many updates were appended before those that are left. */
  dropped: number;
  updates: Uint8Array[];
  /** When it was last in use, ms since the epoch; null: that was never noted. */
  usedAt: number | null;
}

export class MemoryDocumentStore implements DocumentStore {
  readonly people: MemoryPeopleStore = new MemoryPeopleStore();
  readonly #logs = new Map<string, Log>();
  /** How many updates the logs of deleted documents ever had: new documents count on from there, so that no position comes twice. */
  #deleted = 0;

  load(room: string, signal: AbortSignal): Promise<StoredDocument | null> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const log = this.#logs.get(room);
    if (log === undefined) return Promise.resolve(null);
    const { snapshot, updates } = log;
    return Promise.resolve({ snapshot, updates: [...updates], position: endOf(log) });
  }

  append(room: string, updates: readonly Uint8Array[]): Promise<Position> {
    const log = this.#logs.get(room) ?? { snapshot: null, dropped: this.#deleted, updates: [], usedAt: null };
    this.#logs.set(room, log);
    // the caller may use its arrays again
    for (const update of updates) log.updates.push(update.slice());
    return Promise.resolve(endOf(log));
  }

  /** Puts a snapshot in the place of what it holds already. Returns false where another compaction was first. [STORE-6] */
  compact(room: string, snapshot: Uint8Array, upTo: Position): Promise<boolean> {
    const log = this.#logs.get(room);
    const count = log === undefined ? -1 : Number(upTo) - log.dropped;
    if (log === undefined || count <= 0 || count > log.updates.length) return Promise.resolve(false);
    log.snapshot = snapshot.slice();
    log.updates = log.updates.slice(count);
    log.dropped += count;
    return Promise.resolve(true);
  }

  async *list(): AsyncGenerator<string, void> {
    yield* this.#logs.keys();
  }

  /** A compaction that began before finds no position of its own afterwards. [STORE-24] */
  delete(room: string, unusedSince?: number): Promise<boolean> {
    const log = this.#logs.get(room);
    if (log === undefined) return Promise.resolve(false);
    if (unusedSince !== undefined && (log.usedAt ?? Infinity) >= unusedSince) return Promise.resolve(false);
    this.#deleted = Math.max(this.#deleted, log.dropped + log.updates.length);
    return Promise.resolve(this.#logs.delete(room));
  }

  touch(rooms: readonly string[], at: number): Promise<void> {
    for (const room of rooms) {
      const log = this.#logs.get(room);
      if (log !== undefined) log.usedAt = at;
    }
    return Promise.resolve();
  }

  /** [STORE-44] */
  async *unused(before: number, now: number): AsyncGenerator<string, void> {
    for (const [room, log] of this.#logs) {
      log.usedAt ??= now;
      if (log.usedAt < before) yield room;
    }
  }
}

function endOf({ dropped, updates }: Log): Position {
  return `${dropped + updates.length}`;
}
