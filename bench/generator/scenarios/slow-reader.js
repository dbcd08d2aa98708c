// @ts-check
/** One of many stops reading: what the others notice of it, and what it costs the server. */
import { setTimeout as sleep } from "node:timers/promises";
import { Crowd } from "../crowd.js";
import { residentBytes } from "../proc.js";

/** Not one of the receivers that are looked at closely. */
const SLOW = 1;
const SAMPLE_MS = 250;

/**
 * @param {import("../crowd.js").CrowdOptions & { warmMs: number, aroundMs: number, stoppedMs: number }} options
 */
export async function slowReader(options) {
  const { serverPid, warmMs, aroundMs, stoppedMs } = options;
  const crowd = new Crowd(options);
  const slow = crowd.connections[SLOW];
  if (slow === undefined) throw new RangeError("a room of one");
  await crowd.join();
  crowd.start();
  await sleep(warmMs);
  const before = await crowd.window(aroundMs);
  let mostResidentBytes = 0;
  const sampler = setInterval(() => {
    mostResidentBytes = Math.max(mostResidentBytes, residentBytes(serverPid));
  }, SAMPLE_MS);
  slow.pause();
  const during = await crowd.window(stoppedMs);
  clearInterval(sampler);
  slow.resume();
  await sleep(warmMs);
  const wasClosed = !slow.isOpen;
  const after = await crowd.window(aroundMs);
  crowd.stop();
  return { before, during, after, mostResidentBytes, wasClosed };
}
