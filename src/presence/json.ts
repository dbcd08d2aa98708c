/** Types of what JSON can hold. */
import type { Json, JsonObject } from "./state.ts";

type Invokable = ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown);

/**
 * A type, without what JSON loses: functions, symbols, `bigint`, and with its methods a `Date`, a `Map` or an instance of a
 * class. An absent or undefined property is simply not there for others.
 */
export type JsonOf<T> = T extends Json | undefined
  ? T
  : T extends bigint | symbol | Invokable
    ? never
    : T extends object
      ? { readonly [K in keyof T]: JsonOf<T[K]> }
      : never;

/** What metadata must be, `Meta extends JsonMeta<Meta>`: an object that JSON can hold. Interfaces are welcome. [STATE-11] */
export type JsonMeta<T> = { readonly [K in keyof T]: JsonOf<T[K]> };

// oxlint-disable-next-line typescript/no-generated-empty-object-type -- an object of which nothing is required
export type NoMeta = Record<never, never>;

/** Metadata as an option: it may be left out where nothing in it is required. [STATE-11] */
export type MetaOption<Meta = JsonObject> = NoMeta extends Meta ? { readonly meta?: Meta } : { readonly meta: Meta };

/**
 * Throws `TypeError` for what JSON would lose or change without a word, and names the path to it. A property that is undefined is left
 * out by JSON, and is fine. [API-41]
 *
 * @param path what the value is to its author, such as `metadata`
 * @param around what the value lies in: a value that lies in itself has no end
 */
export function checkJson(value: unknown, path: string, around: readonly unknown[] = []): void {
  if (value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value)) return;
  const isList = Array.isArray(value);
  if (typeof value !== "object" || around.includes(value) || !(isList || isPlain(value))) {
    throw new TypeError(`JSON cannot hold ${path}`);
  }
  // spread, a list has undefined where it has nothing
  for (const [key, each] of Object.entries(isList ? [...(value as unknown[])] : value)) {
    if (isList || each !== undefined) checkJson(each, `${path}.${key}`, [...around, value]);
  }
}

/** Whether no class made an object, be it one of another frame of the page. */
const isPlain = (value: object): boolean =>
  Object.getPrototypeOf(Object.getPrototypeOf(value) ?? Object.prototype) === null;
