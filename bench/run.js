// @ts-check
/** `npm run bench`: sets itself up, runs the cases that were asked for, and writes down what it measured. */
import { fileURLToPath } from "node:url";
import { cases } from "./cases/index.js";
import { writeReport } from "./report/write.js";
import { UsageError, help, readArguments } from "./runner/arguments.js";
import { unpinnedBecause } from "./runner/pinning.js";
import { describeSetting, loadResults, saveResults } from "./runner/results.js";
import { setUp } from "./runner/setup.js";

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/** Rough figures are kept apart. */
const destinations = {
  full: { results: here("results.json"), markdown: here("RESULTS.md"), plots: here("../docs") },
  quick: { results: here("results/quick.json"), markdown: here("results/quick.md"), plots: here("results") },
};

async function main() {
  const { help: wantsHelp, quick, chosen } = readArguments(process.argv.slice(2), cases);
  if (wantsHelp) return void process.stdout.write(help(cases));
  if (process.platform !== "linux") throw new Error("what a server costs is read from /proc: this needs Linux");
  setUp();
  if (unpinnedBecause !== null) console.log(`Processes are not pinned to cores: ${unpinnedBecause}.`);
  const destination = quick ? destinations.quick : destinations.full;
  const results = loadResults(destination.results);
  for (const { name, summary, run } of chosen) {
    console.log(`\n${name}: ${summary}`);
    const measuredAt = new Date().toISOString();
    /** @type {string[]} */
    const failures = [];
    const attempt = attempts(failures);
    const data = await attempt(name, () => run({ quick, log: (line) => console.log(`  ${line}`), attempt }));
    if (failures.length > 0) process.exitCode = 1;
    if (data === null) continue;
    const command = ["npm run bench --", ...(quick ? ["--quick"] : []), name].join(" ");
    results.cases[name] = { ...describeSetting(), measuredAt, command, failures, data };
    saveResults(destination.results, results);
    await writeReport(results, destination);
  }
}

/**
 * @param {string[]} failures  where they are written down
 * @returns {import("./cases/case.js").Context["attempt"]}
 */
function attempts(failures) {
  return async (what, act) => {
    try {
      return await act();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(`${what}: ${reason.split("\n", 1)[0]}`);
      console.error(`  ${what} FAILED: ${reason}`);
      return null;
    }
  };
}

main().catch((/** @type {Error} */ error) => {
  const isUsage = error instanceof UsageError;
  console.error(`bench: ${isUsage ? error.message : error.stack}${isUsage ? "\nTry --help." : ""}`);
  process.exitCode = isUsage ? 2 : 1;
});
