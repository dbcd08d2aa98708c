/**
 * What was taken of one document and has still to be stored. Updates are appended in groups, one append at a time; what
 * cannot be stored is kept, and tried again. [STORE-3] [STORE-5]
 */
import type { DocumentStore } from "../ports/document-store.ts";

/** So long updates are gathered before they are appended together, ms. */
export const APPEND_MS = 100;
/** How long to wait after an append that failed, ms: at first, and at most. */
const RETRY_MS = 250;
const MAX_RETRY_MS = 10_000;

export class Journal {
  readonly #room: string;
  readonly #store: DocumentStore;
  readonly #merge: (updates: readonly Uint8Array[]) => Uint8Array;
  readonly #onError: (error: unknown) => void;
  #waiting: Uint8Array[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | null = null;
  #failures = 0;
  /** Bytes that were appended since this journal was made. */
  #appended = 0;

  /**
   * @param merge makes one update of several: what a store could not take for long is given to it as one
   * @param onError told of the first failure of several in a row
   */
  constructor(
    room: string,
    store: DocumentStore,
    merge: (updates: readonly Uint8Array[]) => Uint8Array,
    onError: (error: unknown) => void,
  ) {
    this.#room = room;
    this.#store = store;
    this.#merge = merge;
    this.#onError = onError;
  }

  /** All that was taken is stored. */
  get isStored(): boolean {
    return this.#waiting.length === 0 && this.#running === null;
  }

  /** The last append failed. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  get appendedBytes(): number {
    return this.#appended;
  }

  record(update: Uint8Array): void {
    this.#waiting.push(update);
    if (this.#running === null) this.#timer ??= setTimeout(() => void this.flush(), APPEND_MS);
  }

  /** Appends what waits, now. Resolves when it is stored, or could not be. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#running !== null) await this.#running;
    if (this.#waiting.length === 0) return;
    this.#running ??= this.#append();
    await this.#running;
  }

  /** Tries no more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** One update of several; the several, where they cannot be merged: nothing is lost. [DOC-12] */
  #joined(updates: readonly Uint8Array[]): Uint8Array[] {
    try {
      return [this.#merge(updates)];
    } catch {
      return [...updates];
    }
  }

  async #append(): Promise<void> {
    const updates = this.#waiting;
    this.#waiting = [];
    try {
      await this.#store.append(this.#room, updates);
      this.#appended += updates.reduce((sum, { length }) => sum + length, 0);
      this.#failures = 0;
    } catch (error) {
      if (this.#failures++ === 0) this.#onError(error);
      this.#waiting = this.#joined([...updates, ...this.#waiting]);
    } finally {
      this.#running = null;
    }
    if (this.#waiting.length === 0) return;
    const delay = this.#failures === 0 ? APPEND_MS : Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** (this.#failures - 1));
    this.#timer ??= setTimeout(() => void this.flush(), delay);
  }
}
