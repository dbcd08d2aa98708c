/** All that can be set on the command: what a relay takes, and what only a process has. One list for all ways to set it. */
import { type OptionSpec, flag, text } from "../../relay/option.ts";
import { type OptionName, optionSpecs } from "../../relay/options.ts";
import { STORE_FORMS } from "../../relay/store/open.ts";
import { type Heading, headingOf } from "./headings.ts";
import { DEFAULT_LEVEL, LOG_FORMATS, LOG_LEVELS } from "../log-options.ts";
import type { CommandOptions } from "./command-options.ts";

const commandSpecs: { readonly [Name in keyof CommandOptions]: OptionSpec } = {
  host: { ...text("HOST", "address to listen on (localhost; HOST)"), default: "localhost" },
  port: {
    kind: "number",
    default: 1234,
    min: 0,
    max: 65_535,
    unit: "port",
    help: "port to listen on, 0 for any free one",
  },
  store: {
    ...text("STORE", `where documents are kept: ${STORE_FORMS}, in which they outlive the relay (memory)`),
    default: "memory",
  },
  storeSync: flag(false, "wait at each append to the store until the disk has it"),
  bus: text(
    "URL",
    "joins this relay to all others on it: redis://HOST:PORT, rediss://…, redis-sentinel://… or redis-cluster://… (alone)",
  ),
  busPrefix: text("TEXT", "what the names of topics on the bus begin with (cp1:)"),
  busSecret: text("SECRET", "signs what relays say to each other; the same for all of them"),
  logFormat: {
    kind: "choice",
    default: LOG_FORMATS[0],
    words: LOG_FORMATS,
    value: "FORMAT",
    help: "how the log is written",
  },
  logLevel: {
    kind: "choice",
    default: DEFAULT_LEVEL,
    words: LOG_LEVELS,
    value: "LEVEL",
    help: "what is written to the log",
  },
};

/** Secrets that a file may hold, one a line: flags can be listed by any user of the machine. [RUN-5] */
const SECRETS = ["jwtSecret", "webhookSecret", "apiKey", "busSecret"] as const satisfies readonly (
  | OptionName
  | keyof CommandOptions
)[];

export interface Setting {
  /** What it is called in a configuration file, and by `createRelay` if that takes it. */
  readonly name: string;
  /** Without the two hyphens. */
  readonly flag: string;
  readonly variable: string;
  readonly spec: OptionSpec;
  /** What it is about. */
  readonly heading: Heading;
  /** Of a secret: the setting that names a file with it. */
  readonly file: Setting | null;
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function settingOf(name: string, spec: OptionSpec, heading: Heading): Setting {
  const flagName = kebab(name);
  const upper = flagName.replaceAll("-", "_").toUpperCase();
  // as other servers call these two
  const variable = name === "host" || name === "port" ? upper : `COPRESENCE_${upper}`;
  const help = `a file with what --${flagName} takes, one a line (COPRESENCE_${upper}_FILE)`;
  const isSecret = SECRETS.some((each) => each === name);
  const file = isSecret ? settingOf(`${name}File`, text("FILE", help), heading) : null;
  return { name, flag: flagName, variable, spec, heading, file };
}

const specs = { ...commandSpecs, ...optionSpecs };

/** Without those that name files of secrets: each is with its secret. */
export const settings: readonly Setting[] = (Object.keys(specs) as (keyof typeof specs)[]).map((name) =>
  settingOf(name, specs[name], headingOf[name]),
);

/** With those that name files of secrets. */
export const everySetting: readonly Setting[] = settings.flatMap((setting) =>
  setting.file === null ? [setting] : [setting, setting.file],
);
