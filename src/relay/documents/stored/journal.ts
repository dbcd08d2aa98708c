/**
 * What was taken of one document and has still to be stored. Updates are appended at once, but one append at a time: what
 * comes meanwhile is appended together. What cannot be stored is kept, and tried again. [STORE-3] [STORE-5]
 */
import { backOff } from "../../util/back-off.ts";
import { immediate } from "../../util/immediate.ts";

/** Updates that are appended together, or will be. */
interface Group {
  readonly tried: Promise<void>;
  readonly resolve: () => void;
}

export class Journal {
  readonly #store: (updates: readonly Uint8Array[]) => Promise<void>;
  readonly #merge: (updates: readonly Uint8Array[]) => Uint8Array;
  readonly #onError: (error: unknown) => void;
  #waiting: Uint8Array[] = [];
  #group: Group | null = null;
  /** Undoes what was planned. */
  #cancel: (() => void) | undefined;
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

  /** Has an update stored. The promise resolves once it is, or could not be; null: the store fails at present, and nobody is to wait for it. */
  record(update: Uint8Array): Promise<void> | null {
    this.#waiting.push(update);
    if (this.#failures > 0) return null;
    this.#group ??= newGroup();
    if (this.#running === null) this.#cancel ??= immediate(() => void this.flush());
    return this.#group.tried;
  }

  /** Appends what waits, now. Resolves when it is stored, or could not be. */
  async flush(): Promise<void> {
    this.stop();
    if (this.#running !== null) {
      await this.#running;
      // what was planned meanwhile is done now
      this.stop();
    }
    if (this.#waiting.length === 0) return;
    this.#running ??= this.#append();
    await this.#running;
  }

  /** Tries no more. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** One update of several; the several, where they cannot be merged: nothing is lost. [DOC-12] */
  #joined(updates: readonly Uint8Array[]): Uint8Array[] {
    try {
      return [this.#merge(updates)];
    } catch {
      return [...updates];
    }
  }

  #takeGroup(): Group | null {
    const group = this.#group;
    this.#group = null;
    return group;
  }

  async #append(): Promise<void> {
    const updates = this.#waiting;
    const group = this.#takeGroup();
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
    group?.resolve();
    if (this.#waiting.length === 0) return;
    if (this.#failures === 0) return void (this.#cancel ??= immediate(() => void this.flush()));
    // nobody waits for a store that fails
    this.#takeGroup()?.resolve();
    const timer = setTimeout(() => void this.flush(), backOff(this.#failures - 1));
    this.#cancel = () => clearTimeout(timer);
  }
}

function newGroup(): Group {
  let resolve = (): void => {};
  const tried = new Promise<void>((done) => (resolve = done));
  return { tried, resolve };
}
