// Finds a Redis or Valkey server for the tests of the bus, and as root on Debian installs one if there is none. Prints its path.
import { spawnSync } from "node:child_process";
import { accessSync, constants, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const NAMES = ["redis-server", "valkey-server"];

/**
 * The path of a Redis server on this machine: `REDIS_SERVER_PATH` and nothing else if that is set.
 *
 * @returns {string | null}
 */
export function findRedis() {
  const chosen = process.env.REDIS_SERVER_PATH;
  if (chosen !== undefined && chosen !== "") return isExecutable(chosen) ? chosen : null;
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin", "/usr/local/bin"];
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable) ?? null;
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Tries to install Debian's Redis, which the tests start themselves; what apt-get says goes to stderr. */
function install() {
  /** @param {string[]} args */
  const aptGet = (...args) =>
    spawnSync("apt-get", args, {
      stdio: ["ignore", 2, 2],
      // no service is to be started with it
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
    }).status === 0;
  return aptGet("update") && aptGet("install", "-y", "--no-install-recommends", "redis-server");
}

function main() {
  const chosen = process.env.REDIS_SERVER_PATH;
  const canInstall = !chosen && process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
  const path = findRedis() ?? (canInstall && install() ? findRedis() : null);
  if (path !== null) {
    console.log(path);
    return;
  }
  console.error(
    chosen
      ? `REDIS_SERVER_PATH is ${chosen}, which is not an executable file.`
      : "No redis-server found for the tests of the bus. Install Redis or Valkey (on Debian, as root: apt-get install " +
          "redis-server), or set REDIS_SERVER_PATH to the path of its executable.",
  );
  process.exitCode = 1;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main();
