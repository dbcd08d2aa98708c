/**
 * What was taken of one document and has still to be stored. Updates are appended in groups, one append at a time; what
 * cannot be stored is kept, and tried again. [STORE-3] [STORE-5]
 */
import { backOff } from "../../util/back-off.ts";

/** So long updates are gathered before they are appended together, ms. */
export const APPEND_MS = 100;

export class Journal {
  readonly #store: (updates: readonly Uint8Array[]) => Promise<void>;
  readonly #merge: (updates: readonly Uint8Array[]) => Uint8Array;
  readonly #onError: (error: unknown) => void;
  #waiting: Uint8Array[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | null = null;
  #failures = 0;

  /**
   * @param store appends to what is stored of the document
   * @param merge makes one update of several: what a store could not take for long is given to it as one
   * @param onError told of the first failure of several in a row
   */
  constructor(
    store: (updates: readonly Uint8Array[]) => Promise<void>,
    merge: (updates: readonly Uint8Array[]) => Uint8Array,
    onError: (error: unknown) => void,
  ) {
    this.#store = store;
    this.#merge = merge;
    this.#onError = onError;
  }

  /** All that was taken is stored. */
  get isStored(): boolean {
    return this.#waiting.length === 0 && this.#running === null;
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
      await this.#store(updates);
      this.#failures = 0;
    } catch (error) {
      if (this.#failures++ === 0) this.#onError(error);
      this.#waiting = this.#joined([...updates, ...this.#waiting]);
    } finally {
      this.#running = null;
    }
    if (this.#waiting.length === 0) return;
    const delay = this.#failures === 0 ? APPEND_MS : backOff(this.#failures - 1);
    this.#timer ??= setTimeout(() => void this.flush(), delay);
  }
}
