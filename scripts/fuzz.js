/**
 * Sends a relay as many frames, or documents as many updates, as one likes: `npm run fuzz -- --frames 1000000 --seed 2`,
 * `npm run fuzz -- --documents 300000`.
 */
import { runTests, wholeNumbers } from "./seeded.js";

const { frames, documents, seed } = wholeNumbers({ frames: 1_000_000, documents: 300_000, seed: 1 });
const isAsked = (/** @type {string} */ name) => process.argv.some((arg) => arg.startsWith(`--${name}`));
const path =
  isAsked("frames") === isAsked("documents")
    ? "test/fuzz"
    : isAsked("documents")
      ? "test/fuzz/documents"
      : "test/fuzz/fuzz";
runTests(path, { FUZZ_FRAMES: frames, FUZZ_DOCUMENTS: documents, FUZZ_SEED: seed });
