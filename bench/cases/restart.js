// @ts-check
/** A thousand tabs in three rooms each, whose server is restarted. Real client libraries, all in one process. */
import { generate } from "../runner/generate.js";
import { relay, relayOwn, startServer, yWebsocket } from "../runner/servers.js";
import { cpuSeconds } from "../generator/proc.js";

/** @typedef {Awaited<ReturnType<typeof import("../generator/scenarios/restart.js").restart>> & { server: string, serverCpuSeconds: number }} RestartRow */

/** @type {import("./case.js").Case<{ rows: RestartRow[] }>} */
export const restart = {
  name: "restart",
  summary: "1,000 tabs in three rooms each, whose server is restarted: until each sees everybody again",
  async run({ quick, log, attempt }) {
    const options = { tabs: quick ? 200 : 1_000, roomsEach: 3, joinLimitMs: 120_000, limitMs: 60_000 };
    /** @type {RestartRow[]} */
    const rows = [];
    for (const kind of [relayOwn, relay(), yWebsocket]) {
      const row = await attempt(kind.name, () => measure(kind, options));
      if (row === null) continue;
      rows.push(row);
      const times = `half back after ${row.medianMs} ms, the last after ${row.lastMs} ms`;
      log(`${row.server}: ${row.sockets} sockets, ${times}, ${row.serverCpuSeconds.toFixed(2)} s of the server's CPU`);
    }
    return { rows };
  },
};

/**
 * @param {import("../runner/servers.js").ServerKind} kind
 * @param {{ tabs: number, roomsEach: number, joinLimitMs: number, limitMs: number }} options
 * @returns {Promise<RestartRow>}
 */
async function measure(kind, options) {
  const first = await startServer(kind);
  const { port } = first;
  /** @type {Promise<import("../runner/servers.js").RunningServer>} */
  const second = new Promise((resolve, reject) => {
    first.child.once("exit", () => void startServer(kind, { port }).then(resolve, reject));
  });
  second.catch(() => {});
  try {
    const place = { port, serverPid: first.pid, kind: kind.client };
    const timeoutMs = options.joinLimitMs + 2 * options.limitMs + 10_000;
    const result = await generate("restart", { ...options, ...place }, { timeoutMs });
    // the server that came after counts: it has let all of them in again
    return { server: kind.name, ...result, serverCpuSeconds: cpuSeconds((await second).pid) };
  } finally {
    await first.stop();
    await (await second).stop();
  }
}
