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
