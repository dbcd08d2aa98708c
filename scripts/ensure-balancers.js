// Finds nginx and HAProxy for `npm run cluster` and the tests of ops/, and as root on Debian installs what is missing. Prints
// their paths.
import { spawnSync } from "node:child_process";
import { accessSync, constants, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {"nginx" | "haproxy"} Balancer */

/** @type {readonly Balancer[]} */
export const BALANCERS = ["haproxy", "nginx"];

/**
 * The path of a balancer on this machine: `NGINX_PATH` or `HAPROXY_PATH` and nothing else if that is set.
 *
 * @param {Balancer} name
 * @returns {string | null}
 */
export function findBalancer(name) {
  const chosen = process.env[`${name.toUpperCase()}_PATH`];
  if (chosen !== undefined && chosen !== "") return isExecutable(chosen) ? chosen : null;
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin", "/usr/local/bin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
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

/**
 * Tries to install Debian's; what apt-get says goes to stderr.
 *
 * @param {readonly string[]} names
 */
function install(names) {
  /** @param {string[]} args */
  const aptGet = (...args) =>
    spawnSync("apt-get", args, {
      stdio: ["ignore", 2, 2],
      // no service is to be started with it
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
    }).status === 0;
  return aptGet("update") && aptGet("install", "-y", "--no-install-recommends", ...names);
}

function main() {
  const missing = () => BALANCERS.filter((name) => findBalancer(name) === null);
  const canInstall = process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
  if (missing().length > 0 && canInstall) install(missing());
  for (const name of BALANCERS) console.log(findBalancer(name) ?? `no ${name}`);
  if (missing().length === 0) return;
  console.error(
    `Not found: ${missing().join(", ")}. Install them (on Debian, as root: apt-get install nginx haproxy), or set NGINX_PATH and ` +
      "HAPROXY_PATH to the paths of their executables.",
  );
  process.exitCode = 1;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main();
