// @ts-check
/** Processes of the bench: none outlives it. */
import { spawn } from "node:child_process";
import { once } from "node:events";

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();

const STOP_MS = 5_000;

/**
 * @param {readonly string[]} command
 * @param {{ env?: Record<string, string>, ipc?: boolean }} [options]
 */
export function start([file = "", ...args], { env = {}, ipc = false } = {}) {
  const child = spawn(file, args, {
    stdio: ["ignore", "ignore", "pipe", ...(ipc ? [/** @type {const} */ ("ipc")] : [])],
    env: { ...process.env, NODE_ENV: "production", ...env },
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  child.stderr?.on("data", (/** @type {Buffer} */ text) => process.stderr.write(text));
  return child;
}

/** @param {import("node:child_process").ChildProcess} child */
export async function stop(child) {
  if (!running.has(child)) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await exited;
  clearTimeout(timer);
}

function killAll() {
  for (const child of running) child.kill("SIGKILL");
}

process.once("exit", killAll);
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.once(signal, () => {
    console.error(`bench: stopped by ${signal}`);
    process.exit(1);
  });
}
