// @ts-check
/** 10,000 idle connections: the memory of each, and how long they take to be let in. */
import { hocuspocus, relay, relayOwn, yWebsocket } from "../runner/servers.js";
import { onServer } from "./on-server.js";

/** @typedef {Awaited<ReturnType<typeof onServer<"connections">>>} ConnectionsRow */

/** @type {import("./case.js").Case<{ rows: ConnectionsRow[] }>} */
export const connections = {
  name: "connections",
  summary: "10,000 idle connections in 2,000 rooms: memory of each, and the time to let all in",
  async run({ quick, log, attempt }) {
    const options = { rooms: quick ? 400 : 2_000, perRoom: 5, settleMs: quick ? 2_000 : 10_000 };
    /** @type {ConnectionsRow[]} */
    const rows = [];
    for (const kind of [relay(), relayOwn, yWebsocket, hocuspocus]) {
      const row = await attempt(kind.name, () => onServer(kind, "connections", options, 120_000));
      if (row === null) continue;
      rows.push(row);
      log(`${row.server}: ${(row.bytesEach / 1000).toFixed(1)} KB each, all in after ${Math.round(row.acceptedMs)} ms`);
    }
    return { rows };
  },
};
