/** The kinds of options, and how their values are checked and read from text. Pure. */
import { partOfHeap } from "./util/budget.ts";

export interface NumberOption {
  readonly kind: "number";
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: "ms" | "bytes" | "count" | "port";
  /** Of an option whose default is a part of the heap: this part. The default differs from machine to machine. */
  readonly heapPart?: number;
  readonly help: string;
}

export interface FlagOption {
  readonly kind: "flag";
  readonly default: boolean;
  readonly help: string;
}

/** A number, where true is 1 and false is 0. */
export interface HopsOption {
  readonly kind: "hops";
  readonly default: number;
  readonly help: string;
}

export interface TextOption {
  readonly kind: "text";
  readonly default: string | null;
  /** What it is called in the help. */
  readonly value: string;
  readonly help: string;
}

/** One of several words. */
export interface ChoiceOption<Word extends string = string> {
  readonly kind: "choice";
  readonly default: Word;
  readonly words: readonly Word[];
  /** What it is called in the help. */
  readonly value: string;
  readonly help: string;
}

/** What a JSON schema says of a value. */
export type JsonSchema = Readonly<Record<string, unknown>>;

export interface ListOption<Item = unknown> {
  readonly kind: "list";
  readonly default: readonly Item[];
  /** What an item is called in the help. */
  readonly value: string;
  /** The items that a flag or variable holds. */
  readonly split: (text: string) => readonly string[];
  /** How an item is kept. Throws a `RangeError` for what is none. */
  readonly item: (given: unknown, label: string) => Item;
  /** What an item is in a configuration file. */
  readonly itemSchema: JsonSchema;
  readonly help: string;
}

export type OptionSpec = NumberOption | FlagOption | HopsOption | TextOption | ChoiceOption | ListOption;

/** The kind that an option of this type is. */
export type SpecOf<T> = T extends boolean
  ? FlagOption
  : T extends number
    ? NumberOption | HopsOption
    : T extends readonly (infer Item)[]
      ? ListOption<Item>
      : TextOption;

// the longest that a Node timer can wait
const MAX_MS = 2 ** 31 - 1;
export const MAX_HOPS = 16;

export const ms = (value: number, help: string, min = 1): NumberOption => ({
  kind: "number",
  default: value,
  min,
  max: MAX_MS,
  unit: "ms",
  help,
});

export const count = (value: number, min: number, help: string): NumberOption => ({
  kind: "number",
  default: value,
  min,
  max: 1_000_000,
  unit: "count",
  help,
});

export const bytes = (value: number, help: string, min = 64): NumberOption => ({
  kind: "number",
  default: value,
  min,
  max: 2 ** 31 - 1,
  unit: "bytes",
  help,
});

/** A number of bytes whose default is a part of the heap that Node allows. */
export const heapBytes = (part: number, help: string, min = 64): NumberOption => ({
  ...bytes(partOfHeap(part), help, min),
  heapPart: part,
});

export const flag = (value: boolean, help: string): FlagOption => ({ kind: "flag", default: value, help });
export const hops = (help: string): HopsOption => ({ kind: "hops", default: 0, help });
export const text = (value: string, help: string): TextOption => ({ kind: "text", default: null, value, help });

export const ANY_TEXT: JsonSchema = { type: "string", minLength: 1 };

const byCommas = (source: string): string[] => source.split(",").map((item) => item.trim());

export const list = <Item>(
  value: string,
  item: ListOption<Item>["item"],
  help: string,
  split: ListOption["split"] = byCommas,
): ListOption<Item> => ({ kind: "list", default: [], value, split, item, itemSchema: ANY_TEXT, help });

const UNITS: Readonly<Record<NumberOption["unit"], string>> = {
  ms: "a whole number of milliseconds",
  bytes: "a whole number of bytes",
  count: "a whole number",
  port: "a port number",
};

/** @param label what to call the option in an error: its name, its flag or its variable [RUN-2] */
export function checkValue(spec: OptionSpec, label: string, value: unknown): unknown {
  switch (spec.kind) {
    case "number": {
      const { min, max, unit } = spec;
      if (isWhole(value, min, max)) return value;
      throw new RangeError(`${label} must be ${UNITS[unit]} from ${min} to ${max}`);
    }
    case "flag":
      if (typeof value === "boolean") return value;
      throw new RangeError(`${label} must be true or false`);
    case "hops":
      if (typeof value === "boolean") return Number(value);
      if (isWhole(value, 0, MAX_HOPS)) return value;
      throw new RangeError(`${label} must be true, false, or how many proxies, at most ${MAX_HOPS}`);
    case "text":
      // never what it is: it may be a secret
      if (value === null || (typeof value === "string" && value !== "")) return value;
      throw new RangeError(`${label} ${value === "" ? "must not be empty" : "must be a text"}`);
    case "choice":
      if (spec.words.some((word) => word === value)) return value;
      throw new RangeError(`${label} must be ${spec.words.join(", ")}, not "${String(value)}"`);
    case "list":
      return (Array.isArray(value) ? (value as unknown[]) : [value]).map((item) => spec.item(item, label));
  }
}

/** Reads a value as a flag or variable has it. Throws a `RangeError`. */
export function parseValue(spec: OptionSpec, label: string, source: string): unknown {
  switch (spec.kind) {
    case "number":
      if (!/^\d+$/.test(source)) throw new RangeError(`${label} must be ${UNITS[spec.unit]}, not "${source}"`);
      return checkValue(spec, label, Number(source));
    case "flag":
      return checkValue(spec, label, SWITCH[source]);
    case "hops":
      return checkValue(spec, label, /^\d+$/.test(source) ? Number(source) : SWITCH[source]);
    case "text":
    case "choice":
      return checkValue(spec, label, source);
    case "list":
      return checkValue(spec, label, spec.split(source));
  }
}

const SWITCH: Readonly<Record<string, boolean>> = { true: true, false: false, 1: true, 0: false };

function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
}
