/** Processes of a cluster on this machine: relays, Redis and a balancer, each on a port of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findRedis } from "../ensure.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** How long a process may take to listen, ms. */
const START_MS = 20_000;

/**
 * @typedef {object} Running
 * @property {import("node:child_process").ChildProcess} child
 * @property {number} port
 * @property {() => string} errors what it wrote to standard error so far
 * @property {() => boolean} isRunning
 * @property {() => Promise<void>} stop kills it, whatever it does, and resolves when it has ended
 */

/** @param {number} ms */
export const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/**
 * Waits until something holds.
 *
 * @param {string} what
 * @param {() => boolean | Promise<boolean>} condition
 * @param {number} [deadlineMs]
 */
export async function until(what, condition, deadlineMs = 20_000) {
  const deadline = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await pause(10);
  }
}

/** @returns {Promise<number>} a port of loopback that nobody uses */
export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/**
 * @param {number} port
 * @param {string} [host]
 * @returns {Promise<boolean>}
 */
export function isListening(port, host = "127.0.0.1") {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/**
 * Starts a program, and waits until it listens.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {number} port
 * @param {string} [host] where it is asked whether it listens
 * @returns {Promise<Running>}
 */
export async function start(program, args, port, host) {
  if (await isListening(port, host)) throw new Error(`port ${port} is in use`);
  // a group of its own: what the user types at the terminal goes to the parent alone, which ends all in order
  const child = spawn(program, args, { cwd: root, stdio: ["ignore", "ignore", "pipe"], detached: true });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors = (errors + String(chunk)).slice(-100_000);
  });
  let hasEnded = false;
  const ended = once(child, "exit");
  child.once("exit", () => {
    hasEnded = true;
  });
  const stop = async () => {
    // one that is held up takes no other signal
    child.kill("SIGKILL");
    await ended;
  };
  try {
    await until(`${program} listens`, async () => hasEnded || (await isListening(port, host)), START_MS);
    if (hasEnded) throw new Error(`${program} ended: ${errors}`);
  } catch (error) {
    if (!hasEnded) await stop();
    throw error;
  }
  return { child, port, errors: () => errors, isRunning: () => !hasEnded, stop };
}

/**
 * A Redis that stores nothing. `tell` says something to it, and resolves with what it answers.
 *
 * @param {number} port
 * @param {readonly string[]} [options] such as `--requirepass secret`
 * @returns {Promise<Running & { tell: (command: string) => Promise<string> }>}
 */
export async function startRedis(port, options = []) {
  const path = findRedis();
  if (path === null) throw new Error("no redis-server: node scripts/ensure.js redis");
  const folder = mkdtempSync(join(tmpdir(), "copresence-redis-"));
  const settings = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  const redis = await start(path, [...settings, ...options], port);
  const stop = async () => {
    await redis.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...redis, stop, tell: (command) => tell(port, command) };
}

/**
 * Says one command to a Redis, as a person at a terminal would.
 *
 * @param {number} port
 * @param {string} command
 * @returns {Promise<string>} the first that it answers
 */
function tell(port, command) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`${command}\r\n`));
    socket.once("data", (answer) => {
      resolve(String(answer));
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

/**
 * The `copresence` command.
 *
 * @param {number} port
 * @param {readonly string[]} flags
 * @param {string} [host]
 * @param {string} [namespace] the network namespace in which it runs
 * @returns {Promise<Running>}
 */
export function startRelay(port, flags, host = "127.0.0.1", namespace) {
  const command = [process.execPath, "dist/cli.js", "--host", host, "--port", `${port}`, ...flags];
  const [program = "", ...args] = namespace === undefined ? command : ["ip", "netns", "exec", namespace, ...command];
  return start(program, args, port, host);
}

/**
 * Whether a relay is ready: it hears itself through its bus.
 *
 * @param {number} port
 * @param {string} [host]
 */
export async function isReady(port, host = "127.0.0.1") {
  try {
    const response = await fetch(`http://${host}:${port}/readyz`, { headers: { connection: "close" } });
    await response.text();
    return response.status === 200;
  } catch {
    return false;
  }
}
