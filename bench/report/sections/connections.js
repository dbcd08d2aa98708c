// @ts-check
import { bytes, number, table } from "../format.js";

/** @param {{ rows: import("../../cases/connections.js").ConnectionsRow[] }} data */
export function connectionsSection({ rows }) {
  const cells = rows.map((row) => [
    row.server,
    number(row.tabs),
    String(row.sockets / row.tabs),
    bytes(row.bytesEach),
    bytes(row.after),
    row.framesPerMinute.toFixed(1),
    number(row.bytesPerMinute),
    `${number(row.acceptedMs)} ms`,
    String(row.closed),
  ]);
  return [
    "Rooms of five, each of whom has said who they are. Memory is resident memory, after less before, divided by the tabs.",
    "Our client has one socket for its room and the lobby, which it does not read. The others have one for a room and one for",
    "a second room of five, in the lobby's place: a room of all 10,000 no stock server carries. Frames and bytes are what a tab",
    "is sent in a minute in which nothing happens.",
    "",
    table(
      ["server", "tabs", "sockets a tab", "each", "resident", "frames/min", "bytes/min", "all in after", "closed"],
      cells,
    ),
  ].join("\n");
}
