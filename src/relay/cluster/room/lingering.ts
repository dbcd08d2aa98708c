/**
 * Keeps a room open in which this relay has no client any more, for as long as other relays need something of it: what was written to
 * its document and is not stored yet, or word of sessions that have moved to another relay.
 */
import type { StateUpdate } from "../../../awareness/audience/index.ts";
import type { Unsubscribe } from "../../../presence/index.ts";
import { HANDED_OVER_MS } from "../../core/grace/handed-over.ts";

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
  /** Sessions that have moved to another relay, the longest ago first. */
  #moved: Moved[] = [];

  constructor(host: LingeringHost) {
    this.#host = host;
  }

  /** Something was written to the document: other relays can ask for it here until the store has it. [BUS-37] */
  edited(): void {
    if (!this.#host.isStored()) this.#hold();
  }

  /** Keeps back the updates by which sessions that have moved leave. Returns the others, to be told at once. */
  withoutMoved(updates: readonly StateUpdate[], now: number): readonly StateUpdate[] {
    const moved = updates.filter(({ publication, state }) => state === null && publication.isElsewhere);
    if (moved.length === 0) return updates;
    for (const update of moved) this.#moved.push({ update, at: now });
    this.#hold();
    return updates.filter((update) => !moved.includes(update));
  }

  /** The updates that were kept back for so long that the others have heard of the move, but none of a session that has come back. [BUS-36] */
  takeMoved(now: number): readonly StateUpdate[] {
    if (this.#moved.length === 0) return [];
    const due = this.#moved.filter(({ at }) => now - at >= HANDED_OVER_MS);
    if (due.length === 0) return [];
    this.#moved = this.#moved.slice(due.length);
    return due.flatMap(({ update }) => (update.publication.entry === null ? [update] : []));
  }

  /** Lets the room go if nothing of it is needed any more. */
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
