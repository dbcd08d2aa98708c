#!/usr/bin/env node
/** `copresence`: a relay on one port, from the command line. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { isLoopback } from "./relay/access/address.ts";
import { isKeyText } from "./relay/access/tokens/keys.ts";
import { type Relay, createRelay } from "./relay/index.ts";
import { type OptionSpec, parseValue } from "./relay/option.ts";
import { LOG_FORMATS, LOG_LEVELS, DEFAULT_LEVEL, type LogFormat, type LogLevel } from "./command/log-options.ts";
import { UsageError, usage } from "./command/usage.ts";
import { checkBusAddress, openBus } from "./relay/cluster/bus/open-bus.ts";
import type { Log } from "./relay/ports/log.ts";
import { type ErrorListener, oncePerSecond, withCauses } from "./relay/util/report.ts";
import { openOutbox } from "./relay/webhooks/outbox/open.ts";
import { STORE_FORMS, openStore, readStoreAddress } from "./relay/store/open.ts";
import { type OptionName, type RelayConfig, optionSpecs, resolveConfig } from "./relay/options.ts";

const names = Object.keys(optionSpecs) as OptionName[];
const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const variable = (name: string): string => `COPRESENCE_${kebab(name).replaceAll("-", "_").toUpperCase()}`;

/** Secrets that a file may hold, one a line: flags can be listed by any user of the machine. [RUN-5] */
const FROM_FILES = ["jwtSecret", "webhookSecret", "apiKey"] as const satisfies readonly OptionName[];

interface Settings {
  readonly host: string;
  readonly port: number;
  readonly options: RelayConfig;
  /** The address of the store, and what it was given by. */
  readonly store: Pick<Given, "label" | "value">;
  readonly storeSync: boolean;
  readonly log: { readonly format: LogFormat; readonly level: LogLevel };
  readonly bus: BusSettings | null;
}

interface BusSettings {
  readonly address: string;
  /** What it was given by. */
  readonly label: string;
  readonly config: Pick<RelayConfig, "busPrefix" | "busSecret">;
}

/** Flags that may stand alone get their value: `--open` is `--open=true`, and `--no-open` is `--open=false`. */
function withValues(args: readonly string[]): string[] {
  return args.map((arg, i) => {
    const isNo = arg.startsWith("--no-");
    const name = names.find((each) => kebab(each) === arg.slice(isNo ? 5 : 2));
    const kind = name === undefined || !arg.startsWith("--") ? undefined : optionSpecs[name].kind;
    if (kind !== "flag" && kind !== "hops") return arg;
    if (isNo) return `--${arg.slice(5)}=false`;
    return /^(true|false|\d+)$/.test(args[i + 1] ?? "") ? arg : `${arg}=true`;
  });
}

type Flags = Record<string, string | boolean | (string | boolean)[] | undefined>;

function readFlags(args: readonly string[]): Flags {
  const flags = Object.fromEntries(
    names.map((name) => [kebab(name), { type: "string" as const, multiple: optionSpecs[name].kind === "list" }]),
  );
  try {
    return parseArgs({
      args: withValues(args),
      strict: true,
      options: {
        ...flags,
        host: { type: "string" },
        port: { type: "string" },
        store: { type: "string" },
        "store-sync": { type: "boolean" },
        bus: { type: "string" },
        "bus-prefix": { type: "string" },
        "bus-secret": { type: "string" },
        ...Object.fromEntries(FROM_FILES.map((name) => [`${kebab(name)}-file`, { type: "string" as const }])),
        "log-format": { type: "string" },
        "log-level": { type: "string" },
        help: { type: "boolean", short: "h" },
        version: { type: "boolean", short: "v" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

interface Given {
  /** The flag or variable, to name in an error. */
  readonly label: string;
  readonly value: string;
  /** Of a flag for a list, which may be repeated, all values; else this one. */
  readonly values: readonly string[];
}

/** The flag if it is given, else the variable. [RUN-2] */
function pick(flags: Flags, env: NodeJS.ProcessEnv, flag: string, name: string): Given | undefined {
  const values = [flags[flag] ?? []].flat().filter((value) => typeof value === "string");
  const last = values.at(-1);
  if (last !== undefined) return { label: `--${flag}`, value: last, values };
  const set = env[name];
  return set === undefined || set === "" ? undefined : { label: name, value: set, values: [set] };
}

function integer(label: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new UsageError(`${label} must be a whole number, not "${value}"`);
  return Number(value);
}

function readSettings(flags: Flags, env: NodeJS.ProcessEnv): Settings {
  const host = pick(flags, env, "host", "HOST");
  const port = pick(flags, env, "port", "PORT");
  const portNumber = port === undefined ? 1234 : integer(port.label, port.value);
  if (portNumber > 65_535) throw new UsageError(`${port?.label} must be a port from 0 to 65535`);
  const options: Partial<Record<OptionName, unknown>> = {};
  const labels: Partial<Record<OptionName, string>> = {};
  for (const name of names) {
    const given = pick(flags, env, kebab(name), variable(name));
    if (given === undefined) continue;
    labels[name] = given.label;
    const parsed = given.values.map((value) => usage(() => parseValue(optionSpecs[name], given.label, value)));
    options[name] = optionSpecs[name].kind === "list" ? parsed.flat() : parsed.at(-1);
  }
  const keys = (options.jwtPublicKey ?? []) as readonly string[];
  const readKeys = keys.map((key) => (isKeyText(key) ? key : readKey(labels.jwtPublicKey ?? "", key)));
  if (readKeys.length > 0) options.jwtPublicKey = readKeys;
  for (const name of FROM_FILES) {
    const file = pick(flags, env, `${kebab(name)}-file`, `${variable(name)}_FILE`);
    if (file === undefined) continue;
    options[name] = [...((options[name] ?? []) as string[]), ...readKeyFile(file)];
    labels[name] ??= file.label;
  }
  usage(() => resolveConfig(options as RelayConfig, (name) => labels[name] ?? `--${kebab(name)}`));
  if (host?.value === "") throw new UsageError(`${host.label} must not be empty`);
  const store = pick(flags, env, "store", "COPRESENCE_STORE") ?? { label: "--store", value: "memory" };
  usage(() => readStoreAddress(store.value, store.label));
  const bus = readBus(flags, env, store);
  const storeSync = flags["store-sync"] === true || readSync(env["COPRESENCE_STORE_SYNC"]);
  const log = {
    format: choice(pick(flags, env, "log-format", "COPRESENCE_LOG_FORMAT"), LOG_FORMATS, LOG_FORMATS[0]),
    level: choice(pick(flags, env, "log-level", "COPRESENCE_LOG_LEVEL"), LOG_LEVELS, DEFAULT_LEVEL),
  };
  return {
    host: host?.value ?? "localhost",
    port: portNumber,
    options: options as RelayConfig,
    store,
    storeSync,
    bus,
    log,
  };
}

/** [BUS-25] */
function readBus(flags: Flags, env: NodeJS.ProcessEnv, store: Settings["store"]): BusSettings | null {
  const bus = pick(flags, env, "bus", "COPRESENCE_BUS");
  const prefix = pick(flags, env, "bus-prefix", "COPRESENCE_BUS_PREFIX");
  const secret = pick(flags, env, "bus-secret", "COPRESENCE_BUS_SECRET");
  if (bus === undefined) {
    const lost = prefix ?? secret;
    if (lost !== undefined) throw new UsageError(`${lost.label} needs --bus`);
    return null;
  }
  usage(() => checkBusAddress(bus.value, bus.label));
  if (store.value.startsWith("file:")) {
    throw new UsageError(
      `${bus.label} joins several relays, and ${store.label} ${store.value} is for one: documents would differ from relay to ` +
        "relay. Give a store that all relays can use, or none",
    );
  }
  return {
    address: bus.value,
    label: bus.label,
    config: {
      ...(prefix !== undefined && { busPrefix: prefix.value }),
      ...(secret !== undefined && { busSecret: secret.value }),
    },
  };
}

function readSync(given: string | undefined): boolean {
  if (given === undefined || given === "" || given === "false") return false;
  if (given === "true") return true;
  throw new UsageError(`COPRESENCE_STORE_SYNC must be true or false, not "${given}"`);
}

/** One key a line. */
function readKeyFile({ label, value }: Given): readonly string[] {
  let text: string;
  try {
    text = readFileSync(value, "utf8");
  } catch {
    // not what was given: it may be a key in the wrong place
    throw new UsageError(`${label} is no file that can be read`);
  }
  const keys = text.split("\n").flatMap((line) => line.trim() || []);
  if (keys.length === 0) throw new UsageError(`the file of ${label} holds no key`);
  return keys;
}

function readKey(label: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // not what was given: it may be a key in the wrong place
    throw new UsageError(`${label} is neither a key nor a file that can be read`);
  }
}

/** Refuses to listen to the network where nobody is asked who connects, unless that is meant. [AUTH-8] */
function checkOpen(relay: Relay, host: string): void {
  if (!relay.open || relay.options.open || isLoopback(host)) return;
  throw new UsageError(
    `at ${host} anybody could come as anybody: set --jwt-secret, --jwt-public-key or --jwks-url, ` +
      "or --open if that is meant",
  );
}

function rowOf(name: string, spec: OptionSpec): [string, string] {
  switch (spec.kind) {
    case "number":
      return [`${name} N`, `${spec.help} (${spec.default}${spec.unit === "count" ? "" : ` ${spec.unit}`})`];
    case "flag":
    case "hops":
      return [spec.kind === "hops" ? `${name} [N]` : name, `${spec.help} (${spec.default})`];
    case "text":
    case "list":
      return [`${name} ${spec.value}`, spec.help];
  }
}

function help(): string {
  const rows = names.map((name) => rowOf(`--${kebab(name)}`, optionSpecs[name]));
  const all: [string, string][] = [
    ["--host HOST", "address to listen on (localhost; HOST)"],
    ["--port PORT", "port to listen on, 0 for any free one (1234; PORT)"],
    ["--store STORE", `where documents are kept: ${STORE_FORMS}, in which they outlive the relay (memory)`],
    ...FROM_FILES.map((name): [string, string] => [
      `--${kebab(name)}-file FILE`,
      `a file with what --${kebab(name)} takes, one a line (${variable(name)}_FILE)`,
    ]),
    ["--log-format FORMAT", `how the log is written: ${LOG_FORMATS.join(" or ")} (${LOG_FORMATS[0]})`],
    ["--log-level LEVEL", `what is written to the log: ${LOG_LEVELS.join(", ")} (${DEFAULT_LEVEL})`],
    ["--bus URL", "joins this relay to all others on it: redis://HOST:PORT or rediss://… (alone)"],
    ["--bus-prefix TEXT", "what the names of topics on the bus begin with (cp1:)"],
    ["--bus-secret SECRET", "signs what relays say to each other; the same for all of them"],
    ["--store-sync", "wait at each append to the store until the disk has it"],
    ...rows,
    ["--help, -h", "this text"],
    ["--version, -v", "the version"],
  ];
  const width = Math.max(...all.map(([flag]) => flag.length));
  return [
    "Usage: copresence [options]",
    "       copresence drain [http://HOST:PORT]      sends a relay's clients to the others; see copresence drain --help",
    "       copresence verify ws://HOST:PORT/ROOM    says which rules a server keeps; see copresence verify --help",
    "       copresence store SUBCOMMAND [options]    what can be done with stored documents: copresence store --help",
    "",
    "A presence relay for Yjs apps. Clients dial ws://HOST:PORT/<room>.",
    "",
    ...all.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text}`),
    "",
    "The others are variables too: --ping-interval is COPRESENCE_PING_INTERVAL. --no-lobby-rooms is --lobby-rooms false.",
    "Flags for lists may be repeated.",
    "",
  ].join("\n");
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return (manifest as { readonly version: string }).version;
}

/** What cannot be listened on, with what to do about it. */
function explained(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const advice: Readonly<Record<string, string>> = {
    EADDRINUSE: "choose another port with --port or PORT; 0 takes any free one",
    EACCES: "choose another port with --port or PORT: this one needs privileges",
    ENOTFOUND: "choose an address of this machine with --host or HOST",
    EADDRNOTAVAIL: "choose an address of this machine with --host or HOST",
  };
  const hint = code === undefined ? undefined : advice[code];
  return hint === undefined ? error : new Error(`${message}; ${hint}`, { cause: error });
}

/** Reports what went wrong, such as a key set that cannot be had, in one line. */
const reporterTo = (log: Log): ErrorListener =>
  oncePerSecond((error, where) => {
    const what = where === "authenticate" ? "tokens cannot be verified" : `${where} failed`;
    log.error({}, `${what}: ${withCauses(error)}`);
  });

/** One of several words. [RUN-2] */
function choice<T extends string>(given: Given | undefined, choices: readonly T[], byDefault: T): T {
  if (given === undefined) return byDefault;
  const found = choices.find((each) => each === given.value);
  if (found === undefined) throw new UsageError(`${given.label} must be ${choices.join(", ")}, not "${given.value}"`);
  return found;
}

/** Reads what follows its name, and resolves to the exit code. */
type Command = (args: readonly string[]) => Promise<number>;

/** What there is besides serving, by its first word: each in a folder of its own, loaded when it is asked for. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  drain: async () => (await import("./command/drain.ts")).runDrain,
  store: async () => (await import("./command/store/run.ts")).runStore,
  verify: async () => (await import("./verify/command.ts")).runVerify,
};

async function main(): Promise<void> {
  const [name = "", ...args] = process.argv.slice(2);
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) return serve();
  const run = await load();
  process.exitCode = await run(args);
}

/** Listens, and says where, until it is told to stop. [RUN-1] */
async function serve(): Promise<void> {
  const flags = readFlags(process.argv.slice(2));
  if (flags["help"] === true) return void process.stdout.write(help());
  if (flags["version"] === true) return void process.stdout.write(`${version()}\n`);
  const {
    host,
    port,
    options,
    store: address,
    storeSync,
    bus: joined,
    log: logging,
  } = readSettings(flags, process.env);
  const { createLog } = await import("./command/log.ts");
  const log = createLog(logging.format, logging.level);
  const store = await openStore(address.value, { sync: storeSync, label: address.label });
  const hasWebhooks = options.webhook !== undefined;
  const outbox = hasWebhooks ? await openOutbox(address.value, { label: address.label }) : undefined;
  if (outbox?.isDurable === false) {
    const lost = "those that wait are lost when the process dies, and so is who was said to be online";
    log.warn({}, `webhooks are kept in memory: ${lost}; --store file:FOLDER keeps them`);
  }
  const onError = reporterTo(log);
  const onBusError = (error: unknown): void => onError(error, "the bus");
  const bus = joined === null ? null : await openBus(joined.address, onBusError, joined.label);
  const relay = createRelay({
    ...options,
    ...(outbox !== undefined && { outbox }),
    store,
    bus,
    ...joined?.config,
    onError,
    log,
  });
  let stopped = false;
  const stop = (): void => {
    // [DRAIN-4] who says so twice does not want to wait
    if (stopped) return void relay.close();
    stopped = true;
    void relay.drain().then(() => relay.close());
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
  try {
    checkOpen(relay, host);
    const { url } = await relay.listen(port, host);
    process.stdout.write(`copresence: listening on ${url}\n`);
    log.info({ url, shard: relay.shard, version: version() }, "listening");
    const keys = "--jwt-secret, --jwt-public-key or --jwks-url";
    if (relay.open) log.warn({}, `open to anyone who can reach it, as anyone: set ${keys}`);
  } catch (error) {
    await relay.close();
    // stopped before it could listen is stopped all the same
    if (!stopped) throw explained(error);
  }
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`copresence: ${message}\n${error instanceof UsageError ? "Try --help.\n" : ""}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
