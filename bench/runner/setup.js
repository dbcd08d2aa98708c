// @ts-check
/** Makes sure that there is something to run: the bench's packages, and the relay built as it is now. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const bench = fileURLToPath(new URL("..", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));

export function setUp() {
  if (!existsSync(`${root}node_modules`)) npm(root, "ci");
  if (!isInstalled()) npm(bench, "ci");
  npm(root, "run", "build", "--silent");
}

/** Whether what is in node_modules is what the lock file says. */
function isInstalled() {
  const installed = `${bench}node_modules/.package-lock.json`;
  if (!existsSync(installed)) return false;
  const { packages: wanted } = readLock(`${bench}package-lock.json`);
  const { packages: found } = readLock(installed);
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === "" || optional === true || found[path]?.version === version,
  );
}

/**
 * @param {string} path
 * @returns {{ packages: Record<string, { version: string, optional?: boolean }> }}
 */
function readLock(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

/**
 * @param {string} folder
 * @param {string[]} args
 */
function npm(folder, ...args) {
  const { status } = spawnSync("npm", args, { cwd: folder, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} failed in ${folder}`);
}
