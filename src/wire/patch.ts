/**
 * Patches: what changed about the top-level fields of a state, as bytes. PROTOCOL.md has them byte by byte.
 *
 * A changed value is told by what is written over it, if it is as long as it was, and else by what stands between the part
 * at its beginning and the part at its end that stay as they are: of a cursor that moves, little more than the digits.
 */
import * as encoding from "lib0/encoding";
import { FrameError, type Reader, encode, readBytes, readName, readUint, sameBytes } from "./bytes.ts";

/** The top-level fields of a state, in their order: name → value, as JSON. */
export type Fields = ReadonlyMap<string, Uint8Array>;

// what happens to a field; with its place in the state before it makes the head of the operation
const SPLICE = 0;
const SET = 1;
const REMOVE = 2;
const OVERLAY = 3;
const KINDS = 4;
/** Behind the last operation, where a head would be. */
const END = 0;
/** Bytes that one more run takes. */
const RUN_COST = 3;

/**
 * The fields of a state of one's own; what JSON does not hold is left out.
 *
 * @param known fields whose values are taken, where they are the same
 */
export function fieldsOf(state: object, known?: Fields): Map<string, Uint8Array> {
  const fields = new Map<string, Uint8Array>();
  for (const [name, each] of Object.entries(state)) {
    const value = encodeValue(each, known?.get(name));
    if (value !== undefined) fields.set(name, value);
  }
  return fields;
}

/**
 * The value of a field as JSON; undefined for what JSON leaves out, such as a function.
 *
 * @param before the value that the field had: returned where nothing changed
 * @throws TypeError for what JSON cannot hold: a BigInt, or something that contains itself
 */
export function encodeValue(value: unknown, before?: Uint8Array): Uint8Array | undefined {
  const json = JSON.stringify(value) as string | undefined;
  if (json === undefined) return undefined;
  const bytes = encode(json);
  return before !== undefined && sameBytes(before, bytes) ? before : bytes;
}

/** Whether a patch would say anything. Values are told apart as objects: the same bytes are the same object. */
export function isPatched(before: Fields, after: Fields): boolean {
  if (before.size !== after.size) return true;
  for (const [name, value] of after) if (before.get(name) !== value) return true;
  return false;
}

/** Writes the patch that leads from one set of fields to another, and returns what its reader makes of it. */
export function writePatch(encoder: encoding.Encoder, before: Fields, after: Fields): Fields {
  const fields = new Map(before);
  let place = 0;
  for (const [name, value] of before) {
    const next = after.get(name);
    if (next === undefined) {
      writeHead(encoder, place, REMOVE);
      fields.delete(name);
    } else if (next !== value) {
      if (value.length === next.length) {
        writeHead(encoder, place, OVERLAY);
        writeOverlay(encoder, value, next);
      } else {
        writeHead(encoder, place, SPLICE);
        writeSplice(encoder, value, next);
      }
      fields.set(name, next);
    }
    place++;
  }
  for (const [name, value] of after) {
    if (before.has(name)) continue;
    writeHead(encoder, 0, SET);
    encoding.writeVarString(encoder, JSON.stringify(name).slice(1, -1));
    encoding.writeVarUint8Array(encoder, value);
    fields.set(name, value);
  }
  encoding.writeVarUint(encoder, END);
  return fields;
}

/**
 * Reads a patch to its end. What it does not change is the same object as before. Throws `FrameError`. [PATCH-3]
 *
 * Fields come in their order, each at most once: two bytes that change a long field cost a copy of it.
 */
export function readPatch(from: Reader, before: Fields): Map<string, Uint8Array> {
  const names = [...before.keys()];
  const fields = new Map(before);
  for (let next = 0; ;) {
    const head = readUint(from) - 1;
    if (head < END) return fields;
    if (head % KINDS === SET) {
      fields.set(readName(readBytes(from)), readBytes(from).slice());
      continue;
    }
    const place = Math.floor(head / KINDS);
    // the fields come in their order, each once: one that lies before `next` has been passed
    const name = place < next ? undefined : names[place];
    const value = before.get(name ?? "");
    if (name === undefined || value === undefined) throw new FrameError("patch of a field that is not there");
    next = place + 1;
    if (head % KINDS === REMOVE) fields.delete(name);
    else fields.set(name, head % KINDS === SPLICE ? readSplice(from, value) : readOverlay(from, value));
  }
}

function writeHead(encoder: encoding.Encoder, place: number, kind: number): void {
  encoding.writeVarUint(encoder, place * KINDS + kind + 1);
}

function writeSplice(encoder: encoding.Encoder, before: Uint8Array, after: Uint8Array): void {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start++;
  let end = 0;
  while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  encoding.writeVarUint(encoder, start);
  encoding.writeVarUint(encoder, end);
  encoding.writeVarUint8Array(encoder, after.subarray(start, after.length - end));
}

/** Runs of what is different, each after how much is not; what is alike for less than it costs to say so is said again. */
function writeOverlay(encoder: encoding.Encoder, before: Uint8Array, after: Uint8Array): void {
  const runs: [from: number, to: number][] = [];
  for (let at = 0; at < after.length; at++) {
    if (before[at] === after[at]) continue;
    const last = runs.at(-1);
    if (last !== undefined && at - last[1] < RUN_COST) last[1] = at + 1;
    else runs.push([at, at + 1]);
  }
  encoding.writeVarUint(encoder, runs.length);
  let at = 0;
  for (const [from, to] of runs) {
    encoding.writeVarUint(encoder, from - at);
    encoding.writeVarUint8Array(encoder, after.subarray(from, to));
    at = to;
  }
}

function readOverlay(from: Reader, before: Uint8Array): Uint8Array {
  const after = before.slice();
  let at = 0;
  for (let runs = readUint(from); runs > 0; runs--) {
    at += readUint(from);
    const run = readBytes(from);
    if (at + run.length > after.length) throw new FrameError("patch of more than there is");
    after.set(run, at);
    at += run.length;
  }
  return after;
}

function readSplice(from: Reader, before: Uint8Array): Uint8Array {
  const start = readUint(from);
  const end = readUint(from);
  const middle = readBytes(from);
  if (start + end > before.length) throw new FrameError("patch of more than there is");
  const after = new Uint8Array(start + middle.length + end);
  after.set(before.subarray(0, start));
  after.set(middle, start);
  after.set(before.subarray(before.length - end), start + middle.length);
  return after;
}
