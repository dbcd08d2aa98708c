/**
 * Runs the simulation with as many seeds as one likes: `npm run simulate -- --seeds 10000`. `--seed 71` begins there;
 * with `--seeds 1` it replays one, and prints all that led to a violation.
 */
import { runTests, wholeNumbers } from "./run.js";

const { seed, seeds } = wholeNumbers({ seed: 1, seeds: 1_000 });
runTests(
  "test/simulation/simulation.test.ts",
  {
    SIM_SEED: seed,
    SIM_SEEDS: seeds,
    SIM_TRACE: seeds === 1 ? 100_000 : 60,
  },
  "apart",
);
