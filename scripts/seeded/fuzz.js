/**
 * Sends a relay as many frames, documents as many updates, or the HTTP API as many bad requests, as one likes:
 * `npm run fuzz -- --frames 1000000 --seed 2`, `npm run fuzz -- --documents 300000`, `npm run fuzz -- --requests 10000`.
 */
import { runTests, wholeNumbers } from "./run.js";

const { frames, documents, requests, seed } = wholeNumbers({
  frames: 1_000_000,
  documents: 300_000,
  requests: 10_000,
  seed: 1,
});
const isAsked = (/** @type {string} */ name) => process.argv.some((arg) => arg.startsWith(`--${name}`));
const asked = Object.entries({ frames: "fuzz", documents: "documents", requests: "api" }).filter(([name]) =>
  isAsked(name),
);
// one of them, or all
const path = asked.length === 1 ? `test/fuzz/${asked[0]?.[1]}` : "test/fuzz";
runTests(path, { FUZZ_FRAMES: frames, FUZZ_DOCUMENTS: documents, FUZZ_REQUESTS: requests, FUZZ_SEED: seed });
