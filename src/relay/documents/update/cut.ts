/**
 * Cuts one insertion of an update in parts, as Yjs itself does when somebody writes in its middle: each part builds on the
 * one before it. What Yjs cannot divide (a binary, an embedded value, one value of a list) stays whole.
 */
import * as encoding from "lib0/encoding";
import { Allowance } from "./allowance.ts";
import { UpdateReader } from "./bytes.ts";
import { GC, ITEM_KIND, SKIP, skipAny } from "./content.ts";
import { type Run, HAS_ORIGIN, HAS_PARENT_KEY, HAS_RIGHT_ORIGIN } from "./update.ts";

const JSON_VALUES = 2;
const TEXT = 4;
const ANY_VALUES = 8;
const ANY = { maxUpdateStructs: Infinity, maxSubdocuments: Infinity };

/** A part of an insertion, as a struct of an update. */
export interface Fragment {
  readonly bytes: Uint8Array;
  /** How many clocks it takes. */
  readonly length: number;
}

/** A part of the content of an insertion. */
interface Part {
  readonly from: number;
  readonly to: number;
  /** Clocks. */
  readonly length: number;
}

/**
 * @param index which struct of the run
 * @param maxBytes how long the content of a part may be
 * @returns one fragment, where it cannot be cut
 */
export function cutStruct(run: Run, index: number, maxBytes: number): readonly Fragment[] {
  const { bytes, client } = run;
  const start = run.offsets[index] ?? 0;
  const end = run.offsets[index + 1] ?? start;
  const clock = run.clocks[index] ?? 0;
  const whole = [{ bytes: bytes.subarray(start, end), length: (run.clocks[index + 1] ?? clock) - clock }];
  const from = new UpdateReader(bytes);
  from.at = start;
  const info = from.byte();
  const kind = info & ITEM_KIND;
  if (info === GC || info === SKIP || (kind !== TEXT && kind !== JSON_VALUES && kind !== ANY_VALUES)) return whole;
  const rightOrigin = skipHead(from, info);
  const contentAt = from.at;
  const parts = kind === TEXT ? cutText(from, maxBytes) : cutValues(from, kind, maxBytes);
  if (parts.length < 2) return whole;
  let next = clock;
  return parts.map((part, i) => {
    const fragment = encoding.encode((encoder) => {
      if (i === 0) encoding.writeUint8Array(encoder, bytes.subarray(start, contentAt));
      else {
        encoding.writeUint8(encoder, info | HAS_ORIGIN);
        encoding.writeVarUint(encoder, client);
        encoding.writeVarUint(encoder, next - 1);
        encoding.writeUint8Array(encoder, rightOrigin);
      }
      encoding.writeVarUint(encoder, kind === TEXT ? part.to - part.from : part.length);
      encoding.writeUint8Array(encoder, bytes.subarray(part.from, part.to));
    });
    next += part.length;
    return { bytes: fragment, length: part.length };
  });
}

/** Reads what comes before the content. Returns the bytes of what it builds on to its right, none where it does not. */
function skipHead(from: UpdateReader, info: number): Uint8Array {
  const hasOrigin = (info & HAS_ORIGIN) !== 0;
  const hasRightOrigin = (info & HAS_RIGHT_ORIGIN) !== 0;
  if (hasOrigin) skipId(from);
  const at = from.at;
  if (hasRightOrigin) skipId(from);
  const rightOrigin = from.bytes.subarray(at, from.at);
  if (!hasOrigin && !hasRightOrigin) {
    if (from.uint() === 1) from.skipText();
    else skipId(from);
    if ((info & HAS_PARENT_KEY) !== 0) from.skipText();
  }
  return rightOrigin;
}

function skipId(from: UpdateReader): void {
  from.uint();
  from.uint();
}

/** Yjs counts a text in UTF-16 units, and would spoil a character of two of them that is cut in its middle. */
function cutText(from: UpdateReader, maxBytes: number): Part[] {
  const length = from.uint();
  const end = from.at + length;
  const parts: Part[] = [];
  let at = from.at;
  while (at < end) {
    let to = Math.min(end, at + maxBytes);
    while (to < end && isContinuation(from.bytes[to])) to--;
    let units = 0;
    for (let i = at; i < to; i++) {
      const byte = from.bytes[i] ?? 0;
      if (!isContinuation(byte)) units += byte >= 0xf0 ? 2 : 1;
    }
    parts.push({ from: at, to, length: units });
    at = to;
  }
  return parts;
}

/** Whether a byte of UTF-8 goes on with a character that has begun before it. */
function isContinuation(byte = 0): boolean {
  return byte >> 6 === 2;
}

function cutValues(from: UpdateReader, kind: number, maxBytes: number): Part[] {
  const allowance = new Allowance(ANY);
  const count = from.uint();
  const parts: Part[] = [];
  let part = { from: from.at, to: from.at, length: 0 };
  for (let i = 0; i < count; i++) {
    const at = from.at;
    if (kind === JSON_VALUES) from.skipText();
    else skipAny(from, allowance, 0);
    if (part.length > 0 && from.at - part.from > maxBytes) {
      parts.push(part);
      part = { from: at, to: at, length: 0 };
    }
    part.to = from.at;
    part.length++;
  }
  parts.push(part);
  return parts;
}
