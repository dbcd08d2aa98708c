/**
 * What native observers have been told of a room's states. All of them have been told the same, so one message of patches
 * is for all. [PATCH-1] [PATCH-2]
 */
import { type Fields, NO_STATES_FRAME, encodeStates, isPatched } from "../../wire/index.ts";
import type { NativePublication, Publication } from "../entry.ts";
import type { StateUpdate } from "./updates.ts";

export class NativeAudience {
  /** The states that all native observers have, as fields. */
  readonly #whole = new Set<NativePublication>();
  #names = 0;

  /** What all are told next; null if it is nothing new to them. */
  changes(updates: readonly StateUpdate[]): Uint8Array | null {
    return encodeStates((writer) => {
      for (const { publication, state } of updates) {
        const told = this.#toldOf(publication);
        if (state === null) {
          if (told.isHeardOf) writer.gone(told.name);
          this.#setFields(told, null);
        } else if (told.fields === null) {
          this.#setFields(told, writer.whole(told.name, publication.id, state.fields));
        } else if (isPatched(told.fields, state.fields)) {
          this.#setFields(told, writer.changed(told.name, told.fields, state.fields));
        }
        told.isHeardOf = state !== null;
      }
    });
  }

  /** What a newcomer is told: all that there is. */
  snapshot(updates: readonly StateUpdate[]): Uint8Array {
    const frame = this.whole(updates);
    const named = new Set(updates.map(({ publication }) => publication.native));
    // the newcomer is not told of an id that has just left: if the id comes back before the flush, it is told whole to all
    for (const told of this.#whole) if (!named.has(told)) this.#setFields(told, null);
    return frame;
  }

  /** What one member is told of these ids, whatever it was told before: the states as all others have them, or will have with the next changes. */
  whole(updates: readonly StateUpdate[]): Uint8Array {
    const frame = encodeStates((writer) => {
      for (const { publication, state } of updates) {
        const told = this.#toldOf(publication);
        if (state === null) {
          writer.gone(told.name);
          continue;
        }
        told.isHeardOf = true;
        writer.whole(told.name, publication.id, told.fields ?? state.fields);
      }
    });
    return frame ?? NO_STATES_FRAME;
  }

  /** Nobody is left who was told anything. */
  clear(): void {
    for (const told of this.#whole) told.fields = null;
    this.#whole.clear();
  }

  #setFields(told: NativePublication, fields: Fields | null): void {
    told.fields = fields;
    if (fields === null) this.#whole.delete(told);
    else this.#whole.add(told);
  }

  #toldOf(publication: Publication): NativePublication {
    publication.native ??= { name: this.#names++, fields: null, isHeardOf: false };
    return publication.native;
  }
}
