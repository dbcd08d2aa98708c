// @ts-check
import { BOUND_NOTE, bytes, marked, number, percent, table } from "../format.js";

/** @param {{ rows: import("../../cases/typing.js").TypingRow[] }} data */
export function typingSection({ rows }) {
  const cells = rows.map((row) => [
    `${row.people} × ${row.perSecond}/s${row.cursors ? "" : ", text alone"}`,
    row.server,
    number(row.freshness.p50),
    marked(number(row.freshness.p99), row),
    percent(row.knownShare),
    row.isSame ? "same" : "**differ**",
    percent(row.serverCores),
    number((row.serverCpuSeconds * 1e6) / row.keystrokes),
    number(row.frames / row.seconds),
    bytes(row.bytes / row.seconds),
    percent(row.generatorCores),
  ]);
  const head = ["people × keystrokes", "server", "text p50, ms", "p99", "known", "texts", "core", "µs a keystroke"];
  return [
    "Everybody types in one document. A keystroke is an update of the document and a moved cursor, and clients send back the",
    "cursors that they hear, as y-websocket clients do. Freshness is that of the text, at receivers that keep a Yjs document.",
    "",
    table([...head, "frames/s", "bytes/s", "generator"], cells),
    "",
    BOUND_NOTE,
  ].join("\n");
}
