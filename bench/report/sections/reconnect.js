// @ts-check
import { median, number, table } from "../format.js";

/** @param {{ rows: import("../../cases/reconnect.js").ReconnectRow[] }} data */
export function reconnectSection({ rows }) {
  const cells = rows.map(({ returning, staying, server, returningSees, stayingSees }) => [
    `${returning} → ${staying}`,
    server,
    String(returningSees.length),
    times(returningSees),
    times(stayingSees),
  ]);
  return [
    "Real client libraries, one of them through a proxy that resets its link. Median / longest, from the moment that its",
    "socket is open again; 0: it was never lost sight of.",
    "",
    table(["returns → stays", "server", "times", "sees the other after, ms", "is seen after, ms"], cells),
  ].join("\n");
}

/** @param {readonly (number | null)[]} values */
function times(values) {
  const known = values.map((value) => value ?? Infinity);
  const longest = Math.max(...known);
  return `${number(median(known))} / ${longest === Infinity ? "not within 35 s" : number(longest)}`;
}
