/** The command with bytes in and out: in this process, which is quick, or in one of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { buffer, text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { runStore } from "../../../src/command/store/run.ts";
import { UsageError } from "../../../src/command/usage.ts";

/** What is built: `npm test` builds first. */
const cli = fileURLToPath(new URL("../../../dist/cli.js", import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly bytes: Uint8Array;
  /** Standard output as lines. */
  readonly lines: readonly string[];
  readonly errors: string;
}

interface Surroundings {
  /** Standard input. */
  readonly input?: Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `copresence store …` to its end, in this process. */
export async function copresenceStore(
  args: readonly string[],
  { input, env = {} }: Surroundings = {},
): Promise<Outcome> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input);
  const said = outcomeOf(stdout, stderr);
  let code: number;
  try {
    code = await runStore(args, env, { stdin, stdout, stderr });
  } catch (error) {
    code = error instanceof UsageError ? 2 : 1;
    stderr.write(`copresence: ${(error as Error).message}\n`);
  }
  for (const stream of [stdout, stderr]) stream.end();
  return { ...(await said), code };
}

/** The same in a process of its own. */
export async function storeProcess(args: readonly string[], { input, env = {} }: Surroundings = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [cli, "store", ...args], { env: { ...process.env, ...env } });
  child.stdin.end(input);
  const [said, [code]] = await Promise.all([
    outcomeOf(child.stdout, child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { ...said, code };
}

async function outcomeOf(stdout: NodeJS.ReadableStream, stderr: NodeJS.ReadableStream): Promise<Omit<Outcome, "code">> {
  const [bytes, errors] = await Promise.all([buffer(stdout), text(stderr)]);
  return { bytes, errors, lines: bytes.toString("utf8").split("\n").slice(0, -1) };
}
