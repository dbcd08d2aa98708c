// Runs programs, finds those of Debian, and installs these where it may.
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Runs a program to its end.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import("node:child_process").ExecFileOptions & { input?: string }} [options]
 * @returns {Promise<string>} what it said; rejects with the same if it failed
 */
export async function call(program, args, { input, ...options } = {}) {
  const running = run(program, args, { encoding: "utf8", maxBuffer: 2 ** 26, ...options });
  running.child.stdin?.end(input);
  try {
    const { stdout, stderr } = await running;
    return String(stdout) + String(stderr);
  } catch (error) {
    const { stdout = "", stderr = "" } = /** @type {Error & { stdout?: string, stderr?: string }} */ (error);
    throw new Error(`${program} ${args.join(" ")}\n${stdout}${stderr}`, { cause: error });
  }
}

/**
 * Whether a program is there, after Debian's package with it was installed, if that is possible.
 *
 * @param {string} program
 * @param {string} debianPackage
 */
export function ensure(program, debianPackage) {
  const has = () => spawnSync("which", [program]).status === 0;
  if (has()) return true;
  if (process.getuid?.() !== 0 || spawnSync("apt-get", ["--version"]).status !== 0) return false;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  spawnSync("apt-get", ["update"], { stdio: "ignore", env });
  spawnSync("apt-get", ["install", "-y", "--no-install-recommends", debianPackage], { stdio: "ignore", env });
  return has();
}

/**
 * Starts a program that goes on until it is stopped.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export function start(program, args, env = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stdout.on("data", (chunk) => (said += chunk));
  child.stderr.on("data", (chunk) => (said += chunk));
  const ended = once(child, "exit");
  return {
    said: () => said,
    hasEnded: () => child.exitCode !== null,
    stop: async () => {
      if (child.exitCode === null) child.kill("SIGTERM");
      await ended;
    },
  };
}

/**
 * @param {string} what
 * @param {() => Promise<boolean> | boolean} condition
 */
export async function until(what, condition, ms = 60_000) {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${ms / 1_000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}
