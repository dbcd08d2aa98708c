// @ts-check
/** Everybody moves a cursor, for a while. */
import { setTimeout as sleep } from "node:timers/promises";
import { Crowd } from "../crowd.js";

/**
 * @param {import("../crowd.js").CrowdOptions & { warmMs: number, windowMs: number }} options
 */
export async function room(options) {
  const crowd = new Crowd(options);
  await crowd.join();
  crowd.start();
  await sleep(options.warmMs);
  const window = await crowd.window(options.windowMs);
  crowd.stop();
  return window;
}
