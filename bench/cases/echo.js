// @ts-check
/** The room again, with clients that send back what they hear: the libraries that people use do. */
import { hocuspocus, relay, yWebsocket } from "../runner/servers.js";
import { describe, hasCollapsed, measureRoom } from "./measure-room.js";

const SIZES = [25, 50, 100, 200];

/** @type {import("./case.js").Case<{ rows: import("./measure-room.js").RoomRow[] }>} */
export const echo = {
  name: "echo",
  summary: "the room with clients that send every state they receive back, as y-websocket and Hocuspocus clients do",
  async run({ quick, log, attempt }) {
    const times = quick ? { warmMs: 1_000, windowMs: 2_000 } : { warmMs: 3_000, windowMs: 10_000 };
    /** @type {import("./measure-room.js").RoomRow[]} */
    const rows = [];
    const collapsed = new Set();
    for (const perRoom of SIZES) {
      log(`${perRoom} people`);
      for (const kind of [relay(), yWebsocket, hocuspocus].filter(({ name }) => !collapsed.has(name))) {
        const row = await attempt(kind.name, () => measureRoom(kind, { perRoom, echo: true, ...times }));
        if (row !== null) {
          rows.push(row);
          log(`  ${describe(row)}`);
        }
        if (row === null || hasCollapsed(row)) collapsed.add(kind.name);
      }
    }
    return { rows };
  },
};
