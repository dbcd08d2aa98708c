/**
 * Runs the simulation with as many seeds as one likes: `npm run simulate -- --seeds 10000`. `--seed 71` begins there;
 * with `--seeds 1` it replays one, and prints all that led to a violation.
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { seed: { type: "string", default: "1" }, seeds: { type: "string", default: "1000" } },
});
for (const [name, value] of Object.entries(values)) {
  if (!/^[1-9]\d*$/.test(value)) {
    console.error(`--${name} must be a whole number above 0, not "${value}"`);
    process.exit(2);
  }
}
const { status } = spawnSync("npx", ["vitest", "run", "--project", "unit", "test/simulation"], {
  stdio: "inherit",
  env: {
    ...process.env,
    SIM_SEED: values.seed,
    SIM_SEEDS: values.seeds,
    SIM_TRACE: values.seeds === "1" ? "100000" : "60",
  },
});
process.exit(status ?? 1);
