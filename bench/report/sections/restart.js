// @ts-check
import { number, table } from "../format.js";

/** @param {{ rows: import("../../cases/restart.js").RestartRow[] }} data */
export function restartSection({ rows }) {
  const cells = rows.map((row) => [
    row.server,
    `${number(row.tabs)} × ${row.roomsEach}`,
    number(row.sockets),
    `${number(row.back)} of ${number(row.tabs)}`,
    timeOf(row.medianMs),
    timeOf(row.lastMs),
    `${number(row.serverCpuSeconds)} s`,
  ]);
  return [
    "Real client libraries, all in one process, in rooms of five. The server is told to stop and started again. Times are from the",
    "moment that the first socket is open again until a tab sees all five in each of its rooms; the CPU is that of the server",
    "that was started, from its start.",
    "",
    table(["server", "tabs × rooms", "sockets", "back", "half after", "the last after", "server CPU"], cells),
  ].join("\n");
}

/** @param {number | null} ms */
function timeOf(ms) {
  return ms === null ? "not within 60 s" : `${number(ms)} ms`;
}
