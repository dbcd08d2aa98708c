// @ts-check
import { bytes, number, table } from "../format.js";

/** @param {{ rows: import("../../cases/documents.js").DocumentsRow[] }} data */
export function documentsSection({ rows }) {
  return [
    "Many open a document of 3.4 MB at the same time. Their own part is in the time: each of them has Yjs read it, in one",
    "process.",
    "",
    table(
      ["server", "all have it after, ms", "server CPU, s", "sent", "resident"],
      rows.map((row) => [
        row.server,
        row.allMs === null ? "never" : number(row.allMs),
        number(row.serverCpuSeconds),
        bytes(row.bytes),
        bytes(row.residentBytes),
      ]),
    ),
  ].join("\n");
}
