// @ts-check
import { BOUND_NOTE, bytes, marked, microsPerReception, microsPerState, number, percent, table } from "../format.js";

/** @typedef {import("../../cases/measure-room.js").RoomRow} RoomRow */

/** What rooms of moving cursors are told by. */
export const ROOM_HEAD = [
  "server",
  "fresh p50, ms",
  "p95",
  "p99",
  "known",
  "states/s arrived",
  "of all sent",
  "µs CPU a state",
  "µs a change and receiver",
  "core",
  "frames/s",
  "bytes/s",
  "resident",
  "generator",
];

/** @param {RoomRow} row */
export function roomCells(row) {
  const { freshness, seconds } = row;
  return [
    row.server,
    number(freshness.p50),
    number(freshness.p95),
    marked(number(freshness.p99), row),
    percent(row.knownShare),
    number(row.delivered / seconds),
    percent(row.delivered / row.receptions),
    marked(number(microsPerState(row)), row),
    number(microsPerReception(row)),
    percent(row.serverCores),
    number(row.frames / seconds),
    bytes(row.bytes / seconds),
    bytes(row.residentBytes),
    percent(row.generatorCores),
  ];
}

/** @param {{ rows: RoomRow[], largest: import("../../cases/largest.js").Largest[] }} data */
export function roomSection({ rows, largest }) {
  const sizes = [...new Set(rows.map(({ size }) => size))];
  const all = sizes.flatMap((size) => {
    const own = rows.filter((row) => row.size === size);
    return own.map((row) => [String(size), ...roomCells(row)]);
  });
  return [
    "Everybody in one room changes the state of their cursor 10 times a second. A server that has collapsed (p99 above",
    "2 s, or less than half of the changes known) is not tried in larger rooms.",
    "",
    table(["people", ...ROOM_HEAD], all),
    "",
    BOUND_NOTE,
    "",
    ...largestLines(largest),
  ].join("\n");
}

/** @param {readonly import("../../cases/largest.js").Largest[]} largest */
export function largestLines(largest) {
  return [
    "The largest room that stays fresh, within 10 %:",
    "",
    table(["server", "p99 at most", "people", "bound by the"], largest.map(largestCells)),
  ];
}

/** @param {import("../../cases/largest.js").Largest} found */
function largestCells({ server, limitMs, size, bound }) {
  return [server, `${limitMs} ms`, bound === "generator" ? `at least ${size}` : String(size), bound];
}
