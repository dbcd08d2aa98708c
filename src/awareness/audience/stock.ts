/** A message of whole states, as stock clients get them. */
import { type EncodedEntries, type Entry, awarenessFrame, layOut, replaceEntries } from "../../wire/index.ts";
import type { StateUpdate } from "./updates.ts";

export class WholeStates {
  readonly frame: Uint8Array;
  readonly encoded: EncodedEntries;

  constructor(updates: readonly StateUpdate[]) {
    this.encoded = layOut(updates.map(entryOf));
    this.frame = awarenessFrame(this.encoded.payload);
  }

  /** The same message with other entries in some places. */
  withOverrides(overrides: ReadonlyMap<number, StateUpdate>): Uint8Array {
    const entries = new Map([...overrides].map(([place, update]) => [place, entryOf(update)]));
    return awarenessFrame(replaceEntries(this.encoded, entries));
  }
}

function entryOf({ publication, clock, state }: StateUpdate): Entry {
  return { id: publication.id, clock, state: state?.whole ?? null };
}
