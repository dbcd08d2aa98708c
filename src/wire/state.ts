/**
 * Awareness states as bytes, whole and by their top-level fields. A cursor that moves changes one field of many: who
 * knows which one need not read, write or send the rest.
 */
import { FrameError, encode, expectEnd, json, readName, reader, sameBytes, text } from "./bytes.ts";
import { TOO_LARGE } from "./close.ts";
import { type Fields, readPatch } from "./patch.ts";

/** Levels of nesting in a state: more than any state needs, and few enough for every reader's stack. [WIRE-5] */
export const MAX_DEPTH = 64;

/** Fields at the top level of a state: more than any editor uses. */
export const MAX_FIELDS = 256;

/** The fields that say who a state is from: the last two are Lexical's. */
export const PERSON: ReadonlySet<string> = new Set(["user", "copresence", "name", "color"]);

/** Immutable. What is whole is split, and what is split made whole, when somebody asks. */
export class StateBytes {
  #whole: Uint8Array | undefined;
  #fields: Fields | undefined;
  #person: StateBytes | undefined;

  /** @param whole the same as its author wrote it, if that is known: an object, from its brace on */
  constructor(fields: Fields, whole?: Uint8Array) {
    this.#fields = fields;
    this.#whole = whole;
  }

  get fields(): Fields {
    this.#fields ??= splitFields(this.whole);
    return this.#fields;
  }

  /** Forgets what can be found again: a state that has not changed for long need not take twice its size. */
  fold(): void {
    if (this.#whole !== undefined) this.#fields = this.#person = undefined;
  }

  /** The same without all that is not about who it is from: no cursor, no selection. */
  get person(): StateBytes {
    this.#person ??= new StateBytes(new Map([...this.fields].filter(([name]) => PERSON.has(name))));
    return this.#person;
  }

  /** How many bytes it takes, about: without what stands between the fields. */
  get size(): number {
    let size = 0;
    for (const [name, value] of this.fields) size += name.length + value.length;
    return size;
  }

  /** As UTF-8 JSON. */
  get whole(): Uint8Array {
    this.#whole ??= joinFields(this.fields);
    return this.#whole;
  }
}

/** What a state changes about one that was known. */
export interface StateChange {
  readonly state: StateBytes;
  /** The fields that were not there or said something else before, or are there no more. */
  readonly changed: ReadonlySet<string>;
}

/**
 * Reads a state that somebody else wrote: an object, or null, and then nothing. What is the same as in the state known
 * before is known to be sound. The bytes are copied. Throws `FrameError`.
 */
export function readStateBytes(bytes: Uint8Array, known?: StateBytes): StateChange | null {
  const from = skipSpace(bytes, 0);
  if (bytes[from] !== OPEN_BRACE) return readNull(bytes);
  const whole = bytes.slice(from);
  const { fields, isPlain } = split(whole);
  // [SYNC-2] readers differ in which of two values of one name they take, so nobody is sent both
  return {
    state: new StateBytes(fields, isPlain ? whole : undefined),
    changed: checkChanges(fields, known?.fields ?? NOTHING),
  };
}

/** Reads what somebody else changes about a state. Throws `FrameError`. */
export function patchState(patch: Uint8Array, known: StateBytes): StateChange {
  const from = reader(patch);
  const fields = readPatch(from, known.fields);
  expectEnd(from);
  return changeFields(fields, known);
}

/** What other fields change about a state. Throws `FrameError`. */
export function changeFields(fields: Map<string, Uint8Array>, known: StateBytes): StateChange {
  return { state: new StateBytes(fields), changed: checkChanges(fields, known.fields) };
}

/** Gives the fields that did not change the same objects as before, checks the others, and returns the names of the others. */
function checkChanges(fields: Map<string, Uint8Array>, known: Fields): Set<string> {
  // [WIRE-7] each field costs some hundred bytes of memory, and a patch of one walks them all
  if (fields.size > MAX_FIELDS) throw new FrameError(`awareness state of more than ${MAX_FIELDS} fields`, TOO_LARGE);
  const changed = new Set<string>();
  for (const [name, value] of fields) {
    const before = known.get(name);
    if (before !== undefined && (before === value || sameBytes(before, value))) fields.set(name, before);
    else {
      json(text(value), MAX_DEPTH - 1);
      changed.add(name);
    }
  }
  for (const name of known.keys()) if (!fields.has(name)) changed.add(name);
  return changed;
}

/** The values of some fields. */
export function valuesOf(fields: Fields, ...names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = fields.get(name);
      return value === undefined ? [] : [[name, JSON.parse(text(value)) as unknown]];
    }),
  );
}

const NOTHING: Fields = new Map();
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;

function readNull(bytes: Uint8Array): null {
  if (json(text(bytes), MAX_DEPTH) !== null) throw new FrameError("awareness state is not an object");
  return null;
}

const splitFields = (bytes: Uint8Array): Map<string, Uint8Array> => split(bytes).fields;

/** Finds the fields of an object. That each value is sound by itself is for the caller to see. */
function split(bytes: Uint8Array): {
  readonly fields: Map<string, Uint8Array>;
  /** No name comes twice. */
  readonly isPlain: boolean;
} {
  let isPlain = true;
  const fields = new Map<string, Uint8Array>();
  let at = skipSpace(bytes, 1);
  if (bytes[at] === CLOSE_BRACE) at++;
  else {
    for (;;) {
      if (bytes[at] !== QUOTE) throw new FrameError("invalid JSON");
      const nameEnd = skipString(bytes, at);
      const name = readName(bytes.subarray(at + 1, nameEnd - 1));
      at = skipSpace(bytes, nameEnd);
      if (bytes[at] !== COLON) throw new FrameError("invalid JSON");
      const valueEnd = skipValue(bytes, at + 1);
      // a name said twice: of the values the last one counts, but a reader of the whole reads them all
      const before = fields.get(name);
      if (before !== undefined) {
        json(text(before), MAX_DEPTH - 1);
        isPlain = false;
      }
      fields.set(name, bytes.subarray(at + 1, valueEnd));
      at = skipSpace(bytes, valueEnd + 1);
      if (bytes[valueEnd] === CLOSE_BRACE) break;
    }
  }
  if (skipSpace(bytes, at) !== bytes.length) throw new FrameError("invalid JSON");
  return { fields, isPlain };
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

/** The end of the string that begins here. */
function skipString(bytes: Uint8Array, from: number): number {
  for (let at = from + 1; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === BACKSLASH) at++;
    else if (byte === QUOTE) return at + 1;
  }
  throw new FrameError("invalid JSON");
}

/** The comma or brace behind the value that begins here. */
function skipValue(bytes: Uint8Array, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE:
        at = skipString(bytes, at) - 1;
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth++;
        break;
      case COMMA:
        if (depth === 0) return at;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (depth === 0 && bytes[at] === CLOSE_BRACE) return at;
        depth--;
        break;
      default:
    }
  }
  throw new FrameError("invalid JSON");
}

/** A state whole, as UTF-8 JSON, with its fields in their order. */
export function joinFields(fields: Fields): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 1;
  for (const [name, value] of fields) {
    const head = encode(`${parts.length === 0 ? "{" : ","}${JSON.stringify(name)}:`);
    parts.push(head, value);
    length += head.length + value.length;
  }
  if (parts.length === 0) return encode("{}");
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  whole[at] = CLOSE_BRACE;
  return whole;
}
