// @ts-check
/** The room again, with clients that send back what they hear: the libraries that people use do. */
import { hocuspocus, relay, yWebsocket } from "../runner/servers.js";
import { findLargest, searchTimes } from "./largest.js";
import { describe, hasCollapsed, measureRoom } from "./measure-room.js";

const SIZES = [25, 50, 100, 200, 400];
const SERVERS = [relay(), yWebsocket, hocuspocus];
const LIMIT_MS = 100;

/** @typedef {import("./largest.js").Largest} Largest */

/** @type {import("./case.js").Case<{ rows: import("./measure-room.js").RoomRow[], largest: Largest[] }>} */
export const echo = {
  name: "echo",
  summary: "the room with clients that send every state they receive back, as y-websocket and Hocuspocus clients do",
  async run({ quick, log, attempt }) {
    const times = quick ? { warmMs: 1_000, windowMs: 2_000 } : { warmMs: 15_000, windowMs: 10_000 };
    /** @type {import("./measure-room.js").RoomRow[]} */
    const rows = [];
    const collapsed = new Set();
    for (const perRoom of SIZES) {
      log(`${perRoom} people`);
      for (const kind of SERVERS.filter(({ name }) => !collapsed.has(name))) {
        const row = await attempt(kind.name, () => measureRoom(kind, { perRoom, echo: true, ...times }));
        if (row !== null) {
          rows.push(row);
          log(`  ${describe(row)}`);
        }
        if (row === null || hasCollapsed(row)) collapsed.add(kind.name);
      }
    }
    /** @type {Largest[]} */
    const largest = [];
    for (const kind of SERVERS) {
      const found = await findLargest(kind, LIMIT_MS, rows, { ...searchTimes(quick), echo: true }, { log, attempt });
      largest.push(found);
      log(`largest room of ${kind.name} with p99 ≤ ${LIMIT_MS} ms: ${found.size}, bound by the ${found.bound}`);
    }
    return { rows, largest };
  },
};
