// @ts-check
import { bytes, number, table } from "../format.js";

/** @param {{ rows: import("../../cases/resources.js").ResourceRow[] }} data */
export function resourcesSection({ rows }) {
  const cells = rows.map(({ attack, server, sentPerSecond, longestMs, before, peak, outcome }) => [
    `Mallory ${attack}`,
    server,
    Number.isFinite(sentPerSecond) ? `${bytes(sentPerSecond)}/s` : "–",
    `${number(longestMs)} ms`,
    `${bytes(before)} → ${bytes(peak)}`,
    outcome,
  ]);
  const head = ["", "server", "she sends", "oldest cursor in another room", "memory, before → peak", "outcome"];
  return table(head, cells, { words: true });
}
