// @ts-check
/** A Redis server of the bench's own: Debian's, on a port of loopback, with nothing stored. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { findRedis } from "../../scripts/ensure.js";
import { BOTH_CORES, pinned } from "./pinning.js";
import { start, stop } from "./processes.js";
import { accepts, freePort } from "./servers.js";

const ensure = fileURLToPath(new URL("../../scripts/ensure.js", import.meta.url));

/** @typedef {{ port: number, pid: number, child: import("node:child_process").ChildProcess, stop: () => Promise<void> }} RunningRedis */

/**
 * @param {number} [given]  Its port; default a free one.
 * @returns {Promise<RunningRedis>}
 */
export async function startRedis(given) {
  const port = given ?? (await freePort());
  const nothingStored = ["--save", "", "--appendonly", "no"];
  const command = [path(), "--bind", "127.0.0.1", "--port", String(port), ...nothingStored];
  const child = start(pinned(BOTH_CORES, command));
  const { pid } = child;
  if (pid === undefined) throw new Error("Redis does not start");
  await accepts("Redis", port);
  return { port, pid, child, stop: () => stop(child) };
}

/** Installs it where it is missing and may be installed. */
function path() {
  if (findRedis() === null) execFileSync(process.execPath, [ensure, "redis"], { stdio: ["ignore", 2, 2] });
  const found = findRedis();
  if (found === null) throw new Error("no redis-server: node scripts/ensure.js redis");
  return found;
}
