// @ts-check
/** Starts a client of ours in a process of its own, and says how long it took until it had the lobby's roster. */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { BOTH_CORES, pinned } from "../runner/pinning.js";
import { start, stop } from "../runner/processes.js";

const path = fileURLToPath(new URL("../peers/newcomer.js", import.meta.url));

/**
 * @param {number} port
 * @returns {Promise<{ rosterMs: number, users: number }>}
 */
export async function newcomer(port) {
  // what compiles and collects garbage beside it needs a core of its own, as it has in a browser
  const child = start(pinned(BOTH_CORES, [process.execPath, path, `ws://127.0.0.1:${port}`]), { ipc: true });
  const [result] = await once(child, "message");
  await stop(child);
  return result;
}
