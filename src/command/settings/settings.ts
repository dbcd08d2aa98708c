/** What the command was told, by flags, variables and a configuration file, checked. [RUN-2] [RUN-6] */
import { readFileSync } from "node:fs";
import { isKeyText } from "../../relay/access/tokens/keys.ts";
import { checkOutboxAddress, readBusAddress } from "../../relay/util/bus-address.ts";
import { type OptionSpec, parseValue } from "../../relay/option.ts";
import { resolveConfig } from "../../relay/config.ts";
import { type OptionName, type RelayConfig, optionSpecs } from "../../relay/options.ts";
import { readStoreAddress } from "../../relay/store/open.ts";
import { UsageError, usage } from "../usage.ts";
import { type FileValues, readConfigFile } from "./file.ts";
import type { Flags } from "./flags.ts";
import type { CommandOptions } from "./command-options.ts";
import { type Setting, settings } from "./specs.ts";

export interface Settings extends CommandOptions {
  readonly relay: RelayConfig;
  /** What an option is called in an error: by what it was given. */
  readonly labelOf: (name: OptionName | keyof CommandOptions) => string;
}

/** What was given for a setting, and by what. */
interface Given {
  readonly label: string;
  readonly value: unknown;
}

/** One way to set things. Null: it says nothing about this. */
type Source = (setting: Setting) => Given | null;

const byFlag =
  (flags: Flags): Source =>
  ({ flag, spec }) =>
    parsed(spec, `--${flag}`, flags.valuesOf(flag));

const byVariable =
  (env: NodeJS.ProcessEnv): Source =>
  ({ variable, spec }) =>
    parsed(spec, variable, env[variable] || []);

const byFile =
  (path: string, values: FileValues): Source =>
  ({ name }) =>
    values.has(name) ? { label: `${path}: ${name}`, value: values.get(name) } : null;

/** Reads text. Of a flag for a list, which may be repeated, all values count, of another flag the last. */
function parsed(spec: OptionSpec, label: string, given: string | readonly string[]): Given | null {
  const texts = [given].flat();
  if (texts.length === 0) return null;
  const values = texts.map((text) => usage(() => parseValue(spec, label, text)));
  return { label, value: spec.kind === "list" ? values.flat() : values.at(-1) };
}

/** Throws a `UsageError` that names what is wrong by the flag, the variable or the key in the file that set it. */
export function readSettings(flags: Flags, env: NodeJS.ProcessEnv): Settings {
  const sources = [byFlag(flags), byVariable(env)];
  const path = flags.config ?? (env["COPRESENCE_CONFIG"] || undefined);
  if (path !== undefined) {
    const label = flags.config === undefined ? "COPRESENCE_CONFIG" : "--config";
    sources.push(byFile(path, readConfigFile(path, label)));
  }
  const found = new Map<string, Given>();
  for (const setting of settings) {
    const given = firstGiven(setting, sources);
    if (given !== null) found.set(setting.name, given);
  }
  return checkedSettings(found);
}

/** What the first source that knows of it says; of a secret, together with the file that the same source names. */
function firstGiven(setting: Setting, sources: readonly Source[]): Given | null {
  for (const source of sources) {
    const given = source(setting);
    const file = setting.file === null ? null : source(setting.file);
    if (file === null && given === null) continue;
    if (file === null) return given;
    const label = given?.label ?? file.label;
    const lines = secretsIn(file);
    if (setting.spec.kind === "list") return { label, value: [...((given?.value ?? []) as unknown[]), ...lines] };
    if (given !== null) throw new UsageError(`${given.label} stands instead of ${file.label}: only one can be given`);
    if (lines.length > 1) throw new UsageError(`the file of ${label} must hold one secret`);
    return { label, value: lines[0] };
  }
  return null;
}

function checkedSettings(found: ReadonlyMap<string, Given>): Settings {
  const labelOf = (name: string): string =>
    found.get(name)?.label ?? `--${settings.find((each) => each.name === name)?.flag ?? name}`;
  const value = <Name extends keyof CommandOptions>(name: Name): CommandOptions[Name] => {
    const byDefault = settings.find((each) => each.name === name)?.spec.default;
    return (found.has(name) ? found.get(name)?.value : byDefault) as CommandOptions[Name];
  };
  const options = Object.fromEntries(
    [...found].filter(([name]) => Object.hasOwn(optionSpecs, name)).map(([name, given]) => [name, given.value]),
  );
  const keys = (options["jwtPublicKey"] ?? []) as readonly unknown[];
  if (keys.length > 0) options["jwtPublicKey"] = keys.map((key) => publicKey(key, labelOf("jwtPublicKey")));
  usage(() => resolveConfig(options as RelayConfig, labelOf));
  const [store, bus, busPrefix, busSecret] = [value("store"), value("bus"), value("busPrefix"), value("busSecret")];
  usage(() => readStoreAddress(store, labelOf("store")));
  checkBus({ store, bus, busPrefix, busSecret }, options["webhook"] !== undefined, labelOf);
  return {
    host: value("host"),
    port: value("port"),
    store,
    storeSync: value("storeSync"),
    bus,
    busPrefix,
    busSecret,
    logFormat: value("logFormat"),
    logLevel: value("logLevel"),
    relay: options,
    labelOf,
  };
}

/** [BUS-25] [BUS-47] */
function checkBus(
  { store, bus, busPrefix, busSecret }: Pick<CommandOptions, "store" | "bus" | "busPrefix" | "busSecret">,
  hasWebhooks: boolean,
  labelOf: (name: string) => string,
): void {
  if (bus === null) {
    const lost = busPrefix !== null ? "busPrefix" : busSecret !== null ? "busSecret" : null;
    if (lost !== null) throw new UsageError(`${labelOf(lost)} needs --bus`);
    return;
  }
  usage(() => (hasWebhooks ? checkOutboxAddress : readBusAddress)(bus, labelOf("bus")));
  if (!store.startsWith("file:")) return;
  throw new UsageError(
    `${labelOf("bus")} joins several relays, and ${labelOf("store")} ${store} is for one: documents would differ from ` +
      "relay to relay. Give a store that all relays can use, or none",
  );
}

/** One secret a line. [RUN-5] */
function secretsIn({ label, value }: Given): readonly string[] {
  const text = contentOf(String(value), `${label} is no file that can be read`);
  const lines = text.split("\n").flatMap((line) => line.trim() || []);
  if (lines.length === 0) throw new UsageError(`the file of ${label} holds no key`);
  return lines;
}

/** A key, or the path of a file with one. */
function publicKey(given: unknown, label: string): unknown {
  if (typeof given !== "string" || isKeyText(given)) return given;
  return contentOf(given, `${label} is neither a key nor a file that can be read`);
}

/** @param refusal never has the path: it may be a secret in the wrong place */
function contentOf(path: string, refusal: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new UsageError(refusal);
  }
}
