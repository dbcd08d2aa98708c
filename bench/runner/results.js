// @ts-check
/**
 * What was measured, as a file. Running some of the cases replaces those and keeps the others: each case says on which
 * machine it was measured, and with which versions.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describeMachine, describeVersions } from "./machine.js";

/** @typedef {{ machine: ReturnType<typeof describeMachine>, versions: Record<string, string> }} Setting */
/** @typedef {Setting & { measuredAt: string, command: string, failures: string[], data: unknown }} Measured */
/** @typedef {{ cases: Record<string, Measured> }} Results */

/** What is measured here and now is measured on and with this. @returns {Setting} */
export function describeSetting() {
  return { machine: describeMachine(), versions: describeVersions() };
}

/** @param {string} path @returns {Results} */
export function loadResults(path) {
  return read(path) ?? { cases: {} };
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
