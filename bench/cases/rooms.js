// @ts-check
/** Many small rooms; and a quiet one, where a change has nothing to wait for. */
import { hocuspocus, relay, relayOwn, yWebsocket } from "../runner/servers.js";
import { describe, measureRoom } from "./measure-room.js";

/** @typedef {import("./measure-room.js").RoomRow & { rooms: number, changesPerSecond: number }} RoomsRow */

const SETTINGS = [
  { rooms: 100, perRoom: 5, changesPerSecond: 5, measured: 250 },
  { rooms: 1_000, perRoom: 5, changesPerSecond: 1, measured: 500 },
  // one change every 200 ms: each has been flushed long before the next
  { rooms: 1, perRoom: 5, changesPerSecond: 1, measured: 5 },
];

/** @type {import("./case.js").Case<{ rows: RoomsRow[] }>} */
export const rooms = {
  name: "rooms",
  summary: "100 rooms × 5 people at 5 changes a second, 1,000 × 5 at 1; and one room where changes are rare",
  async run({ quick, log, attempt }) {
    const times = quick ? { warmMs: 1_000, windowMs: 3_000 } : { warmMs: 15_000, windowMs: 20_000 };
    /** @type {RoomsRow[]} */
    const rows = [];
    for (const setting of SETTINGS) {
      const { rooms: count, perRoom, changesPerSecond } = setting;
      log(`${count} × ${perRoom} at ${changesPerSecond} a second`);
      for (const kind of [relay(), relayOwn, yWebsocket, hocuspocus]) {
        const row = await attempt(kind.name, () => measureRoom(kind, { ...setting, ...times }));
        if (row === null) continue;
        rows.push({ ...row, rooms: count, changesPerSecond });
        log(`  ${describe(row)}`);
      }
    }
    return { rows };
  },
};
