// @ts-check
/** One of 100 stops reading. */
import { hocuspocus, relay, yWebsocket } from "../runner/servers.js";
import { onServer } from "./on-server.js";

const ROOM = { rooms: 1, perRoom: 100, changesPerSecond: 10, measured: 25 };

/** @typedef {Awaited<ReturnType<typeof onServer<"slowReader">>>} SlowReaderRow */

/** @type {import("./case.js").Case<{ rows: SlowReaderRow[] }>} */
export const slowReader = {
  name: "slow-reader",
  summary: "a room of 100 in which one stops reading for a minute: what the others notice, what the server keeps",
  async run({ quick, log, attempt }) {
    const times = quick
      ? { warmMs: 1_000, aroundMs: 3_000, stoppedMs: 8_000 }
      : { warmMs: 3_000, aroundMs: 20_000, stoppedMs: 60_000 };
    /** @type {SlowReaderRow[]} */
    const rows = [];
    for (const kind of [relay(), yWebsocket, hocuspocus]) {
      const row = await attempt(kind.name, () => onServer(kind, "slowReader", { ...ROOM, ...times }, 300_000));
      if (row === null) continue;
      rows.push(row);
      const { before, during, after, mostResidentBytes } = row;
      const p99 = [before, during, after].map(({ freshness }) => freshness.p99).join(", ");
      const resident = [before.residentBytes, mostResidentBytes, after.residentBytes].map((bytes) =>
        (bytes / 1e6).toFixed(0),
      );
      log(`${row.server}: p99 before, during, after ${p99} ms; resident ${resident.join(", ")} MB`);
    }
    return { rows };
  },
};
