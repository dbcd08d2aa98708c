/** What the scripts share that run a seeded test for longer than `npm test` does. */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

/**
 * The options of the command line, whole numbers above 0; a wrong one ends the process with 2.
 *
 * @template {string} Name
 * @param {Readonly<Record<Name, number>>} defaults
 * @returns {Record<Name, number>}
 */
export function wholeNumbers(defaults) {
  const entries = /** @type {[Name, number][]} */ (Object.entries(defaults));
  const options = Object.fromEntries(
    entries.map(([name, value]) => [name, { type: /** @type {const} */ ("string"), default: `${value}` }]),
  );
  const { values } = parsed(options);
  const numbers = entries.map(([name]) => {
    const value = String(values[name]);
    if (!/^[1-9]\d*$/.test(value)) {
      console.error(`--${name} must be a whole number above 0, not "${value}"`);
      process.exit(2);
    }
    return [name, Number(value)];
  });
  return Object.fromEntries(numbers);
}

/**
 * @param {NonNullable<import("node:util").ParseArgsConfig["options"]>} options
 */
function parsed(options) {
  try {
    return parseArgs({ options });
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`);
    console.error(`${error instanceof Error ? error.message : String(error)}; there are ${known.join(" and ")}`);
    process.exit(2);
  }
}

/**
 * Runs tests, and ends as they do.
 *
 * @param {string} path
 * @param {Readonly<Record<string, number>>} settings  for their environment
 * @param {string} [project]  of vite.config.ts
 */
export function runTests(path, settings, project = "unit") {
  const env = Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, `${value}`]));
  const { status } = spawnSync("npx", ["vitest", "run", "--project", project, "--retry", "0", path], {
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  process.exit(status ?? 1);
}
