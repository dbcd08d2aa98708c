// @ts-check
/** What a backend that asks 1,000 times a second costs those who move cursors in a busy room. */
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { generate } from "../runner/generate.js";
import { GENERATOR_CORE, pinned } from "../runner/pinning.js";
import { start, stop } from "../runner/processes.js";
import { relay, startServer } from "../runner/servers.js";

const KEY = "a-key-for-the-bench";
const RATE = 1_000;
const ROOM = { rooms: 1, perRoom: 100, changesPerSecond: 10, measured: 25 };
/** As the generator names its rooms. */
const NAME = "room-0";

/** @typedef {"nobody" | "room" | "batch"} Asked */
/** @typedef {{ answers: number, failures: number, p50: number, p99: number }} Answered */
/**
 * @typedef {Awaited<ReturnType<typeof generate<"room">>> & { asked: Asked, answered: Answered | null }} ApiRow
 */

/** @type {import("./case.js").Case<{ rows: ApiRow[] }>} */
export const api = {
  name: "api",
  summary: "a busy room of 100 while a backend asks the HTTP API 1,000 times a second",
  async run({ quick, log, attempt }) {
    const times = quick ? { warmMs: 2_000, windowMs: 8_000 } : { warmMs: 5_000, windowMs: 30_000 };
    /** @type {ApiRow[]} */
    const rows = [];
    for (const asked of /** @type {const} */ (["nobody", "room", "batch"])) {
      const row = await attempt(asked, () => measure(asked, times));
      if (row === null) continue;
      rows.push(row);
      const { freshness, serverCores, answered } = row;
      const answers =
        answered === null ? "" : `; ${answered.answers} answers, p99 ${answered.p99} ms, ${answered.failures} failed`;
      log(
        `${asked}: cursors p50 ${freshness.p50} ms, p99 ${freshness.p99} ms, ${Math.round(100 * serverCores)} % of a core${answers}`,
      );
    }
    return { rows };
  },
};

/**
 * @param {Asked} asked
 * @param {{ warmMs: number, windowMs: number }} times
 * @returns {Promise<ApiRow>}
 */
async function measure(asked, times) {
  const server = await startServer(relay(["--api-key", KEY, "--api-rate", "0"]));
  const path = fileURLToPath(new URL("../peers/api-caller.js", import.meta.url));
  // whose turn is last on the generator's core: it is to disturb the relay, and not those who measure
  const args = [
    "nice",
    "-n",
    "19",
    process.execPath,
    path,
    `http://127.0.0.1:${server.port}`,
    KEY,
    String(RATE),
    asked,
    NAME,
  ];
  const caller = asked === "nobody" ? null : start(pinned(GENERATOR_CORE, args), { ipc: true });
  try {
    const place = { port: server.port, serverPid: server.pid, kind: server.kind.client };
    const window = await generate("room", { ...ROOM, ...times, ...place }, { timeoutMs: 120_000 });
    return { ...window, asked, answered: caller === null ? null : await answersOf(caller) };
  } finally {
    if (caller !== null) await stop(caller);
    await server.stop();
  }
}

/**
 * @param {import("node:child_process").ChildProcess} caller
 * @returns {Promise<Answered>}
 */
async function answersOf(caller) {
  const answer = once(caller, "message");
  caller.send("how many?");
  const [answered] = await answer;
  return answered;
}
