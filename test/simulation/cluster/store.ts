/** A simulated store that all relays share: it takes its time, is away for a while, and says what it acknowledged. */
import { compactDocument } from "../../../src/relay/documents/stored/compact.ts";
import type { DocumentStore, Position, StoredDocument } from "../../../src/relay/ports/stores/document-store.ts";
import { MemoryDocumentStore } from "../../../src/relay/store/memory.ts";
import type { Actor, VirtualClock } from "../clock.ts";
import type { Random } from "../random.ts";

const WORK_MS = 20;

export class SharedStore {
  readonly kept: MemoryDocumentStore = new MemoryDocumentStore();
  readonly #clock: VirtualClock;
  readonly #random: Random;
  isDown = false;
  /** Told of each update that is stored. */
  onStored: (room: string, updates: readonly Uint8Array[]) => void = () => {};

  constructor(clock: VirtualClock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The store as one relay reaches it: what a relay asked for that is dead by then is done, and nobody is told. */
  of(actor: Actor): DocumentStore {
    const { kept } = this;
    return {
      load: (room, signal) => this.#do(actor, () => kept.load(room, signal)),
      append: async (room, updates) => {
        const copies = updates.map((update) => update.slice());
        const position = await this.#do(actor, () => kept.append(room, copies));
        this.onStored(room, copies);
        return position;
      },
      compact: (room, snapshot, upTo) => this.#do(actor, () => kept.compact(room, snapshot, upTo)),
    };
  }

  /** One relay compacts a document, and may be killed between its read and its write, or overtaken. */
  async compact(room: string, actor: Actor): Promise<void> {
    const store = this.of(actor);
    const stored: StoredDocument | null = await store.load(room, new AbortController().signal);
    if (stored === null || stored.updates.length === 0) return;
    await this.#wait(actor, this.#random.int(1, 2_000));
    await store.compact(room, compactDocument({ ...stored, keepsHistory: false }), stored.position);
  }

  #wait(actor: Actor, ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(ms, () => this.#clock.as(actor, resolve)));
  }

  #do<T extends Position | boolean | StoredDocument | null>(actor: Actor, act: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const answer = (tell: () => void): void =>
        this.#clock.after(this.#random.int(1, WORK_MS), () => this.#clock.as(actor, tell));
      const work = async (): Promise<void> => {
        try {
          if (this.isDown) throw new Error("the store is away");
          const value = await act();
          answer(() => resolve(value));
        } catch (error) {
          answer(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
      };
      this.#clock.after(this.#random.int(1, WORK_MS), () => void work());
    });
  }
}
