// Finds programs that the tests need beside the packages of npm, and as root on Debian installs those that are missing. Prints
// where they are.
//
//   node scripts/ensure.js chromium postgres redis haproxy nginx
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const path = (process.env.PATH ?? "").split(delimiter);

/** @param {...string} files */
function areExecutable(...files) {
  try {
    for (const file of files) accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * What a variable names, if it is fit, and nothing else if it is set; else the first of these that is fit.
 *
 * @param {string} variable
 * @param {(place: string) => boolean} isFit
 * @param {() => readonly string[]} places
 * @returns {string | null}
 */
function find(variable, isFit, places) {
  const chosen = process.env[variable];
  if (chosen !== undefined && chosen !== "") return isFit(chosen) ? chosen : null;
  return places().find((place) => isFit(place)) ?? null;
}

/** @param {readonly string[]} folders @param {readonly string[]} names */
const within = (folders, names) => folders.flatMap((folder) => names.map((name) => join(folder, name)));

/** The path of a Chromium or Chrome on this machine: `CHROMIUM_PATH` and nothing else if that is set. */
export function findChromium() {
  const windows = [process.env.PROGRAMFILES, process.env["PROGRAMFILES(X86)"], process.env.LOCALAPPDATA]
    .filter((folder) => folder !== undefined)
    .map((folder) => join(folder, "Google", "Chrome", "Application", "chrome.exe"));
  return find("CHROMIUM_PATH", areExecutable, () => [
    ...within(path, ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"]),
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ...windows,
  ]);
}

/** The folder with `initdb` and `postgres` on this machine: `POSTGRES_BIN` and nothing else if that is set. */
export function findPostgres() {
  // where Debian has the programs of each version: they are in nobody's PATH
  const debian = "/usr/lib/postgresql";
  /** @param {string} folder */
  const hasServer = (folder) => areExecutable(join(folder, "initdb"), join(folder, "postgres"));
  return find("POSTGRES_BIN", hasServer, () => {
    const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
    return [...versions.map((version) => join(debian, version, "bin")), ...path];
  });
}

/** The path of a Redis or Valkey server on this machine: `REDIS_SERVER_PATH` and nothing else if that is set. */
export function findRedis() {
  return find("REDIS_SERVER_PATH", areExecutable, () =>
    within([...path, "/usr/bin", "/usr/local/bin"], ["redis-server", "valkey-server"]),
  );
}

/** @typedef {"nginx" | "haproxy"} Balancer */

/** @type {readonly Balancer[]} */
export const BALANCERS = ["haproxy", "nginx"];

/**
 * The path of a balancer on this machine: `NGINX_PATH` or `HAPROXY_PATH` and nothing else if that is set.
 *
 * @param {Balancer} name
 */
export function findBalancer(name) {
  return find(`${name.toUpperCase()}_PATH`, areExecutable, () =>
    within([...path, "/usr/sbin", "/usr/local/sbin", "/usr/local/bin"], [name]),
  );
}

/**
 * @typedef {object} Program
 * @property {string} name       what it is called
 * @property {() => string | null} find
 * @property {string} variable   names it on systems other than Debian
 * @property {string} what       is in the variable
 * @property {readonly string[]} packages  of Debian
 */

/** @type {Readonly<Record<string, Program>>} */
const PROGRAMS = {
  chromium: {
    name: "Chromium or Google Chrome",
    find: findChromium,
    variable: "CHROMIUM_PATH",
    what: "the path of its executable",
    packages: ["chromium", "fonts-liberation"],
  },
  postgres: {
    name: "PostgreSQL server",
    find: findPostgres,
    variable: "POSTGRES_BIN",
    what: "the folder with its programs initdb and postgres",
    packages: ["postgresql"],
  },
  redis: {
    name: "Redis or Valkey server",
    find: findRedis,
    variable: "REDIS_SERVER_PATH",
    what: "the path of its executable",
    packages: ["redis-server"],
  },
  haproxy: {
    name: "HAProxy",
    find: () => findBalancer("haproxy"),
    variable: "HAPROXY_PATH",
    what: "the path of its executable",
    packages: ["haproxy"],
  },
  nginx: {
    name: "nginx",
    find: () => findBalancer("nginx"),
    variable: "NGINX_PATH",
    what: "the path of its executable",
    packages: ["nginx"],
  },
};

/** Tries to install packages of Debian; what apt-get says goes to stderr. @param {readonly string[]} packages */
function install(packages) {
  /** @param {string[]} args */
  const aptGet = (...args) =>
    spawnSync("apt-get", args, {
      stdio: ["ignore", 2, 2],
      // no service is to be started with them: the tests start their own
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
    }).status === 0;
  return aptGet("update") && aptGet("install", "-y", "--no-install-recommends", ...packages);
}

/** @param {string} key */
function ensure(key) {
  const program = PROGRAMS[key];
  if (program === undefined) return `there is no "${key}" to ensure: give some of ${Object.keys(PROGRAMS).join(", ")}`;
  const { name, variable, what, packages } = program;
  const chosen = process.env[variable];
  const canInstall = !chosen && process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
  const found = program.find() ?? (canInstall && install(packages) ? program.find() : null);
  if (found !== null) {
    console.log(found);
    return null;
  }
  if (chosen) return `${variable} is ${chosen}, and has to be ${what}.`;
  return (
    `No ${name} found for the tests. Install it (on Debian, as root: apt-get install ${packages.join(" ")}), or set ` +
    `${variable} to ${what}.`
  );
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const key of process.argv.slice(2)) {
    const problem = ensure(key);
    if (problem === null) continue;
    console.error(problem);
    process.exitCode = 1;
  }
}
