// @ts-check
/** One room that grows: what it costs, how fresh it is, and how large it may get. */
import { hocuspocus, relay, relayOwn, yWebsocket } from "../runner/servers.js";
import { findLargest, searchTimes } from "./largest.js";
import { describe, hasCollapsed, measureRoom } from "./measure-room.js";

const SIZES = [2, 5, 10, 25, 50, 100, 200, 400, 800];
const SERVERS = [relay(), relayOwn, yWebsocket, hocuspocus];
const LIMITS_MS = [100, 250];

/** @typedef {import("./measure-room.js").RoomRow} RoomRow */
/** @typedef {import("./largest.js").Largest} Largest */

/** @type {import("./case.js").Case<{ rows: RoomRow[], largest: Largest[] }>} */
export const room = {
  name: "room",
  summary: "1 room × 2 to 800 people who each move a cursor 10 times a second; then the largest room that stays fresh",
  async run({ quick, log, attempt }) {
    const times = quick ? { warmMs: 1_000, windowMs: 2_000 } : { warmMs: 15_000, windowMs: 10_000 };
    /** @type {RoomRow[]} */
    const rows = [];
    const collapsed = new Set();
    for (const perRoom of SIZES) {
      log(`${perRoom} people`);
      for (const kind of SERVERS.filter(({ name }) => !collapsed.has(name))) {
        const row = await attempt(kind.name, () => measureRoom(kind, { perRoom, ...times }));
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
      for (const limitMs of LIMITS_MS) {
        const found = await findLargest(kind, limitMs, rows, searchTimes(quick), { log, attempt });
        largest.push(found);
        log(`largest room of ${kind.name} with p99 ≤ ${limitMs} ms: ${found.size}, bound by the ${found.bound}`);
      }
    }
    return { rows, largest };
  },
};
