/** Reads a configuration file: JSON, with the names that `createRelay` has for options. [RUN-6] */
import { readFileSync } from "node:fs";
import { type OptionSpec, checkValue } from "../../relay/option.ts";
import { UsageError, usage } from "../usage.ts";
import { nearest } from "../arguments.ts";
import { everySetting } from "./specs.ts";

/** What editors look up the schema by. */
const SCHEMA_KEY = "$schema";
const MAX_BYTES = 1024 * 1024;

/** What a file sets, each value checked. */
export type FileValues = ReadonlyMap<string, unknown>;

/** Throws a `UsageError` that names the file, what is wrong in it, and what is allowed. */
export function readConfigFile(path: string, label: string): FileValues {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${label}: ${path} is no file that can be read`, { cause: error });
  }
  return readConfig(text, path);
}

/** @param name what the file is called in an error */
export function readConfig(text: string, name: string): FileValues {
  if (text.length > MAX_BYTES) throw new UsageError(`${name} is larger than 1 MiB`);
  const config = parse(text.replace(/^\uFEFF/, ""), name);
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new UsageError(`${name} must hold one JSON object, such as { "port": 8080 }`);
  }
  const values = new Map<string, unknown>();
  for (const [key, value] of Object.entries(config)) {
    if (key === SCHEMA_KEY) continue;
    const setting = everySetting.find((each) => each.name === key);
    if (setting === undefined) {
      const allowed = everySetting.map((each) => each.name).join(", ");
      throw new UsageError(
        `${name}: there is no key ${JSON.stringify(key)}${meant(key)} are ${SCHEMA_KEY}, ${allowed}`,
      );
    }
    values.set(
      key,
      usage(() => checked(setting.spec, `${name}: ${key}`, value)),
    );
  }
  return values;
}

/** The key that was meant, if one is like it, and the beginning of what is allowed. */
function meant(key: string): string {
  const flag = nearest(
    key,
    everySetting.map((each) => each.flag),
  );
  const setting = everySetting.find((each) => each.flag === flag);
  return setting === undefined ? "; there" : `: did you mean "${setting.name}"? There`;
}

function checked(spec: OptionSpec, label: string, value: unknown): unknown {
  if (value === null) throw new RangeError(`${label} must not be null: leave it out`);
  if (Array.isArray(value) && value.length === 0) throw new RangeError(`${label} must not be empty: leave it out`);
  return checkValue(spec, label, value);
}

/** What the file holds stands in no error: it may be a secret. */
function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const position = /at position (\d+)/.exec(String(error))?.[1];
    const where = position === undefined ? "" : `: look at line ${text.slice(0, Number(position)).split("\n").length}`;
    throw new UsageError(`${name} is not JSON${where}`);
  }
}
