// @ts-check
import { bytes, number, percent, table } from "../format.js";

/** @param {{ rows: import("../../cases/soak.js").SoakRow[] }} data */
export function soakSection({ rows }) {
  const [first] = rows;
  const cells = rows.map(({ connections, heapBytes, residentBytes }) => [
    number(connections),
    bytes(heapBytes),
    percent(heapBytes / (first?.heapBytes ?? heapBytes) - 1),
    bytes(residentBytes),
    percent(residentBytes / (first?.residentBytes ?? residentBytes) - 1),
  ]);
  return [
    "Stock clients and ours, each of them new, into 200 rooms, 500 at a time; they announce themselves and leave with",
    "1000, 1001 or a reset. Measured after garbage collection, when the relay has had time to forget the departed.",
    "",
    table(["connections so far", "heap", "change", "resident", "change"], cells),
  ].join("\n");
}
