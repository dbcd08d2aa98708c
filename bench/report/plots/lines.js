// @ts-check
/** A figure by the size of the room, a line for each server, named where it ends. */
import { colorScale, isRelay, theme } from "./theme.js";

/** @typedef {{ server: string, size: number, value: number }} Point */

/**
 * @param {object} options
 * @param {string} options.title
 * @param {readonly string[]} options.subtitle
 * @param {string} options.unit
 * @param {readonly Point[]} options.points
 * @param {readonly { value: number, label: string }[]} [options.rules]  Lines to compare with.
 */
export function linePlot({ title, subtitle, unit, points, rules = [] }) {
  const servers = [...new Set(points.map(({ server }) => server))];
  const values = points.map((point) => ({ ...point, relay: isRelay(point.server) }));
  const ends = servers.flatMap((server) => values.filter((point) => point.server === server).slice(-1));
  const sizes = [...new Set(points.map(({ size }) => size))];
  const x = {
    field: "size",
    type: "quantitative",
    scale: { type: "log", nice: false, domain: [Math.min(...sizes), Math.max(...sizes)] },
    axis: { values: sizes, title: "people in the room", grid: false, format: "d" },
  };
  const y = {
    field: "value",
    type: "quantitative",
    scale: { type: "log" },
    axis: { title: unit, values: decades(values), format: "," },
  };
  const color = { field: "server", type: "nominal", scale: colorScale(servers), legend: null };
  const width = { condition: { test: "datum.relay", value: 3 }, value: 1.75 };
  return {
    ...theme,
    width: 600,
    height: 320,
    title: { text: title, subtitle },
    layer: [
      {
        data: { values: rules },
        encoding: { y: { field: "value", type: "quantitative" } },
        layer: [
          { mark: { type: "rule", color: "#94a3b8", strokeDash: [3, 4] } },
          {
            mark: { type: "text", align: "left", dy: -7, dx: 4, fontSize: 11, color: "#94a3b8" },
            encoding: { x: { value: 0 }, text: { field: "label" } },
          },
        ],
      },
      {
        data: { values },
        encoding: { x, y, color },
        layer: [
          { mark: { type: "line", strokeCap: "round", strokeJoin: "round" }, encoding: { strokeWidth: width } },
          { mark: { type: "point", filled: true, size: 46, opacity: 1 } },
        ],
      },
      {
        data: { values: apart(ends) },
        mark: { type: "text", align: "left", dx: 10, fontSize: 12.5, fontWeight: 600 },
        encoding: { x, y: { ...y, field: "labelAt" }, color, text: { field: "server" } },
      },
    ],
  };
}

/**
 * The powers of ten that the values lie between.
 *
 * @param {readonly Point[]} points
 */
function decades(points) {
  const exponents = points.map(({ value }) => Math.log10(value));
  const [first, last] = [Math.floor(Math.min(...exponents)), Math.ceil(Math.max(...exponents))];
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

/**
 * Moves the labels of lines that end next to each other apart.
 *
 * @template {Point} Item
 * @param {readonly Item[]} ends
 */
function apart(ends) {
  const sorted = ends.toSorted((a, b) => a.value - b.value);
  /** @type {{ size: number, at: number }[]} */
  const placed = [];
  return sorted.map((end) => {
    const below = placed.filter(({ size }) => size === end.size).at(-1);
    const at = below === undefined ? end.value : Math.max(end.value, below.at * 1.5);
    placed.push({ size: end.size, at });
    return { ...end, labelAt: at };
  });
}
