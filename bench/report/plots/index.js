// @ts-check
/** The plots, as Vega-Lite: of those cases that were measured. */
import { bytes, microsPerState } from "../format.js";
import { barPlot } from "./bars.js";
import { linePlot } from "./lines.js";

const MOVES = "each person in the room moves a cursor 10 times a second";

/**
 * @param {import("../../runner/results.js").Results} results
 * @returns {[name: string, spec: object][]}
 */
export function plotsOf({ cases }) {
  /** @type {[string, object][]} */
  const plots = [];
  if (cases["room"] !== undefined) plots.push(...roomPlots(/** @type {RoomData} */ (cases["room"].data)));
  if (cases["echo"] !== undefined) plots.push(["echo", echoPlot(/** @type {EchoData} */ (cases["echo"].data))]);
  if (cases["idle"] !== undefined) plots.push(["idle", idlePlot(/** @type {IdleData} */ (cases["idle"].data))]);
  return plots;
}

/** @typedef {Awaited<ReturnType<typeof import("../../cases/room.js").room.run>>} RoomData */
/** @typedef {Awaited<ReturnType<typeof import("../../cases/echo.js").echo.run>>} EchoData */
/** @typedef {Awaited<ReturnType<typeof import("../../cases/idle.js").idle.run>>} IdleData */

/** @param {EchoData} data */
function echoPlot({ largest }) {
  return barPlot({
    title: "The largest room that stays fresh, with y-websocket's and Hocuspocus' clients",
    subtitle: [MOVES, "and sends back what it hears, as these libraries do"],
    bars: largest.map(largestBar),
  });
}

/** @param {import("../../cases/largest.js").Largest} found */
function largestBar({ server, limitMs, size, bound }) {
  return {
    group: `99 % of changes known within ${limitMs} ms`,
    server,
    value: size,
    label: `${size}${bound === "generator" ? " or more" : ""}`,
  };
}

/**
 * @param {RoomData} data
 * @returns {[string, object][]}
 */
function roomPlots({ rows, largest }) {
  const points = rows.map(({ server, size, freshness, ...row }) => {
    return { server, size, fresh: freshness.p99, cost: microsPerState({ ...row }) };
  });
  const freshness = linePlot({
    title: "How late a cursor is, at worst",
    subtitle: ["99th percentile of the time until a change is known", MOVES],
    unit: "ms",
    points: points.map(({ fresh, ...point }) => ({ ...point, value: fresh })),
    rules: [{ value: 100, label: "100 ms" }],
  });
  const cpu = linePlot({
    title: "What a delivered state costs the server",
    subtitle: ["CPU time for each state that arrived", MOVES],
    unit: "µs",
    // a server that delivered nothing has no cost
    points: points
      .map(({ cost, ...point }) => ({ ...point, value: cost }))
      .filter(({ value }) => Number.isFinite(value)),
  });
  const size = barPlot({
    title: "The largest room that stays fresh, on one core",
    subtitle: [MOVES],
    bars: largest.map(largestBar),
  });
  return [
    ["freshness", freshness],
    ["cpu", cpu],
    ["largest", size],
  ];
}

/** @param {IdleData} data */
function idlePlot({ rows }) {
  return barPlot({
    title: "What a silent room is sent",
    subtitle: ["bytes a second to all receivers together, though nobody does anything"],
    bars: rows.map(({ people, server, bytes: sent, seconds }) => ({
      group: `${people.toLocaleString("en")} people`,
      server,
      value: sent / seconds,
      label: `${bytes(sent / seconds)}/s`,
    })),
  });
}
