// @ts-check
/** Whether the relay forgets: its memory after the first connections and after ten times as many. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { generate } from "../runner/generate.js";
import { relay, startServer } from "../runner/servers.js";
import { residentBytes } from "../generator/proc.js";

const preload = fileURLToPath(new URL("../servers/memory.js", import.meta.url));

const LEAVE_GRACE_MS = 500;
/** The relay remembers departed ids for two minutes; then nothing should be left. */
const FORGOTTEN_MS = 130_000;

/** @typedef {{ connections: number, seconds: number, heapBytes: number, residentBytes: number }} SoakRow */

/** @type {import("./case.js").Case<{ rows: SoakRow[] }>} */
export const soak = {
  name: "soak",
  summary: "100,000 connections come and go: the relay's memory after the first 10,000 and after all",
  async run({ quick, log }) {
    const total = quick ? 10_000 : 100_000;
    const waitMs = quick ? 5_000 : FORGOTTEN_MS;
    const nodeArgs = ["--expose-gc", "--import", preload];
    const server = await startServer(relay(["--leave-grace", String(LEAVE_GRACE_MS)]), { nodeArgs, ipc: true });
    /** @type {SoakRow[]} */
    const rows = [];
    try {
      for (const [first, until] of [
        [0, total / 10],
        [total / 10, total],
      ]) {
        if (first === undefined || until === undefined) throw new TypeError("unreachable");
        const options = { port: server.port, first, count: until - first };
        const { seconds } = await generate("soak", options, { timeoutMs: 600_000 });
        await sleep(waitMs);
        const { heapUsed } = await memoryOf(server.child);
        rows.push({ connections: until, seconds, heapBytes: heapUsed, residentBytes: residentBytes(server.pid) });
        log(`after ${until} connections: heap ${mega(heapUsed)}, resident ${mega(residentBytes(server.pid))}`);
      }
    } finally {
      await server.stop();
    }
    return { rows };
  },
};

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<NodeJS.MemoryUsage>}
 */
async function memoryOf(child) {
  const answer = once(child, "message");
  child.send("memory");
  const [usage] = await answer;
  return usage;
}

/** @param {number} bytes */
const mega = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
