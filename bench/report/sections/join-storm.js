// @ts-check
import { bytes, number, percent, table } from "../format.js";

/** @param {{ rows: import("../../cases/join-storm.js").JoinStormRow[] }} data */
export function joinStormSection({ rows }) {
  const cells = rows.map((row) => [
    row.server,
    number(row.people),
    row.allSeeAllMs === null ? "not within the limit" : `${number(row.allSeeAllMs)} ms`,
    percent(row.seenShare),
    `${number(row.serverCpuSeconds)} s`,
    bytes(row.bytes),
  ]);
  return [
    "One room; a client dials every millisecond. The time is from the first dial until each has been told of each.",
    "",
    table(["server", "people", "all see all after", "seen", "CPU", "sent"], cells),
  ].join("\n");
}
