// Finds a PostgreSQL server for the tests, and as root on Debian installs one if there is none. Prints the folder of its
// programs.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAMS = ["initdb", "postgres"];
/** Where Debian has the programs of each version: they are in nobody's PATH. */
const DEBIAN = "/usr/lib/postgresql";

/**
 * The folder with `initdb` and `postgres` on this machine: `POSTGRES_BIN` and nothing else if that is set.
 *
 * @returns {string | null}
 */
export function findPostgres() {
  const chosen = process.env.POSTGRES_BIN;
  if (chosen !== undefined && chosen !== "") return hasServer(chosen) ? chosen : null;
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a)) : [];
  const places = [
    ...versions.map((version) => join(DEBIAN, version, "bin")),
    ...(process.env.PATH ?? "").split(delimiter),
  ];
  return places.find(hasServer) ?? null;
}

/** @param {string} folder */
function hasServer(folder) {
  try {
    for (const program of PROGRAMS) accessSync(join(folder, program), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Tries to install Debian's PostgreSQL; what apt-get says goes to stderr. */
function install() {
  /** @param {string[]} args */
  const aptGet = (...args) =>
    spawnSync("apt-get", args, {
      stdio: ["ignore", 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    }).status === 0;
  return aptGet("update") && aptGet("install", "-y", "--no-install-recommends", "postgresql");
}

function main() {
  const chosen = process.env.POSTGRES_BIN;
  const canInstall = !chosen && process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
  const path = findPostgres() ?? (canInstall && install() ? findPostgres() : null);
  if (path !== null) {
    console.log(path);
    return;
  }
  console.error(
    chosen
      ? `POSTGRES_BIN is ${chosen}, a folder in which initdb and postgres cannot be executed.`
      : "No PostgreSQL server found for the tests. Install PostgreSQL (on Debian, as root: apt-get install postgresql), " +
          "or set POSTGRES_BIN to the folder with its programs initdb and postgres.",
  );
  process.exitCode = 1;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) main();
