/** Sends a relay as many frames as one likes: `npm run fuzz -- --frames 1000000 --seed 2`. */
import { runTests, wholeNumbers } from "./seeded.js";

const { frames, seed } = wholeNumbers({ frames: 1_000_000, seed: 1 });
runTests("test/fuzz", { FUZZ_FRAMES: frames, FUZZ_SEED: seed });
