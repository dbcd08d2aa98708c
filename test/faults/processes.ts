/** Real processes, to be killed for real. They run what is built: `npm test` builds first. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { until } from "../support.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

export interface RunningProcess {
  readonly process: ChildProcess;
  readonly lines: string[];
  /** What it says is wrong, but for slow flushes. */
  readonly errors: string[];
  /** The exit code, or the signal that ended it; undefined while it runs. */
  readonly exit: () => number | string | undefined;
}

/** Runs a script of this project in Node, until the end of the test. @param env variables besides those of this process */
export function run(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RunningProcess {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const errors: string[] = [];
  let exit: number | string | undefined;
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  createInterface({ input: child.stderr }).on("line", (line) => {
    console.error(line);
    // a busy machine is no fault
    if (!line.includes("it took long to tell a room")) errors.push(line);
  });
  child.once("exit", (code, signal) => {
    exit = code ?? signal ?? "unknown";
  });
  onTestFinished(() => {
    // a stopped process takes no other signal
    child.kill("SIGKILL");
  });
  return { process: child, lines, errors, exit: () => exit };
}

/** The `copresence` command, once it listens. */
export async function runRelay(
  flags: readonly string[] = [],
  port = 0,
): Promise<RunningProcess & { url: string; port: number }> {
  const relay = run("dist/cli.js", ["--host", "127.0.0.1", "--port", String(port), ...flags]);
  await until("the relay listens", () => relay.lines.length > 0 || relay.exit() !== undefined, 30_000);
  const url = /ws:\S+/.exec(relay.lines[0] ?? "")?.[0] ?? "";
  return { ...relay, url, port: Number(url.split(":").at(-1)) };
}
