/**
 * Checks what an item of an update holds, kind by kind, as Yjs 13 writes it. Whatever passes, every Yjs 13 can read, and
 * write again.
 */
import { FrameError } from "../../../wire/index.ts";
import type { Allowance } from "./allowance.ts";
import type { UpdateReader } from "./bytes.ts";

/** Values that are nested deeper overflow the stack of the code that walks them. [DOC-7] */
export const MAX_DEPTH = 256;

/** The part of the first byte of an item that says what it holds. */
export const ITEM_KIND = 0b11111;
export const GC = 0;
export const DELETED = 1;
export const SKIP = 10;

const XML_ELEMENT = 3;
const XML_HOOK = 5;
const LAST_TYPE = 6;

/** Reads the content of an item past its end. Returns how many clocks it takes, at least 1. Throws `FrameError`. */
export function skipContent(from: UpdateReader, info: number, allowance: Allowance): number {
  switch (info & ITEM_KIND) {
    case DELETED:
      return notEmpty(from.uint());
    case 2: {
      const length = notEmpty(from.uint());
      for (let i = 0; i < length; i++) {
        allowance.value();
        skipJson(from, allowance, true);
      }
      return length;
    }
    case 3:
      from.skipBytes();
      return 1;
    case 4:
      return notEmpty(from.skipText());
    case 5:
      skipJson(from, allowance, false);
      return 1;
    case 6:
      from.skipText();
      skipJson(from, allowance, false);
      return 1;
    case 7: {
      const type = from.uint();
      if (type > LAST_TYPE) throw new FrameError(`update has an unknown type ${type}`);
      if (type === XML_ELEMENT || type === XML_HOOK) from.skipText();
      allowance.type();
      return 1;
    }
    case 8: {
      const length = notEmpty(from.uint());
      for (let i = 0; i < length; i++) skipAny(from, allowance, 0);
      return length;
    }
    case 9:
      from.skipText();
      skipSubdocumentOptions(from, allowance);
      allowance.subdocument();
      return 1;
    default:
      throw new FrameError(`update has an unknown kind of content ${info & ITEM_KIND}`);
  }
}

function notEmpty(length: number): number {
  if (length === 0) throw new FrameError("update has an insertion of nothing");
  return length;
}

function skipJson(from: UpdateReader, allowance: Allowance, mayBeUndefined: boolean): void {
  if (allowance.isOwn) return from.skipBytes();
  const source = from.text();
  if (mayBeUndefined && source === "undefined") return;
  measureJson(source, allowance);
  try {
    JSON.parse(source);
  } catch {
    throw new FrameError("update has invalid JSON");
  }
}

/** Looks at how deep a text would nest, and of how many values it is made, before anybody parses it. */
function measureJson(source: string, allowance: Allowance): void {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < source.length; i++) {
    const char = source.charCodeAt(i);
    if (inText) {
      // the next character is escaped
      if (char === 0x5c) i++;
      else if (char === 0x22) inText = false;
    } else if (char === 0x22) inText = true;
    else if (char === 0x5b || char === 0x7b) {
      allowance.value();
      if (++depth > MAX_DEPTH) throw new FrameError("update has values nested too deep");
    } else if (char === 0x5d || char === 0x7d) depth--;
    else if (char === 0x2c) allowance.value();
  }
}

const UNDEFINED = 127;
const NULL = 126;
const INTEGER = 125;
const FLOAT32 = 124;
const FLOAT64 = 123;
const BIGINT = 122;
const FALSE = 121;
const TRUE = 120;
const TEXT = 119;
const OBJECT = 118;
const ARRAY = 117;
const BYTES = 116;

/** A value as lib0 writes it. */
export function skipAny(from: UpdateReader, allowance: Allowance, depth: number): void {
  if (depth > MAX_DEPTH) throw new FrameError("update has values nested too deep");
  allowance.value();
  const kind = from.byte();
  switch (kind) {
    case UNDEFINED:
    case NULL:
    case FALSE:
    case TRUE:
      return;
    case INTEGER:
      return from.skipInt();
    case FLOAT32:
      return from.skip(4);
    case FLOAT64:
    case BIGINT:
      return from.skip(8);
    case TEXT:
      from.skipText();
      return;
    case BYTES:
      return from.skipBytes();
    case ARRAY: {
      const length = from.uint();
      for (let i = 0; i < length; i++) skipAny(from, allowance, depth + 1);
      return;
    }
    case OBJECT: {
      const length = from.uint();
      for (let i = 0; i < length; i++) {
        const isPrototype = from.text() === "__proto__";
        const value = from.bytes[from.at] ?? 0;
        // lib0 would make it the object's prototype, and could not write such an object again if that is made of bytes
        if (isPrototype && value >= BYTES && value <= OBJECT)
          throw new FrameError("update has a value with a prototype");
        skipAny(from, allowance, depth + 1);
      }
      return;
    }
    default:
      throw new FrameError(`update has an unknown kind of value ${kind}`);
  }
}

/** Yjs makes a document with them: what stands there must not take the place of what is its own. */
const FORBIDDEN: ReadonlySet<string> = new Set(["guid", "gcFilter", "__proto__"]);

function skipSubdocumentOptions(from: UpdateReader, allowance: Allowance): void {
  if (from.byte() !== OBJECT) throw new FrameError("update has a subdocument without options");
  const length = from.uint();
  for (let i = 0; i < length; i++) {
    const name = from.text();
    if (FORBIDDEN.has(name)) throw new FrameError(`update has a subdocument with the option ${name}`);
    skipAny(from, allowance, 1);
  }
}
