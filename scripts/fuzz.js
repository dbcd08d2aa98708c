/** Sends as many frames as one likes to a relay: `npm run fuzz -- --frames 1000000 --seed 2`. */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { frames: { type: "string", default: "1000000" }, seed: { type: "string", default: "1" } },
});
for (const [name, value] of Object.entries(values)) {
  if (!/^[1-9]\d*$/.test(value)) {
    console.error(`--${name} must be a whole number above 0, not "${value}"`);
    process.exit(2);
  }
}
const { status } = spawnSync("npx", ["vitest", "run", "--project", "unit", "test/fuzz"], {
  stdio: "inherit",
  env: { ...process.env, FUZZ_FRAMES: values.frames, FUZZ_SEED: values.seed },
});
process.exit(status ?? 1);
