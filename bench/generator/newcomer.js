// @ts-check
/** Starts a client of ours in a process of its own, and says how long it took until it had the lobby's roster. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const path = fileURLToPath(new URL("../peers/newcomer.js", import.meta.url));

/**
 * @param {number} port
 * @returns {Promise<{ rosterMs: number, users: number }>}
 */
export async function newcomer(port) {
  const child = fork(path, [`ws://127.0.0.1:${port}`]);
  const [result] = await once(child, "message");
  child.kill();
  return result;
}
