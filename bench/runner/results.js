// @ts-check
/**
 * What was measured, as a file. Running some of the cases replaces those and keeps the others, as long as they were
 * measured on the same machine with the same versions.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describeMachine, describeVersions } from "./machine.js";

/** @typedef {{ measuredAt: string, command: string, failures: string[], data: unknown }} Measured */
/** @typedef {{ machine: ReturnType<typeof describeMachine>, versions: Record<string, string>, cases: Record<string, Measured> }} Results */

/** @param {string} path @returns {Results} */
export function loadResults(path) {
  const here = { machine: describeMachine(), versions: describeVersions() };
  const earlier = read(path);
  if (earlier === null) return { ...here, cases: {} };
  const { machine, versions } = earlier;
  return isDeepStrictEqual({ machine, versions }, here) ? earlier : { ...here, cases: {} };
}

/**
 * @param {string} path
 * @param {Results} results
 */
export function saveResults(path, results) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`);
}

/** @param {string} path @returns {Results | null} */
function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}
