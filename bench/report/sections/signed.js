// @ts-check
import { marked, microsPerState, number, table } from "../format.js";

/** @param {{ rows: import("../../cases/measure-room.js").RoomRow[], ratios: { size: number, ratio: number }[] }} data */
export function signedSection({ rows, ratios }) {
  const cells = rows.map((row) => {
    const { server, size, freshness } = row;
    return [`${size} people, ${server}`, marked(number(microsPerState(row)), row), number(freshness.p99)];
  });
  const told = ratios.map(({ size, ratio }) => `at ${size} people ${number(ratio)} × the CPU`);
  return [
    `With tokens the relay says who each state is from. It costs, as a ratio of medians: ${told.join(", ")}.`,
    "",
    table(["", "CPU per state, µs", "p99, ms"], cells),
  ].join("\n");
}
