/** `copresence store`: what can be done with stored documents without a relay. */
import { parseArgs } from "node:util";
import { LASTING_FORMS, openStore, readStoreAddress } from "../../relay/store/open.ts";
import { wrongArguments } from "../arguments.ts";
import { UsageError, usage } from "../usage.ts";
import { check } from "./check.ts";
import { compact } from "./compact.ts";
import { deleteRooms } from "./delete.ts";
import { exportRoom } from "./export.ts";
import { importRooms } from "./import.ts";
import { type Task, shown } from "./job.ts";
import { list } from "./list.ts";
import type { Streams } from "./streams.ts";

interface Subcommand {
  readonly args: string;
  readonly help: string;
  /** Reads its arguments, and gives what is to be done. Throws a `UsageError`. */
  readonly plan: (args: readonly string[], from: string | undefined) => Task;
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  list: { args: "", help: "the rooms that have a stored document", plan: list },
  export: {
    args: "ROOM [FILE]",
    help: "write a document to FILE or standard output, as one Yjs update",
    plan: exportRoom,
  },
  import: {
    args: "ROOM [FILE]",
    help: "add a Yjs update from FILE or standard input to a document",
    plan: importRooms,
  },
  delete: { args: "ROOM…", help: "delete documents; no relay may have the rooms open", plan: deleteRooms },
  check: { args: "[ROOM…]", help: "read documents, and say which are damaged", plan: check },
  compact: { args: "[ROOM…]", help: "make one snapshot of each document's log", plan: compact },
};

const HELP = [
  "Usage: copresence store SUBCOMMAND --store STORE",
  "",
  ...Object.entries(SUBCOMMANDS).map(([name, { args, help }]) => `  ${`${name} ${args}`.padEnd(20)}  ${help}`),
  `  ${"import --from SOURCE [ROOM…]".padEnd(20)}`,
  `  ${"".padEnd(20)}  add the documents of another store, or these of them`,
  "",
  '  --store STORE   "file:FOLDER" or "postgres://USER:PASSWORD@HOST/DATABASE" (COPRESENCE_STORE)',
  '  --from SOURCE   "y-leveldb:FOLDER" (of y-websocket\'s server), "hocuspocus-sqlite:FILE", or like --store',
  "",
  "Exit code 0: done. 1: something could not be done, and standard error says what. 2: a wrong flag or argument.",
  "A folder is open to one process at a time: stop the relay first.",
  "",
].join("\n");

/**
 * Runs a subcommand. [STORE-37]
 *
 * @param args what follows `store`
 * @param env default: that of the process
 * @param streams default: those of the process
 * @returns the exit code
 * @throws UsageError for a wrong flag or argument; Error when it could not be done
 */
export async function runStore(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  streams: Streams = process,
): Promise<number> {
  const { values, positionals } = parse(args);
  const [name, ...rest] = positionals;
  if (values.help === true) {
    streams.stdout.write(HELP);
    return 0;
  }
  const known = Object.keys(SUBCOMMANDS).join(", ");
  if (name === undefined) throw new UsageError(`store needs a subcommand: ${known}`);
  const subcommand = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
  if (subcommand === undefined) throw new UsageError(`store has no subcommand "${shown(name)}"; there are ${known}`);
  if (values.from !== undefined && name !== "import") throw new UsageError("--from is for store import alone");
  const { label, value } = addressOf(values.store, env);
  const task = subcommand.plan(rest, values.from);
  const store = await openStore(value, { sync: true, create: name === "import", label });
  if (store === null) throw new UsageError(`${label} is "memory", which keeps nothing`);
  try {
    return await task({
      store,
      address: value.startsWith("file:") ? value : "the database",
      streams,
      say: (line) =>
        void streams.stdout.write(`${line}
`),
      tell: (line) =>
        void streams.stderr.write(`copresence: ${line}
`),
    });
  } finally {
    await store.close?.();
  }
}

const options = {
  store: { type: "string" },
  from: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw wrongArguments(error, Object.keys(options));
  }
}

/** The flag, or else the variable. */
function addressOf(
  flag: string | undefined,
  env: NodeJS.ProcessEnv,
): { readonly label: string; readonly value: string } {
  const set = env["COPRESENCE_STORE"] ?? "";
  const [label, value] = flag === undefined ? ["COPRESENCE_STORE", set] : ["--store", flag];
  if (value === "") throw new UsageError(`which store? Give --store or COPRESENCE_STORE: ${LASTING_FORMS}`);
  usage(() => readStoreAddress(value, label));
  return { label, value };
}
