/** Reads the flags of `copresence`. Pure. */
import { parseArgs } from "node:util";
import { wrongArguments } from "../arguments.ts";
import { everySetting } from "./specs.ts";

export interface Flags {
  readonly help: boolean;
  readonly version: boolean;
  /** The path of the configuration file, if one is given. */
  readonly config: string | undefined;
  /** The values of a flag as they were given, in order; none: it was not given. */
  readonly valuesOf: (flag: string) => readonly string[];
}

/** Flags that may stand alone get their value: `--open` is `--open=true`, and `--no-open` is `--open=false`. */
function withValues(args: readonly string[]): string[] {
  return args.map((arg, i) => {
    const isNo = arg.startsWith("--no-");
    const found = everySetting.find(({ flag }) => arg === `--${isNo ? "no-" : ""}${flag}`);
    const kind = found?.spec.kind;
    if (kind !== "flag" && kind !== "hops") return arg;
    if (isNo) return `--${arg.slice(5)}=false`;
    return /^(true|false|\d+)$/.test(args[i + 1] ?? "") ? arg : `${arg}=true`;
  });
}

/** Throws a `UsageError` that names a flag that there is none of, or one without its value. [RUN-2] */
export function readFlags(args: readonly string[]): Flags {
  const options = Object.fromEntries(
    everySetting.map(({ flag, spec }) => [flag, { type: "string" as const, multiple: spec.kind === "list" }]),
  );
  const all = {
    ...options,
    config: { type: "string" },
    help: { type: "boolean", short: "h" },
    version: { type: "boolean", short: "v" },
  } as const;
  const { help, version, config, ...values } = parsed(Object.keys(all), () =>
    parseArgs({ args: withValues(args), strict: true, options: all }),
  ).values;
  const given = new Map(
    Object.entries(values).map(([flag, value]) => [flag, [value].flat().filter((each) => typeof each === "string")]),
  );
  return { help: help === true, version: version === true, config, valuesOf: (flag) => given.get(flag) ?? [] };
}

function parsed<T>(flags: readonly string[], parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw wrongArguments(
      error,
      flags,
      (argument) => `'${argument}' is no flag and no subcommand: there are drain, store and verify`,
    );
  }
}
