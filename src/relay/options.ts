/**
 * Everything that can be set on a relay, once: the API takes these names, the command line the same in kebab case
 * (`--ping-interval`), the environment in upper case (`COPRESENCE_PING_INTERVAL`).
 */

interface OptionSpec {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: "ms" | "bytes" | "count";
  readonly help: string;
}

const DAY = 24 * 60 * 60 * 1000;
// the longest that a Node timer can wait
const MAX_MS = 2 ** 31 - 1;

const ms = (value: number, help: string, min = 1): OptionSpec => ({
  default: value,
  min,
  max: MAX_MS,
  unit: "ms",
  help,
});
const count = (value: number, min: number, help: string): OptionSpec => ({
  default: value,
  min,
  max: 1_000_000,
  unit: "count",
  help,
});
const bytes = (value: number, help: string): OptionSpec => ({
  default: value,
  min: 64,
  max: 2 ** 31 - 1,
  unit: "bytes",
  help,
});

/** All times in milliseconds, all sizes in bytes, all whole numbers. */
export interface RelayOptions {
  /** How often each connection is asked for a sign of life. Default 15 000. */
  readonly pingInterval: number;
  /** How long an answer may take before the connection is given up. Default 10 000. */
  readonly pingTimeout: number;
  /** How long a lost connection may take to come back before its user leaves. Default 3 000. */
  readonly leaveGrace: number;
  /** Shortest time between two flushes of a room. Default 33. */
  readonly tick: number;
  /** Shortest time between two writes to a lobby document. Default 100. */
  readonly lobbyTick: number;
  /** How long a lobby remembers somebody who left. Default 24 h. */
  readonly recentTtl: number;
  /** How many of those who left a lobby remembers. Default 1 000. */
  readonly recentMax: number;
  /** Largest message. Default 16 MiB. */
  readonly maxMessage: number;
  /** Largest awareness state. Default 64 KiB. */
  readonly maxState: number;
  /** Most awareness states that one connection may own. Default 64. */
  readonly maxStates: number;
  /** How many cursors a room shows: in a larger one, of those who moved lately. Default 0: all. */
  readonly maxCursors: number;
  /** Most unsent data before the awareness that a slow connection is sent waits for it. Default 256 KiB. */
  readonly maxLag: number;
  /** Most unsent data before a slow connection is closed. Default 64 MiB. */
  readonly maxBuffered: number;
}

export type OptionName = keyof RelayOptions;

export const optionSpecs: { readonly [K in OptionName]: OptionSpec } = {
  pingInterval: ms(15_000, "how often each connection is asked for a sign of life"),
  pingTimeout: ms(10_000, "how long an answer may take before the connection is given up"),
  leaveGrace: ms(3_000, "how long a lost connection may take to come back before its user leaves", 0),
  tick: ms(33, "shortest time between two flushes of a room", 0),
  lobbyTick: ms(100, "shortest time between two writes to a lobby document", 0),
  recentTtl: ms(DAY, "how long a lobby remembers somebody who left", 0),
  recentMax: count(1_000, 0, "how many of those who left a lobby remembers"),
  maxMessage: bytes(16 * 2 ** 20, "largest message"),
  maxState: bytes(64 * 2 ** 10, "largest awareness state"),
  maxStates: count(64, 1, "most awareness states that one connection may own"),
  maxCursors: count(0, 0, "how many cursors a room shows, of those who moved lately; 0: all"),
  maxLag: bytes(256 * 2 ** 10, "most unsent data before the awareness that a slow connection is sent waits"),
  maxBuffered: bytes(64 * 2 ** 20, "most unsent data before a slow connection is closed"),
};

const names = Object.keys(optionSpecs) as OptionName[];

/** Fills in defaults. Throws a `RangeError` that names a value out of bounds, or an option that there is none of. */
export function resolveOptions(given: Partial<RelayOptions>): RelayOptions {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(optionSpecs, name))
      throw new RangeError(`there is no option "${name}"; there are ${names.join(", ")}`);
  }
  const entries = names.map((name) => [name, checkOption(name, name, given[name] ?? optionSpecs[name].default)]);
  return Object.fromEntries(entries) as RelayOptions;
}

/** @param label what to call the option in an error: its name, its flag or its variable */
export function checkOption(name: OptionName, label: string, value: number): number {
  const { min, max, unit } = optionSpecs[name];
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  const what = unit === "count" ? "a whole number" : `a whole number of ${unit === "ms" ? "milliseconds" : "bytes"}`;
  throw new RangeError(`${label} must be ${what} from ${min} to ${max}`);
}
