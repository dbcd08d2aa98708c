/**
 * Awareness updates as bytes: a list of (client id, clock, state). The state stays the bytes its author wrote, so that
 * nobody on the way encodes it again.
 */
import { TOO_LARGE } from "./close.ts";
import { FrameError, expectEnd, readBytes, readUint, reader, sameBytes, uintLength, writeUint } from "./bytes.ts";

export interface Entry {
  readonly id: number;
  readonly clock: number;
  /** The state as UTF-8 JSON; `null` says that the client has none (any more). */
  readonly state: Uint8Array | null;
}

export interface EntryLimits {
  /** Largest state, in bytes. */
  readonly maxStateBytes: number;
  /** Most entries in one update. */
  readonly maxEntries: number;
}

/**
 * The highest clock that is taken. A clock counts the changes of one client, so an honest one never gets there; one at
 * the end of the number range would lock its id for ever. [WIRE-5]
 */
export const MAX_CLOCK: number = 2 ** 48;
/**
 * The highest clock that may be heard. The relay's own clock for an id may pass that of the id's owner, and a client that
 * says back what it was told does nothing wrong. [WIRE-5]
 */
const MAX_ECHOED_CLOCK = 2 * MAX_CLOCK;

/** Throws `FrameError` for a clock that nobody may give their own state. */
export function checkClock(clock: number, max: number = MAX_CLOCK): void {
  if (clock > max) throw new FrameError("awareness clock out of range");
}

const NULL: Uint8Array = new TextEncoder().encode("null");

/**
 * Reads an awareness update whole, or throws `FrameError` and takes none of it. The states are views on `payload`.
 *
 * @param select says of each entry whether it is returned; default: all are
 */
export function decodeEntries(
  payload: Uint8Array,
  limits: EntryLimits,
  select: (id: number, clock: number, isGone: boolean) => boolean = () => true,
): Entry[] {
  const from = reader(payload);
  const count = readUint(from);
  if (count > limits.maxEntries) throw new FrameError(`more than ${limits.maxEntries} awareness states`);
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    const id = readUint(from);
    const clock = readUint(from);
    checkClock(clock, MAX_ECHOED_CLOCK);
    const state = readBytes(from);
    if (state.length > limits.maxStateBytes) throw new StateTooLargeError(limits.maxStateBytes);
    const isGone = isNull(state);
    if (!select(id, clock, isGone)) continue;
    checkClock(clock);
    entries.push({ id, clock, state: isGone ? null : state });
  }
  expectEnd(from);
  return entries;
}

/** How many entries an awareness update has, and where the first begins. Throws `FrameError`. */
export function countEntries(payload: Uint8Array): { readonly count: number; readonly from: number } {
  const reading = reader(payload);
  return { count: readUint(reading), from: reading.pos };
}

/** A state is too large: its connection is closed with 4413. [WIRE-3] */
export class StateTooLargeError extends FrameError {
  constructor(maxBytes: number, what = "awareness state") {
    super(`${what} larger than ${maxBytes} bytes`, TOO_LARGE);
  }
}

/** A session's metadata is above its limit: its connection is closed in the same way. [LIMIT-4] */
export class MetaTooLargeError extends StateTooLargeError {
  constructor(maxMetaBytes: number) {
    super(maxMetaBytes, "session metadata");
  }
}

function isNull(state: Uint8Array): boolean {
  return state.length === 4 && sameBytes(state, NULL);
}

/** An awareness update as bytes, and where each entry begins in it. */
export interface EncodedEntries {
  readonly payload: Uint8Array;
  /** The offset of each entry, and of the end. */
  readonly offsets: readonly number[];
}

/** The same update with some entries replaced, by their place in it. */
export function replaceEntries(
  { payload, offsets }: EncodedEntries,
  replacements: ReadonlyMap<number, Entry>,
): Uint8Array {
  const pieces: Uint8Array[] = [payload.subarray(0, offsets[0])];
  for (const [i, from] of offsets.entries()) {
    const replacement = replacements.get(i);
    if (replacement === undefined) pieces.push(payload.subarray(from, offsets[i + 1]));
    // without the count in front, which is 1
    else pieces.push(encodeEntries([replacement]).subarray(1));
  }
  return concat(pieces);
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

export function encodeEntries(entries: readonly Entry[]): Uint8Array {
  return layOut(entries).payload;
}

export function layOut(entries: readonly Entry[]): EncodedEntries {
  let length = uintLength(entries.length);
  for (const { id, clock, state } of entries) {
    const size = (state ?? NULL).length;
    length += uintLength(id) + uintLength(clock) + uintLength(size) + size;
  }
  const payload = new Uint8Array(length);
  const offsets: number[] = [];
  let at = writeUint(payload, 0, entries.length);
  for (const { id, clock, state } of entries) {
    const bytes = state ?? NULL;
    offsets.push(at);
    at = writeUint(payload, at, id);
    at = writeUint(payload, at, clock);
    at = writeUint(payload, at, bytes.length);
    payload.set(bytes, at);
    at += bytes.length;
  }
  offsets.push(at);
  return { payload, offsets };
}
