// @ts-check
import { isGeneratorBound } from "../../cases/case.js";
import { BOUND_NOTE, bytes, marked, number, percent, table } from "../format.js";

/** @param {{ rows: import("../../cases/join-storm.js").JoinStormRow[] }} data */
export function joinStormSection({ rows }) {
  const cells = rows.map((row) => {
    const after = row.allSeeAllMs === null ? "not within the limit" : `${number(row.allSeeAllMs)} ms`;
    return [
      row.server,
      number(row.people),
      marked(after, { generatorBound: isGeneratorBound(row) }),
      percent(row.seenShare),
      `${number(row.serverCpuSeconds)} s`,
      bytes(row.bytes),
      percent(row.generatorCores),
    ];
  });
  return [
    "One room; a client dials every millisecond. The time is from the first dial until each has been told of each. The",
    "generator has to read a million states here, and those of own clients one by one: what they take is its time.",
    "",
    table(["server", "people", "all see all after", "seen", "CPU", "sent", "generator"], cells),
    "",
    BOUND_NOTE,
  ].join("\n");
}
