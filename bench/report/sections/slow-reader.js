// @ts-check
import { bytes, number, table } from "../format.js";

/** @param {{ rows: import("../../cases/slow-reader.js").SlowReaderRow[] }} data */
export function slowReaderSection({ rows }) {
  const cells = rows.map(({ server, before, during, after, mostResidentBytes, wasClosed }) => [
    server,
    ...[before, during, after].map(({ freshness }) => number(freshness.p99)),
    bytes(before.residentBytes),
    bytes(mostResidentBytes),
    bytes(after.residentBytes),
    wasClosed ? "yes" : "no",
  ]);
  const resident = ["resident before", "most while", "after"];
  return [
    "A room of 100 at 10 changes a second; one of them stops reading its socket, and reads again later.",
    "",
    table(["server", "p99 of the others before, ms", "while", "after", ...resident, "closed"], cells),
  ].join("\n");
}
