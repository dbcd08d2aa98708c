/** Installs an example that has a package of its own, as somebody who copies it does, beside the package as it is built. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Outside of the folder of the example, which stays as it is; inside one that nobody commits. */
const cache = join(root, "node_modules/.cache/examples");

/**
 * Copies an example and installs what its lock file names. What was installed for the same lock file before is taken again,
 * but for our package, which is always the one that is built now.
 *
 * @param name its folder in examples/
 * @returns the folder of the copy
 */
export async function installExample(name: string): Promise<string> {
  const source = join(root, "examples", name);
  const lock = readFileSync(join(source, "package-lock.json"));
  const workplace = join(cache, name);
  const folder = join(workplace, "examples", name);
  const stamp = join(workplace, "installed");
  const hash = createHash("sha256").update(lock).digest("hex");
  mkdirSync(workplace, { recursive: true });
  cpSync(join(root, "package.json"), join(workplace, "package.json"));
  rmSync(join(workplace, "dist"), { recursive: true, force: true });
  cpSync(join(root, "dist"), join(workplace, "dist"), { recursive: true });
  const isInstalled = existsSync(stamp) && readFileSync(stamp, "utf8") === hash;
  if (!isInstalled) rmSync(join(workplace, "examples"), { recursive: true, force: true });
  const outside = (path: string): boolean =>
    !/[\\/](node_modules|dist|\.next)([\\/]|$)/.test(path.slice(source.length));
  cpSync(source, folder, { recursive: true, filter: outside });
  if (isInstalled) {
    const ours = join(folder, "node_modules/copresence");
    for (const part of ["dist", "package.json"]) {
      rmSync(join(ours, part), { recursive: true, force: true });
      cpSync(join(workplace, part), join(ours, part), { recursive: true });
    }
    return folder;
  }
  rmSync(stamp, { force: true });
  await promisify(execFile)("npm", ["ci", "--no-audit", "--no-fund", "--prefer-offline"], { cwd: folder });
  writeFileSync(stamp, hash);
  return folder;
}

/** Runs a script of an installed example. */
export async function runScript(folder: string, ...args: readonly string[]): Promise<void> {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: undefined };
  await promisify(execFile)("npm", ["run", ...args], { cwd: folder, env });
}
