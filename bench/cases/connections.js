// @ts-check
/** 10,000 tabs, each in one room and in the lobby: the memory of each, and what it is sent while nothing happens. */
import { hocuspocus, relay, relayOwn, yWebsocket } from "../runner/servers.js";
import { onServer } from "./on-server.js";

/** @typedef {Awaited<ReturnType<typeof onServer<"connections">>>} ConnectionsRow */

/** @type {import("./case.js").Case<{ rows: ConnectionsRow[] }>} */
export const connections = {
  name: "connections",
  summary: "10,000 idle tabs, each in one room and the lobby: memory of each, what it is sent, the time to let all in",
  async run({ quick, log, attempt }) {
    const times = quick ? { settleMs: 2_000, idleMs: 15_000 } : { settleMs: 10_000, idleMs: 60_000 };
    /** @type {ConnectionsRow[]} */
    const rows = [];
    for (const kind of [relayOwn, relay(), yWebsocket, hocuspocus]) {
      // with two sockets a tab all but 20,000 sockets, the most that a process may have on many machines
      const rooms = quick ? 200 : kind.client === "tab" ? 2_000 : 1_900;
      const options = { rooms, perRoom: 5, ...times };
      const row = await attempt(kind.name, () => onServer(kind, "connections", options, 300_000));
      if (row === null) continue;
      rows.push(row);
      const each = `${(row.bytesEach / 1000).toFixed(1)} KB a tab (${row.sockets / row.tabs} sockets)`;
      const idle = `${row.framesPerMinute.toFixed(1)} frames and ${Math.round(row.bytesPerMinute)} bytes a minute`;
      log(`${row.server}: ${each}, ${idle}, all in after ${Math.round(row.acceptedMs)} ms`);
    }
    return { rows };
  },
};
