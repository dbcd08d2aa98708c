// @ts-check
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 5;

/**
 * Waits for a condition, but no longer than the limit. Returns whether it came.
 *
 * @param {() => boolean} condition
 * @param {number} limitMs
 */
export async function until(condition, limitMs) {
  const limit = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > limit) return false;
    await sleep(POLL_MS);
  }
  return true;
}
