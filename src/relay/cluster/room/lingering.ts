/**
 * What a relay owes the others of a room in which nobody of its own is any more. Until that is done the room stays open here.
 */
import type { StateUpdate } from "../../../awareness/audience/index.ts";
import type { Unsubscribe } from "../../../presence/index.ts";

/** So long the others are not told that those have left who speak through another relay now, ms: they hear of that first. [BUS-36] */
const MOVED_MS = 1_000;

export interface LingeringHost {
  /** Keeps the room open. Returns the undo. */
  hold(): Unsubscribe;
  /** Whether the store has all that was written to the document here. */
  isStored(): boolean;
}

interface Moved {
  readonly update: StateUpdate;
  /** Monotonic ms. */
  readonly at: number;
}

export class Lingering {
  readonly #host: LingeringHost;
  #release: Unsubscribe | null = null;
  /** Those who speak through another relay now, the longest ago first. */
  #moved: Moved[] = [];

  constructor(host: LingeringHost) {
    this.#host = host;
  }

  /** Something was written to the document: other relays can ask for it here until the store has it. [BUS-37] */
  edited(): void {
    if (!this.#host.isStored()) this.#hold();
  }

  /** Of what is new, what the others are told at once. */
  withoutMoved(updates: readonly StateUpdate[], now: number): readonly StateUpdate[] {
    const moved = updates.filter(({ publication, state }) => state === null && publication.isElsewhere);
    if (moved.length === 0) return updates;
    for (const update of moved) this.#moved.push({ update, at: now });
    this.#hold();
    return updates.filter((update) => !moved.includes(update));
  }

  /** Whose leave is to be told now: those who moved long enough ago, and have not come back. */
  takeMoved(now: number): readonly StateUpdate[] {
    const due = this.#moved.filter(({ at }) => now - at >= MOVED_MS);
    if (due.length === 0) return [];
    this.#moved = this.#moved.slice(due.length);
    return due.flatMap(({ update }) => (update.publication.entry === null ? [update] : []));
  }

  /** Lets the room go if nothing is owed any more. */
  settle(): void {
    if (this.#release !== null && this.#moved.length === 0 && this.#host.isStored()) this.end();
  }

  end(): void {
    const release = this.#release;
    this.#release = null;
    release?.();
  }

  #hold(): void {
    this.#release ??= this.#host.hold();
  }
}
