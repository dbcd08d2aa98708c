// @ts-check
/** 1,000 people join one room within a second. */
import { hocuspocus, relay, relayOwn, yWebsocket } from "../runner/servers.js";
import { onServer } from "./on-server.js";

const LIMIT_MS = 60_000;

/** @typedef {Awaited<ReturnType<typeof onServer<"joinStorm">>>} JoinStormRow */

/** @type {import("./case.js").Case<{ rows: JoinStormRow[] }>} */
export const joinStorm = {
  name: "join-storm",
  summary: "1,000 people join one room within a second: until all see all",
  async run({ quick, log, attempt }) {
    const options = { people: quick ? 300 : 1_000, limitMs: LIMIT_MS };
    /** @type {JoinStormRow[]} */
    const rows = [];
    for (const kind of [relay(), relayOwn, yWebsocket, hocuspocus]) {
      const row = await attempt(kind.name, () => onServer(kind, "joinStorm", options, 2 * LIMIT_MS));
      if (row === null) continue;
      rows.push(row);
      const all =
        row.allSeeAllMs === null
          ? `${(100 * row.seenShare).toFixed(1)} % seen at the limit`
          : `all see all after ${Math.round(row.allSeeAllMs)} ms`;
      log(`${row.server}: ${all}, ${row.serverCpuSeconds.toFixed(2)} s of CPU, ${(row.bytes / 1e6).toFixed(0)} MB`);
    }
    return { rows };
  },
};
