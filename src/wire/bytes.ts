/**
 * Reading bytes that somebody else wrote.
 *
 * lib0 reads overlong integers as Infinity or NaN, and would write Infinity without end. So numbers and bounds are
 * checked here (on a pooled Buffer, a neighbour's memory is never far), and all that is wrong with a frame is said as
 * one kind of error.
 */
import { MALFORMED } from "./close.ts";
import * as decoding from "lib0/decoding";

/** A frame that breaks the protocol; `message` says how, in words fit for a close reason. */
export class FrameError extends Error {
  override readonly name = "FrameError";
  /** The close code that ends the connection which sent the frame. */
  readonly code: number;

  constructor(message: string, code: number = MALFORMED) {
    super(message);
    this.code = code;
  }
}

// a byte order mark is text to stock clients: were it dropped here, JSON that they cannot read would be passed on to them
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const QUOTE = 0x22;

const encoder = new TextEncoder();

/** A text as UTF-8. */
export function encode(source: string): Uint8Array {
  return encoder.encode(source);
}

export type Reader = decoding.Decoder;

export function reader(bytes: Uint8Array): Reader {
  return decoding.createDecoder(bytes);
}

export function readUint(from: Reader): number {
  let value = NaN;
  try {
    value = decoding.readVarUint(from);
  } catch {
    // truncated, or found out of range early: no integer either
  }
  if (!Number.isSafeInteger(value)) throw new FrameError("truncated or oversized integer");
  return value;
}

/** A view on the next length-prefixed bytes; copy it to keep it. */
export function readBytes(from: Reader): Uint8Array {
  const length = readUint(from);
  if (length > from.arr.length - from.pos) throw new FrameError("truncated bytes");
  const bytes = from.arr.subarray(from.pos, from.pos + length);
  from.pos += length;
  return bytes;
}

/** A view on all that is left. */
export function readRest(from: Reader): Uint8Array {
  const bytes = from.arr.subarray(from.pos);
  from.pos = from.arr.length;
  return bytes;
}

export function readText(from: Reader): string {
  return text(readBytes(from));
}

export function text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new FrameError("invalid UTF-8");
  }
}

/** JSON has what comes before only as escapes. */
const FIRST_PRINTABLE = 0x20;
const BACKSLASH = 0x5c;

/**
 * The name of a field, written as JSON without the quotes around it. UTF-8 alone would not do: a name may hold half of a
 * surrogate pair, which has no bytes of its own.
 */
export function readName(bytes: Uint8Array): string {
  const source = text(bytes);
  // an escape, or what would have to be one
  const isPlain = bytes.every((byte) => byte >= FIRST_PRINTABLE && byte !== BACKSLASH && byte !== QUOTE);
  return isPlain ? source : String(json(`"${source}"`, 0));
}

export function expectEnd(from: Reader): void {
  if (from.pos !== from.arr.length) throw new FrameError("bytes after the end of the message");
}

/** Parses JSON, at most `maxDepth` levels deep: deeper values overflow the stack of the code that walks them. */
export function json(source: string, maxDepth: number): unknown {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    throw new FrameError("invalid JSON");
  }
  if (isDeeper(value, maxDepth)) throw new FrameError("JSON nested too deep");
  return value;
}

/** Whether a value has more levels of objects and lists. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const key in value) if (isDeeper((value as Record<string, unknown>)[key], levels - 1)) return true;
  return false;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** How many bytes `writeUint` takes. */
export function uintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

/** Writes a lib0 varUint, and returns where it ends. */
export function writeUint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let end = at;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[end++] = 128 | (rest % 128);
  bytes[end++] = rest;
  return end;
}
