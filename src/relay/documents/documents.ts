/**
 * All documents of a relay, also those of rooms that nobody is in: how they come from a store and go there. What they take together
 * is counted in `memory`.
 */
import { type Clock, systemClock } from "../ports/clock.ts";
import { DamagedDocumentError, type DocumentStore, type StoredDocument } from "../ports/stores/document-store.ts";
import type { RelaySettings } from "../ports/settings.ts";
import { backOff, endsInTime, pause } from "../util/back-off.ts";
import { Compaction, type CompactionCounts } from "./stored/compaction.ts";
import { damagedPart, readStored } from "./stored/damage.ts";
import { Expiry } from "./stored/expiry.ts";
import { Journal } from "./stored/journal.ts";
import { DocumentMemory, type Kept } from "./memory.ts";
import { StoreHealth, type StoreTimes } from "./stored/health.ts";
import { type Merged, mergeStored, mergeUpdates } from "./stored/merge.ts";
import { DocumentThread } from "./stored/thread.ts";

/** What a store of documents has done, and what it holds of the documents that are in memory. */
export interface StoreMetrics extends CompactionCounts {
  /** Documents that are in memory, or are being loaded. */
  readonly documents: number;
  readonly loads: StoreTimes;
  readonly appends: StoreTimes;
  /** There is a document that the store did not load or store when it was asked last, or the store hangs. */
  readonly isFailing: boolean;
}

export type DocumentOptions = Pick<
  RelaySettings,
  | "documentGc"
  | "documentTtl"
  | "maxDocument"
  | "maxDocuments"
  | "maxDocumentStructs"
  | "maxUpdateStructs"
  | "maxSubdocuments"
  | "maxPendingStructs"
>;

/** How long the document of a room that nobody is in stays in memory, where a store has it: ms. [STORE-4] */
const UNLOAD_MS = 10_000;

/** A stored document that is longer is made ready in a thread, bytes. [STORE-46] */
const LONG_BYTES = 512 * 1024;

/** The document of a room where a store has it: open, or left and still in memory. */
interface Stored {
  readonly journal: Journal;
  /** Aborts loading it. */
  readonly loading: AbortController;
  /** Until it is in memory. */
  loaded: Promise<void> | null;
  /** Somebody is in the room. */
  isOpen: boolean;
  unloading: ReturnType<typeof setTimeout> | undefined;
}

export class Documents {
  readonly options: DocumentOptions;
  readonly memory: DocumentMemory;
  readonly #store: DocumentStore | null;
  readonly #stored = new Map<string, Stored>();
  readonly #health: StoreHealth;
  readonly #compaction: Compaction | null;
  readonly #expiry: Expiry;
  /** Makes long documents ready that are loaded: they do not wait for compactions. */
  readonly #thread = new DocumentThread();
  readonly #warn: (error: Error) => void;
  readonly #changed: (room: string) => void;
  /** What deletes a document, by its room. */
  readonly #deleting = new Map<string, Promise<unknown>>();

  /**
   * @param store where documents outlive the relay; null: nowhere
   * @param warn told what is wrong: new documents find no room, a document cannot be read, encoded, loaded or stored
   * @param changed told of each update that was taken, with the room
   */
  constructor(
    options: DocumentOptions,
    store: DocumentStore | null,
    warn: (error: Error) => void,
    clock: Clock = systemClock,
    changed: (room: string) => void = () => {},
  ) {
    this.options = options;
    this.memory = new DocumentMemory(options.maxDocuments, (message) => this.warn(message));
    this.#store = store;
    this.#changed = changed;
    this.#warn = warn;
    this.#health = new StoreHealth(clock, (message) => this.warn(message));
    const warnOf = (message: string, cause: unknown): void => this.warn(message, cause);
    this.#compaction = store === null ? null : new Compaction(store, !options.documentGc, warnOf, this.#health);
    this.#expiry = new Expiry(
      {
        openRooms: () => [...this.#stored].flatMap(([room, { isOpen }]) => (isOpen ? room : [])),
        isHeld: (room) => this.#stored.has(room),
        release: (room) => this.memory.release(room),
        deleteUnused: (room, unusedSince) => this.delete(room, unusedSince),
        watch: (kind, act) => this.#health.watch(kind, act),
        warn: warnOf,
      },
      store,
      options.documentTtl,
      clock,
    );
  }

  /** Null: no store has documents. */
  get storeMetrics(): StoreMetrics | null {
    if (this.#compaction === null) return null;
    const { load: loads, append: appends, isFailing } = this.#health;
    return { documents: this.#stored.size, loads, appends, isFailing, ...this.#compaction.counts };
  }

  /** Somebody opens a room. Returns null when its document is in memory, or else when it will be. It never fails. [STORE-1] [STORE-26] */
  open(room: string): Promise<void> | null {
    const noted = this.#expiry.opened(room);
    if (this.#store === null) return null;
    const stored = this.#stored.get(room) ?? this.#begin(room, this.#store, noted);
    stored.isOpen = true;
    clearTimeout(stored.unloading);
    return stored.loaded;
  }

  /**
   * An update of the document was taken. Returns what resolves once it is stored, or could not be; null: nothing stores it.
   *
   * @param isNews false: another relay tells that the document was changed
   */
  record(room: string, update: Uint8Array, isNews = true): Promise<void> | null {
    const stored = this.#stored.get(room)?.journal.record(update) ?? null;
    if (isNews) this.#changed(room);
    return stored;
  }

  /** Whether the store, if there is one, has all that was taken of a document. */
  isStored(room: string): boolean {
    return this.#stored.get(room)?.journal.isStored ?? true;
  }

  /** What is deleted from a document is kept from now on, for clients that go back in its history. */
  keepHistory(room: string): void {
    this.#compaction?.keepHistory(room);
  }

  /** Nobody is in the room any more. */
  left(room: string): void {
    const stored = this.#stored.get(room);
    if (stored === undefined) {
      if (this.memory.kept(room) !== undefined) this.#expiry.left(room);
      return;
    }
    stored.isOpen = false;
    void this.#flushLeft(room, stored);
    this.#unloadLater(room, stored);
  }

  async #flushLeft(room: string, stored: Stored): Promise<void> {
    await stored.journal.flush();
    if (stored.isOpen) return;
    this.#expiry.left(room);
    this.#compaction?.left(room);
  }

  /** Stores what has yet to be stored, as far as the store takes it, and loads nothing any more. */
  async close(): Promise<void> {
    const all = [...this.#stored.values()];
    for (const { loading, unloading } of all) {
      clearTimeout(unloading);
      loading.abort();
    }
    // [STORE-48]
    const isStored = await this.#health.finished(Promise.all(all.map(({ journal }) => journal.flush())));
    if (!isStored) this.warn("the store does not answer, and what it was given last may be lost");
    for (const { journal } of all) journal.stop();
    this.#stored.clear();
    this.#thread.close();
    const closed = Promise.all([this.#expiry.close(), this.#compaction?.close()]).then(() => this.#store?.close?.());
    await endsInTime(closed, (trouble) => this.warn("the store does not close", trouble));
  }

  /** Whether documents can be deleted: where a store has them, that must be able to. */
  get canDelete(): boolean {
    return this.#store === null || this.#store.delete !== undefined;
  }

  /**
   * Deletes the document of a room that nobody is in. Returns whether there was one. [API-22]
   *
   * @param unusedSince ms since the epoch: only if the store knows that it was last in use before then. It is not in memory
   */
  async delete(room: string, unusedSince?: number): Promise<boolean> {
    const wasKept = this.memory.kept(room) !== undefined;
    const stored = this.#drop(room);
    const deleting = this.#deleteStored(room, stored, unusedSince);
    // a client that opens the room meanwhile begins with what is left then
    const settled = Promise.allSettled([deleting]).finally(() => {
      if (this.#deleting.get(room) === settled) this.#deleting.delete(room);
    });
    this.#deleting.set(room, settled);
    return (await deleting) || wasKept;
  }

  /** The document of a room that nobody is in here was deleted by way of another relay. */
  forget(room: string): void {
    this.#drop(room)?.journal.stop();
  }

  #drop(room: string): Stored | undefined {
    this.#expiry.deleted(room);
    const stored = this.#stored.get(room);
    clearTimeout(stored?.unloading);
    stored?.loading.abort();
    this.#stored.delete(room);
    this.memory.release(room);
    return stored;
  }

  async #deleteStored(room: string, stored: Stored | undefined, unusedSince?: number): Promise<boolean> {
    // what was still to be appended would begin the document anew
    await stored?.journal.flush();
    stored?.journal.stop();
    return (await this.#health.watch("delete", async () => this.#store?.delete?.(room, unusedSince))) === true;
  }

  /** @param noted resolves once the store knows that the document is in use: then no other relay deletes what is loaded */
  #begin(room: string, store: DocumentStore, noted: Promise<void>): Stored {
    const loading = new AbortController();
    const onError = (error: unknown): void => this.#failed(`the document of ${room} cannot be stored`, error);
    const append = async (updates: readonly Uint8Array[]): Promise<void> => {
      await this.#health.ask("append", room, () => store.append(room, updates));
      this.#compaction?.appended(room, updates);
    };
    const stored: Stored = {
      journal: new Journal(append, mergeUpdates, onError),
      loading,
      loaded: null,
      isOpen: true,
      unloading: undefined,
    };
    this.#stored.set(room, stored);
    stored.loaded = noted.then(() => this.#load(room, store, loading.signal)).then(() => void (stored.loaded = null));
    return stored;
  }

  /** Tries until the document is there, or nobody wants it any more. */
  async #load(room: string, store: DocumentStore, signal: AbortSignal): Promise<void> {
    await this.#deleting.get(room);
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        const stored = readStored(await this.#health.ask("load", room, () => store.load(room, signal)));
        if (signal.aborted) return;
        if (stored !== null) {
          const kept = await this.#keptOf(stored);
          if (signal.aborted) return;
          this.memory.keep(room, kept);
        }
        this.#compaction?.loaded(room, stored);
        return;
      } catch (error) {
        if (signal.aborted) break;
        if (failures === 0) this.#failed(`the document of ${room} cannot be loaded`, error);
        // [STORE-2]
        await pause(backOff(failures), signal);
      }
    }
    this.#health.forget("load", room);
  }

  /** Rejects with an error that says which part of the document is damaged. [STORE-27] */
  async #keptOf(stored: StoredDocument): Promise<Kept> {
    const { snapshot, updates } = stored;
    const isLong = updates.reduce((sum, { length }) => sum + length, snapshot?.length ?? 0) > LONG_BYTES;
    let merged: Merged;
    try {
      merged = isLong ? await this.#thread.merge(stored) : mergeStored(stored);
    } catch (cause) {
      const part = damagedPart(stored);
      // the thread was ended
      if (part === null && isLong) throw cause;
      throw new DamagedDocumentError(`it is damaged: ${part ?? "what Yjs makes of it"} is no Yjs update`, { cause });
    }
    return { ...merged, rest: [], pending: null, keepsHistory: false };
  }

  #failed(message: string, error: unknown): void {
    if (error instanceof DamagedDocumentError || this.#health.isNews(error)) this.warn(message, error);
  }

  #unloadLater(room: string, stored: Stored): void {
    const { documentTtl } = this.options;
    clearTimeout(stored.unloading);
    stored.unloading = setTimeout(
      () => {
        if (stored.isOpen) return;
        const pending = this.memory.kept(room)?.pending ?? null;
        if (!stored.journal.isStored || pending !== null) return this.#unloadLater(room, stored);
        stored.loading.abort();
        this.#stored.delete(room);
        this.#compaction?.unloaded(room);
        this.memory.release(room);
      },
      Math.min(UNLOAD_MS, documentTtl || UNLOAD_MS),
    );
  }

  warn(message: string, cause?: unknown): void {
    this.#warn(new Error(message, { cause }));
  }
}
