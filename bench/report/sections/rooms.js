// @ts-check
import { BOUND_NOTE, table } from "../format.js";
import { ROOM_HEAD, roomCells } from "./room.js";

/** @param {{ rows: import("../../cases/rooms.js").RoomsRow[] }} data */
export function roomsSection({ rows }) {
  const cells = rows.map((row) => [`${row.rooms} × ${row.size}, ${row.changesPerSecond}/s`, ...roomCells(row)]);
  return [
    "Many small rooms. The last lines are one room in which somebody changes something every 200 ms: a change that has",
    "nothing to wait for.",
    "",
    table(["rooms × people, changes of each", ...ROOM_HEAD], cells),
    "",
    BOUND_NOTE,
  ].join("\n");
}
