// @ts-check
import { bytes, number, table } from "../format.js";

/** @param {{ rows: import("../../cases/connections.js").ConnectionsRow[] }} data */
export function connectionsSection({ rows }) {
  const cells = rows.map(({ server, connections, bytesEach, after, acceptedMs, closed }) => {
    return [server, number(connections), bytes(bytesEach), bytes(after), `${number(acceptedMs)} ms`, String(closed)];
  });
  return [
    "Rooms of five, each of whom has said who they are. Memory is resident memory, after less before, divided.",
    "",
    table(["server", "connections", "each", "resident", "all in after", "closed"], cells),
  ].join("\n");
}
