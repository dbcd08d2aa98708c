// @ts-check
import { bytes, median, number, percent, table } from "../format.js";

/** @param {{ rows: import("../../cases/lobby.js").LobbyRow[] }} data */
export function lobbySection({ rows }) {
  const cells = rows.map((row) => [
    number(row.users),
    number(row.observers),
    number(row.changes / row.seconds),
    number(row.freshness.p50),
    number(row.freshness.p99),
    percent(row.serverCores),
    `${bytes(row.bytes / row.seconds / row.observers)}/s`,
    bytes(row.snapshotBytes),
    `${number(median(row.newcomers.map(({ rosterMs }) => rosterMs)))} ms`,
    `${number(row.decodeMs)} ms`,
    bytes(row.residentBytes),
  ]);
  const head = ["users", "observers", "changes/s", "seen p50, ms", "p99", "core", "to each observer"];
  return [
    "Users are in rooms of five; what changes is their metadata. Seen: until it stands in an observer's document. A",
    "newcomer is a client of ours in a process of its own, on both cores: from its first line until it has the whole",
    "roster (median of five), of which Yjs spends so much on reading the snapshot.",
    "",
    table([...head, "snapshot", "roster after", "reading it", "resident"], cells),
  ].join("\n");
}
