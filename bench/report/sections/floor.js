// @ts-check
import { bytes, median, number, percent, table } from "../format.js";

/** @param {{ people: number, rows: import("../../cases/floor.js").FloorRow[] }} data */
export function floorSection({ people, rows }) {
  const cells = rows.map(({ relayCores, floorCores, ratio, framesPerSecond, frameBytes }) => {
    const frames = `${number(framesPerSecond)}/s of ${bytes(frameBytes)}`;
    return [percent(relayCores), percent(floorCores), `${number(ratio)} ×`, frames];
  });
  return [
    `A bare \`net\` server that takes the frames of ${people} clients unread, and writes to each as many frames of the`,
    `same size as the relay did. The relay costs ${number(median(rows.map(({ ratio }) => ratio)))} times that (median).`,
    "",
    table(["relay, core", "floor, core", "ratio", "frames to each client"], cells),
  ].join("\n");
}
