// @ts-check
import { BOUND_NOTE, table } from "../format.js";
import { ROOM_HEAD, roomCells } from "./room.js";

/** @param {{ rows: import("../../cases/extension.js").ExtensionRow[] }} data */
export function extensionSection({ rows }) {
  return [
    "A Hocuspocus server as it comes, and with `copresence/hocuspocus`: 100 people in one document who each move their",
    "cursor 10 times a second, with clients that send back what they hear (before 4.5) and clients that do not.",
    "",
    table(
      ["clients", ...ROOM_HEAD],
      rows.map((row) => [row.echo ? "echo" : "do not", ...roomCells(row)]),
    ),
    "",
    BOUND_NOTE,
  ].join("\n");
}
