// @ts-check
import { BOUND_NOTE, bytes, marked, number, percent, table } from "../format.js";

/** @param {{ rows: import("../../cases/idle.js").IdleRow[] }} data */
export function idleSection({ rows }) {
  const cells = rows.map((row) => [
    String(row.people),
    row.server,
    number(row.frames / row.seconds),
    marked(`${bytes(row.bytes / row.seconds)}/s`, row),
    percent(row.serverCores),
    bytes(row.residentBytes),
    String(row.closed),
    percent(row.generatorCores),
  ]);
  return [
    "Nobody does anything. Stock clients renew their state every 15 s and send back what they hear, as y-websocket does;",
    "clients of ours send three bytes every 15 s, and speak up when they are said to be gone.",
    "",
    table(["people", "server", "frames/s", "bytes", "core", "resident", "closed", "generator"], cells),
    "",
    BOUND_NOTE,
  ].join("\n");
}
