// @ts-check
import { number, percent, table } from "../format.js";

const WHAT = { nobody: "nobody asks", room: "GET /rooms/:name", batch: "POST /rooms:batch of 100" };

/** @param {{ rows: import("../../cases/api.js").ApiRow[] }} data */
export function apiSection({ rows }) {
  const cells = rows.map(({ asked, freshness, serverCores, answered }) => [
    WHAT[asked],
    number(freshness.p50),
    number(freshness.p99),
    percent(serverCores),
    answered === null ? "" : number(answered.p50),
    answered === null ? "" : number(answered.p99),
  ]);
  return [
    "A room of 100 people who move a cursor ten times a second, while a backend asks 1,000 times a second: for the people in this",
    "room, or for counts of a hundred rooms. The backend shares a core with the generator of the people.",
    "",
    table(["", "cursor known p50, ms", "p99", "core", "answer p50, ms", "p99"], cells),
  ].join("\n");
}
