/** `copresence drain URL`: has a relay send its clients to the others on its bus, and waits until none is left. [DRAIN-5] */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { withoutEndSlashes } from "../relay/util/path.ts";
import { wrongArguments } from "./arguments.ts";
import { UsageError } from "./usage.ts";

const HELP = `Usage: copresence drain [options] [http://HOST:PORT]

Has a relay on a bus send its clients to the other relays, one after the other, and waits until none is left: then it can be
stopped, and nobody notices. It takes nobody until it is started anew. (A relay that is told to stop with SIGTERM does the
same by itself.) The address is http://localhost:1234 if none is given.

  --over MS             how long it may take (the relay's --drain-time)
  --api-key-file FILE   a file with a key to the relay's HTTP API, one a line; the first counts (COPRESENCE_API_KEY_FILE).
                        The variable COPRESENCE_API_KEY may hold the key itself
  --help, -h            this text

The exit code is 0 when no client is left, 1 when the relay cannot or will not, and 2 for a wrong flag.
`;

/** How often it is asked how many are left, ms. */
const ASK_MS = 250;
/** How long it may take to answer, ms. */
const ANSWER_MS = 10_000;

interface Order {
  readonly url: URL;
  readonly key: string;
  readonly overMs: number | undefined;
}

/** Runs the command. @param args what follows its name @returns the exit code */
export async function runDrain(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const order = readOrder(args, env);
  if (order === null) {
    process.stdout.write(HELP);
    return 0;
  }
  let before = -1;
  for (;;) {
    const left = await ask(order);
    if (left !== before) process.stdout.write(left === 1 ? "1 connection is left\n" : `${left} connections are left\n`);
    if (left === 0) return 0;
    before = left;
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  }
}

/** Asks for it, and for how many connections are left: to ask again changes nothing. */
async function ask({ url, key, overMs }: Order): Promise<number> {
  // a proxy may have the relay behind a path
  const response = await fetch(new URL(`${withoutEndSlashes(url.pathname)}/api/v1/drain`, url), {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(overMs === undefined ? {} : { overMs }),
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch((error: unknown) => {
    throw new Error(`${url.origin} does not answer`, { cause: error });
  });
  const answer = (await response.json().catch(() => ({}))) as {
    readonly connections?: unknown;
    readonly error?: { readonly message?: unknown };
  };
  if (response.ok && typeof answer.connections === "number") return answer.connections;
  const message = answer.error?.message;
  throw new Error(`${url.origin} refuses: ${typeof message === "string" ? message : `status ${response.status}`}`);
}

function readOrder(args: readonly string[], env: NodeJS.ProcessEnv): Order | null {
  const { values, positionals } = parse(args);
  if (values.help === true) return null;
  const [address = "http://localhost:1234", ...more] = positionals;
  if (more.length > 0) throw new UsageError("copresence drain takes one address");
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
    throw new UsageError("the address must be http://HOST:PORT, or https://…");
  }
  const over = values.over;
  if (over !== undefined && !/^\d{1,9}$/.test(over))
    throw new UsageError("--over must be a whole number of milliseconds");
  return {
    url: new URL(address),
    key: readKey(values["api-key-file"], env),
    overMs: over === undefined ? undefined : Number(over),
  };
}

const options = {
  over: { type: "string" },
  "api-key-file": { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], strict: true, allowPositionals: true, options });
  } catch (error) {
    throw wrongArguments(error, Object.keys(options));
  }
}

function readKey(file: string | undefined, env: NodeJS.ProcessEnv): string {
  const path = file ?? env["COPRESENCE_API_KEY_FILE"] ?? "";
  if (path === "") {
    const key = env["COPRESENCE_API_KEY"]?.split(",", 1)[0] ?? "";
    if (key === "") throw new UsageError("a key to the HTTP API is needed: --api-key-file FILE, or COPRESENCE_API_KEY");
    return key;
  }
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new UsageError("--api-key-file is no file that can be read");
  }
  const key = text
    .split("\n")
    .map((line) => line.trim())
    .find((line) => line !== "");
  if (key === undefined) throw new UsageError("the file of --api-key-file holds no key");
  return key;
}
