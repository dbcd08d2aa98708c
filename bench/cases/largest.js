// @ts-check
/** The largest room that stays fresh on a server. */
import { describe, measureRoom } from "./measure-room.js";

/** No more is asked of anybody. */
const LARGEST = 4_000;
const GROWTH = 1.25;

/** @typedef {import("./measure-room.js").RoomRow} RoomRow */
/** @typedef {{ server: string, limitMs: number, size: number, next: { size: number, generatorBound: boolean } | null, bound: "server" | "generator" }} Largest */

/** @param {boolean} quick */
export function searchTimes(quick) {
  return quick
    ? { warmMs: 1_000, windowMs: 2_000, tolerance: 1.3 }
    : { warmMs: 2_000, windowMs: 5_000, tolerance: 1.1 };
}

/**
 * @param {import("../runner/servers.js").ServerKind} kind
 * @param {number} limitMs
 * @param {readonly RoomRow[]} rows  what is known already
 * @param {{ warmMs: number, windowMs: number, tolerance: number, echo?: boolean }} search
 * @param {Pick<import("./case.js").Context, "log" | "attempt">} context
 * @returns {Promise<Largest>}
 */
export async function findLargest(kind, limitMs, rows, { tolerance, ...options }, { log, attempt }) {
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
      const row = await attempt(`${kind.name}, ${perRoom} people`, () => measureRoom(kind, { perRoom, ...options }));
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
