// @ts-check
/** A figure for each server as a bar that says its value, in groups. */
import { colorScale, theme } from "./theme.js";

/** @typedef {{ group: string, server: string, value: number, label: string }} Bar */

const BAR_HEIGHT = 34;

/** @param {{ title: string, subtitle: readonly string[], bars: readonly Bar[] }} options */
export function barPlot({ title, subtitle, bars }) {
  const servers = [...new Set(bars.map(({ server }) => server))];
  const groups = [...new Set(bars.map(({ group }) => group))];
  const longest = Math.max(...bars.map(({ value }) => value));
  const x = { field: "value", type: "quantitative", scale: { domain: [0, longest] }, axis: null };
  /** @param {string} group */
  const chart = (group) => {
    const values = bars.filter((bar) => bar.group === group);
    return {
      width: 430,
      height: values.length * BAR_HEIGHT,
      title: { text: group, fontSize: 13, fontWeight: 600, offset: 6, color: "#334155" },
      data: { values },
      encoding: {
        x,
        y: {
          field: "server",
          type: "nominal",
          sort: null,
          axis: {
            title: null,
            labelLimit: 400,
            labelFontSize: 12.5,
            labelColor: "#334155",
            minExtent: 205,
            grid: false,
          },
        },
      },
      layer: [
        {
          mark: { type: "bar", height: { band: 0.66 }, cornerRadiusEnd: 3 },
          encoding: { color: { field: "server", type: "nominal", scale: colorScale(servers), legend: null } },
        },
        {
          mark: { type: "text", align: "left", dx: 7, fontSize: 12.5, fontWeight: 600, color: "#0f172a" },
          encoding: { text: { field: "label" } },
        },
      ],
    };
  };
  return {
    ...theme,
    title: { text: title, subtitle },
    spacing: 26,
    vconcat: groups.map(chart),
  };
}
