// @ts-check
import { BOUND_NOTE, table } from "../format.js";
import { ROOM_HEAD, largestLines, roomCells } from "./room.js";

/** @param {{ rows: import("../../cases/measure-room.js").RoomRow[], largest: import("../../cases/largest.js").Largest[] }} data */
export function echoSection({ rows, largest }) {
  return [
    "The clients of y-websocket and Hocuspocus send every awareness state that they receive back to the server. In `room`",
    "they do not, which is kind to all servers alike; here they do.",
    "",
    table(
      ["people", ...ROOM_HEAD],
      rows.map((row) => [String(row.size), ...roomCells(row)]),
    ),
    "",
    BOUND_NOTE,
    "",
    ...largestLines(largest),
  ].join("\n");
}
