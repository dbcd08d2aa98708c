/**
 * The states of a room as its clients are told of them, when they take patches: each state once whole, under a short
 * name, and from then on what changes about it.
 */
import * as encoding from "lib0/encoding";
import { FrameError, expectEnd, readUint, reader } from "./bytes.ts";
import { statesFrame } from "./frame.ts";
import { type Fields, readPatch, writePatch } from "./patch.ts";

// what is said of a state; with its short name it makes the head of an entry
const CHANGED = 0;
const WHOLE = 1;
const GONE = 2;
const KINDS = 3;

const NOTHING: Fields = new Map();

/** A message of states; null if nothing is said in it. */
export function encodeStates(write: (writer: StatesWriter) => void): Uint8Array | null {
  const encoder = encoding.createEncoder();
  let count = 0;
  const head = (name: number, kind: number): void => {
    count++;
    encoding.writeVarUint(encoder, name * KINDS + kind);
  };
  write({
    whole(name, clientId, fields) {
      head(name, WHOLE);
      encoding.writeVarUint(encoder, clientId);
      return writePatch(encoder, NOTHING, fields);
    },
    changed(name, before, after) {
      head(name, CHANGED);
      return writePatch(encoder, before, after);
    },
    gone: (name) => head(name, GONE),
  });
  return count === 0 ? null : statesFrame(count, encoding.toUint8Array(encoder));
}

export interface StatesWriter {
  /** @returns the fields as the reader has them from now on */
  whole(name: number, clientId: number, fields: Fields): Fields;
  /** @returns the fields as the reader has them from now on */
  changed(name: number, before: Fields, after: Fields): Fields;
  gone(name: number): void;
}

/** What a reader learns of a client: its fields, and those before; null: it is gone. */
export interface StateDelta {
  readonly id: number;
  readonly fields: Fields | null;
  /** The fields as they were told before, on this connection. */
  readonly before: Fields;
}

/** Reads what one connection is told. */
export class StatesReader {
  readonly #known = new Map<number, { readonly id: number; readonly fields: Fields }>();

  /** Reads a message whole, or throws `FrameError` and takes none of it. */
  read(payload: Uint8Array): StateDelta[] {
    const from = reader(payload);
    const news = new Map<number, StateDelta>();
    for (let count = readUint(from); count > 0; count--) {
      const head = readUint(from);
      const name = Math.floor(head / KINDS);
      const known = news.get(name) ?? this.#known.get(name);
      const before = known?.fields ?? NOTHING;
      const kind = head % KINDS;
      if (kind === WHOLE) news.set(name, { id: readUint(from), fields: readPatch(from, NOTHING), before });
      else if (known !== undefined) {
        news.set(name, { id: known.id, fields: kind === GONE ? null : readPatch(from, before), before });
      } else if (kind !== GONE) throw new FrameError("change of an unknown state");
    }
    expectEnd(from);
    for (const [name, { id, fields }] of news) {
      if (fields === null) this.#known.delete(name);
      else this.#known.set(name, { id, fields });
    }
    return [...news.values()];
  }
}
