/**
 * Awareness updates as bytes: a list of (client id, clock, state). The state stays the bytes its author wrote, so that
 * nobody on the way encodes it again.
 */
import * as encoding from "lib0/encoding";
import { FrameError, expectEnd, json, readBytes, readUint, reader, text } from "./bytes.ts";

export interface Entry {
  readonly id: number;
  readonly clock: number;
  /** The state as UTF-8 JSON; `null` says that the client has none (any more). */
  readonly state: Uint8Array | null;
}

/** An entry with its state parsed. */
export interface ParsedEntry extends Entry {
  readonly value: Readonly<Record<string, unknown>> | null;
}

export interface EntryLimits {
  /** Largest state, in bytes. */
  readonly maxStateBytes: number;
  /** Most entries in one update. */
  readonly maxEntries: number;
}

/**
 * The highest clock that is taken. A clock counts the changes of one client, so an honest one never gets there; one at
 * the end of the number range would lock its id for ever.
 */
export const MAX_CLOCK: number = 2 ** 48;

/** Levels of nesting in a state: more than any state needs, and few enough for every reader's stack. */
export const MAX_DEPTH = 64;

const NULL: Uint8Array = new TextEncoder().encode("null");

/**
 * Reads an awareness update whole, or throws `FrameError` and takes none of it. The states are views on `payload`.
 */
export function decodeEntries(payload: Uint8Array, limits: EntryLimits): Entry[] {
  const from = reader(payload);
  const count = readUint(from);
  if (count > limits.maxEntries) throw new FrameError(`more than ${limits.maxEntries} awareness states`);
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const id = readUint(from);
    const clock = readUint(from);
    if (clock > MAX_CLOCK) throw new FrameError("awareness clock out of range");
    const state = readBytes(from);
    if (state.length > limits.maxStateBytes) throw new StateTooLargeError(limits.maxStateBytes);
    entries.push({ id, clock, state: isNull(state) ? null : state });
  }
  expectEnd(from);
  return entries;
}

export class StateTooLargeError extends FrameError {
  constructor(maxStateBytes: number) {
    super(`awareness state larger than ${maxStateBytes} bytes`);
  }
}

/** Parses the state of an entry: an object, or nothing. Throws `FrameError`. */
export function parseEntry(entry: Entry): ParsedEntry {
  if (entry.state === null) return { ...entry, value: null };
  const value = json(text(entry.state), MAX_DEPTH);
  if (value === null) return { ...entry, state: null, value: null };
  if (typeof value !== "object" || Array.isArray(value)) throw new FrameError("awareness state is not an object");
  return { ...entry, value: value as Readonly<Record<string, unknown>> };
}

function isNull(state: Uint8Array): boolean {
  return state.length === 4 && NULL.every((byte, i) => state[i] === byte);
}

export function encodeEntries(entries: readonly Entry[]): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, entries.length);
    for (const { id, clock, state } of entries) {
      encoding.writeVarUint(encoder, id);
      encoding.writeVarUint(encoder, clock);
      encoding.writeVarUint8Array(encoder, state ?? NULL);
    }
  });
}
