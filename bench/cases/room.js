// @ts-check
/** One room that grows: what it costs, how fresh it is, and how large it may get. */
import { hocuspocus, relay, relayOwn, yWebsocket } from "../runner/servers.js";
import { describe, hasCollapsed, measureRoom } from "./measure-room.js";

const SIZES = [10, 25, 50, 100, 200, 400, 800];
const SERVERS = [relay(), relayOwn, yWebsocket, hocuspocus];
const LIMITS_MS = [100, 250];

/** No more is asked of anybody. */
const LARGEST = 4_000;
const GROWTH = 1.25;

/** @typedef {import("./measure-room.js").RoomRow} RoomRow */
/** @typedef {{ server: string, limitMs: number, size: number, next: { size: number, generatorBound: boolean } | null, bound: "server" | "generator" }} Largest */

/** @type {import("./case.js").Case<{ rows: RoomRow[], largest: Largest[] }>} */
export const room = {
  name: "room",
  summary: "1 room × 10 to 800 people who each move a cursor 10 times a second; then the largest room that stays fresh",
  async run({ quick, log, attempt }) {
    const times = quick ? { warmMs: 1_000, windowMs: 2_000 } : { warmMs: 3_000, windowMs: 10_000 };
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
    const search = quick ? { ...times, tolerance: 1.3 } : { warmMs: 2_000, windowMs: 5_000, tolerance: 1.1 };
    for (const kind of SERVERS) {
      for (const limitMs of LIMITS_MS) {
        const found = await findLargest(kind, limitMs, rows, search, { log, attempt });
        largest.push(found);
        log(`largest room of ${kind.name} with p99 ≤ ${limitMs} ms: ${found.size}, bound by the ${found.bound}`);
      }
    }
    return { rows, largest };
  },
};

/**
 * @param {import("../runner/servers.js").ServerKind} kind
 * @param {number} limitMs
 * @param {readonly RoomRow[]} rows  what is known already
 * @param {{ warmMs: number, windowMs: number, tolerance: number }} search
 * @param {Pick<import("./case.js").Context, "log" | "attempt">} context
 * @returns {Promise<Largest>}
 */
async function findLargest(kind, limitMs, rows, { tolerance, ...times }, { log, attempt }) {
  const own = rows.filter(({ server }) => server === kind.name);
  /** @param {RoomRow} row */
  const holds = (row) => row.freshness.p99 <= limitMs;
  let size = Math.max(0, ...own.filter(holds).map((row) => row.size));
  /** @type {Largest["next"]} */
  let next = own.find((row) => row.size > size) ?? null;
  while (next === null || next.size / size > tolerance) {
    const perRoom = Math.round(next === null ? size * GROWTH : Math.sqrt(Math.max(1, size) * next.size));
    if (perRoom > LARGEST || perRoom === size || perRoom === next?.size) break;
    const measure = async () => {
      const row = await attempt(`${kind.name}, ${perRoom} people`, () => measureRoom(kind, { perRoom, ...times }));
      if (row !== null) log(`  ${perRoom} people: ${describe(row)}`);
      return row;
    };
    let row = await measure();
    // what else the machine does can only make it worse: nobody fails by one measurement
    if (row !== null && !holds(row)) row = await measure();
    if (row !== null && holds(row)) size = perRoom;
    else next = { size: perRoom, generatorBound: row?.generatorBound === true };
  }
  const bound = next === null || next.generatorBound ? "generator" : "server";
  return { server: kind.name, limitMs, size, next, bound };
}
