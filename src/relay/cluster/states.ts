/**
 * The states of the clients that are connected to one relay, as it tells them to other relays: each once whole, then its changes. [BUS-5]
 */
import * as encoding from "lib0/encoding";
import * as decoding from "lib0/decoding";
import type { RemoteState } from "../../awareness/index.ts";
import type { StateUpdate } from "../../awareness/audience/index.ts";
import {
  type Fields,
  FrameError,
  type Mark,
  StateBytes,
  readBytes,
  json,
  readText,
  readUint,
  reader,
  text,
} from "../../wire/index.ts";

const MARKS: readonly Mark[] = ["clear", "reconnecting", "silent"];
const GONE = 1;
const WHOLE = 2;
const STOCK = 4;
const KNOWN_USER = 8;
/** The mark is in the bits from here on. */
const MARK_SHIFT = 4;

/** Bounds of a state, somewhat above those of a client's own (WIRE-5), since its relay adds who it is from. [BUS-43] */
const MAX_DEPTH = 64;
const MAX_FIELDS = 300;

const NO_FIELDS: Fields = new Map();

/** Writes the states of one room for other relays, and remembers what they were told. */
export class StatesWriter {
  readonly #told = new Map<number, Fields>();

  /** Writes what is new in these updates; null: they hold nothing that this relay has to tell. @param now monotonic ms */
  changes(updates: readonly StateUpdate[], now: number): Uint8Array | null {
    return this.#encode(updates, now, false);
  }

  /** Writes all states, for a relay that knows nothing. */
  whole(updates: readonly StateUpdate[], now: number): Uint8Array {
    // the next changes go to all relays: a state that is not in this answer has to be told whole then, though other relays know it
    const named = new Set(updates.map(({ publication }) => publication.id));
    for (const id of this.#told.keys()) if (!named.has(id)) this.#told.delete(id);
    return this.#encode(updates, now, true) ?? Uint8Array.of(0);
  }

  /** No relay is left that was told anything. */
  clear(): void {
    this.#told.clear();
  }

  #encode(updates: readonly StateUpdate[], now: number, isWhole: boolean): Uint8Array | null {
    const records = encoding.createEncoder();
    let count = 0;
    for (const update of updates) if (this.#write(records, update, now, isWhole)) count++;
    if (count === 0) return null;
    return encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, count);
      encoding.writeBinaryEncoder(encoder, records);
    });
  }

  #write(
    encoder: encoding.Encoder,
    { publication, clock, state }: StateUpdate,
    now: number,
    isWhole: boolean,
  ): boolean {
    const { id, entry } = publication;
    if (state === null || entry === null || entry.isRemote) {
      // where a client speaks through another relay now, that relay tells of it
      if (!this.#told.delete(id) || entry?.isRemote === true) return false;
      encoding.writeVarUint(encoder, id);
      encoding.writeUint8(encoder, GONE);
      encoding.writeVarUint(encoder, 0);
      return true;
    }
    const known = isWhole ? undefined : this.#told.get(id);
    const mark = MARKS.indexOf(entry.mark) << MARK_SHIFT;
    encoding.writeVarUint(encoder, id);
    encoding.writeUint8(
      encoder,
      (known === undefined ? WHOLE : 0) |
        (entry.isStock ? STOCK : 0) |
        (known === undefined && entry.user !== null ? KNOWN_USER : 0) |
        mark,
    );
    encoding.writeVarUint(encoder, Math.max(0, Math.round(now - entry.lastSeen)));
    encoding.writeVarUint(encoder, clock);
    encoding.writeVarUint(encoder, entry.clock);
    encoding.writeVarUint(encoder, entry.heldAt);
    if (known === undefined) {
      encoding.writeVarString(encoder, entry.lobby);
      if (entry.user !== null) encoding.writeVarString(encoder, entry.user);
    }
    writeFields(encoder, known ?? NO_FIELDS, state.fields);
    this.#told.set(id, state.fields);
    return true;
  }
}

function writeFields(encoder: encoding.Encoder, known: Fields, fields: Fields): void {
  const set = [...fields].filter(([name, value]) => known.get(name) !== value);
  const removed = [...known.keys()].filter((name) => !fields.has(name));
  encoding.writeVarUint(encoder, set.length);
  for (const [name, value] of set) {
    encoding.writeVarString(encoder, name);
    encoding.writeVarUint8Array(encoder, value);
  }
  encoding.writeVarUint(encoder, removed.length);
  for (const name of removed) encoding.writeVarString(encoder, name);
}

interface Known {
  readonly fields: Fields;
  readonly lobby: string;
  readonly user: string | null;
}

/** Reads what another relay tells of the states in one room, and remembers it. */
export class RemoteStatesReader {
  #known = new Map<number, Known>();

  /** The ids that it has told of. */
  get ids(): ReadonlySet<number> {
    return new Set(this.#known.keys());
  }

  clear(): void {
    this.#known.clear();
  }

  /** Reads a message. Throws `FrameError`. @param now monotonic ms */
  read(body: Uint8Array, now: number): RemoteState[] {
    const from = reader(body);
    const states: RemoteState[] = [];
    for (let left = readUint(from); left > 0; left--) {
      const id = readUint(from);
      const flags = decoding.readUint8(from);
      const lastSeen = now - readUint(from);
      states.push((flags & GONE) === 0 ? this.#readState(from, id, flags, lastSeen) : this.#gone(id, lastSeen));
    }
    return states;
  }

  #gone(id: number, lastSeen: number): RemoteState {
    this.#known.delete(id);
    return goneState(id, lastSeen);
  }

  #readState(from: decoding.Decoder, id: number, flags: number, lastSeen: number): RemoteState {
    const [clock, authorClock, heldAt] = [readUint(from), readUint(from), readUint(from)];
    const isWhole = (flags & WHOLE) !== 0;
    const known: Known | undefined = isWhole
      ? { fields: NO_FIELDS, lobby: readText(from), user: (flags & KNOWN_USER) === 0 ? null : readText(from) }
      : this.#known.get(id);
    if (known === undefined) throw new FrameError("a change of a state that is not known");
    const fields = new Map(known.fields);
    for (let left = readUint(from); left > 0; left--) fields.set(readText(from), readValue(from));
    if (fields.size > MAX_FIELDS) throw new FrameError("a state of too many fields");
    for (let left = readUint(from); left > 0; left--) fields.delete(readText(from));
    this.#known.set(id, { ...known, fields });
    return {
      id,
      clock,
      authorClock,
      heldAt,
      mark: MARKS[(flags >> MARK_SHIFT) & 3] ?? "clear",
      lastSeen,
      isStock: (flags & STOCK) !== 0,
      user: known.user,
      lobby: known.lobby,
      state: new StateBytes(fields),
    };
  }
}

/** Reads the value of a field. Clients get its bytes as they are, so they have to be sound JSON, as those of a client. */
function readValue(from: decoding.Decoder): Uint8Array {
  const value = readBytes(from).slice();
  json(text(value), MAX_DEPTH);
  return value;
}

/** Says that an id has left. */
export function goneState(id: number, lastSeen: number): RemoteState {
  return {
    id,
    clock: 0,
    authorClock: 0,
    heldAt: 0,
    mark: "clear",
    lastSeen,
    isStock: false,
    user: null,
    lobby: "",
    state: null,
  };
}
