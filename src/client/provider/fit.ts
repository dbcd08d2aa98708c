/**
 * [CLIENT-3] What of a local state goes out. A field that the relay would not take keeps the value that it had: the application
 * hears of it, and everything else goes on. Pure.
 */
import { checkJson, isRecord } from "../../presence/index.ts";
import {
  type Fields,
  MAX_DEPTH,
  MAX_FIELDS,
  PERSON,
  encode,
  encodeValue,
  isDeeper,
  joinFields,
  text,
} from "../../wire/index.ts";

/** What the relay takes, in bytes. */
export interface StateLimits {
  readonly maxState: number;
  readonly maxMeta: number;
}

/** What a relay takes by default: until it has said what it does, and where it does not say. */
export const DEFAULT_LIMITS: StateLimits = { maxState: 64 * 2 ** 10, maxMeta: 16 * 2 ** 10 };

/** How metadata that was left as it was is named, besides the fields of a state. */
const METADATA = "metadata";

export interface Fitted {
  /** What goes out; null: nothing of it can, so what went out last stays. */
  readonly fields: Fields | null;
  /** The fields that were left as they were, and why. */
  readonly refused: ReadonlyMap<string, string>;
}

/**
 * @param last what went out last; values that are the same are the same objects
 * @throws nothing, whatever the state holds
 */
export function fit(state: Readonly<Record<string, unknown>>, last: Fields, limits: StateLimits): Fitted {
  const fields = new Map<string, Uint8Array>();
  const refused = new Map<string, string>();
  const keep = (name: string, why: string): void => {
    refused.set(name, why);
    const before = last.get(name);
    if (before === undefined || before === fields.get(name)) fields.delete(name);
    else fields.set(name, before);
  };
  const put = (name: string, value: unknown): Uint8Array | undefined => {
    const bytes = encodeValue(value, last.get(name));
    if (bytes !== undefined) fields.set(name, bytes);
    return bytes;
  };
  for (const [name, value] of Object.entries(state)) {
    const before = last.get(name);
    try {
      const bytes = put(name, value);
      // what went out before was checked then
      if (bytes === undefined || bytes === before) continue;
      // of our own field only the metadata can be deep
      if (name === "copresence") put(name, withMeta(value, before, limits, refused));
      else checkDepth(bytes);
    } catch (error) {
      // what JSON does not hold, or a getter or `toJSON` of the application that throws
      keep(name, String(error));
    }
  }
  const count = fields.size;
  const rankOf = (name: string): number => (PERSON.has(name) ? 0 : last.has(name) ? 1 : 2);
  const surplus =
    count > MAX_FIELDS ? [...fields.keys()].toSorted((a, b) => rankOf(a) - rankOf(b)).slice(MAX_FIELDS) : [];
  for (const [i, name] of surplus.entries()) {
    // of those that are new the last are left out, and one of them stands for all
    if (i === 0) refused.set(name, `too many fields: ${count}, the relay takes ${MAX_FIELDS}`);
    fields.delete(name);
  }
  for (let size = sizeOf(fields); size > limits.maxState; size = sizeOf(fields)) {
    const why = tooLarge(size, limits.maxState);
    const name = largest(fields, last);
    if (name !== undefined) keep(name, why);
    else if (refused.has(METADATA) || !isRecord(state["copresence"])) {
      return { fields: null, refused: refused.set("user", why) };
    } else {
      refused.set(METADATA, why);
      put("copresence", { ...state["copresence"], meta: {} });
    }
  }
  return { fields, refused };
}

/**
 * A copy of metadata, or of a payload. Throws `RangeError` or `TypeError` for what the relay would not take, with the reason. [CLIENT-17]
 *
 * @param what how the value is named to the application
 */
export function checkMeta(meta: unknown, { maxMeta, maxState }: StateLimits, what: string = METADATA): unknown {
  checkJson(meta, what);
  const most = Math.min(maxMeta, maxState);
  const bytes = encode(JSON.stringify(meta));
  if (bytes.length > most) throw new RangeError(tooLarge(bytes.length, most));
  // the state and its field `copresence` are around it
  return checkDepth(bytes, 2);
}

/** The bytes of a state as JSON. */
export const sizeOf = (fields: Fields): number => joinFields(fields).length;

/** The same, but with the metadata that went out last where the relay would not take these. */
function withMeta(
  value: unknown,
  before: Uint8Array | undefined,
  limits: StateLimits,
  refused: Map<string, string>,
): unknown {
  if (!isRecord(value) || value["meta"] === undefined) return value;
  try {
    checkMeta(value["meta"], limits);
    return value;
  } catch (error) {
    refused.set(METADATA, String(error));
    const known = before && (JSON.parse(text(before)) as { readonly meta?: unknown });
    return { ...value, meta: known?.meta ?? {} };
  }
}

/** The value that the bytes are, as JSON. */
function checkDepth(bytes: Uint8Array, levelsAround = 1): unknown {
  const value: unknown = JSON.parse(text(bytes));
  if (isDeeper(value, MAX_DEPTH - levelsAround)) throw new RangeError(`nested deeper than ${MAX_DEPTH} levels`);
  return value;
}

/** The field to do without: of those that changed, if there are any, the largest. Never who the state is from. */
function largest(fields: Fields, last: Fields): string | undefined {
  const names = [...fields.keys()].filter((name) => !PERSON.has(name));
  const changed = names.filter((name) => fields.get(name) !== last.get(name));
  const lengthOf = (name: string): number => fields.get(name)?.length ?? 0;
  return (changed.length > 0 ? changed : names).toSorted((a, b) => lengthOf(b) - lengthOf(a))[0];
}

const tooLarge = (size: number, most: number): string => `too large: ${size} bytes, the relay takes ${most}`;
