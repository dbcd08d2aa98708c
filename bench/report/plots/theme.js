// @ts-check
/** How the plots look: quiet, with the relay in colour and everybody else in grey. */

const FONT = "Inter, ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif";
const INK = "#0f172a";
const MUTED = "#64748b";
const GRID = "#e8ecf1";

/** Server → colour. */
export const COLORS = new Map([
  ["copresence", "#0d9488"],
  ["copresence, own clients", "#6d28d9"],
  ["@y/websocket-server", "#475569"],
  ["@y/websocket-server, own clients", "#94a3b8"],
  ["@hocuspocus/server", "#b3a394"],
]);

/** @param {readonly string[]} servers */
export function colorScale(servers) {
  return { domain: servers, range: servers.map((server) => COLORS.get(server) ?? MUTED) };
}

/** @param {string} server */
export function isRelay(server) {
  return server.startsWith("copresence");
}

export const theme = {
  background: "#ffffff",
  padding: 20,
  config: {
    font: FONT,
    view: { stroke: null },
    title: {
      anchor: "start",
      frame: "bounds",
      fontSize: 18,
      fontWeight: 650,
      color: INK,
      subtitleFontSize: 13,
      subtitleColor: MUTED,
      subtitlePadding: 6,
      offset: 18,
    },
    axis: {
      labelFontSize: 12,
      labelColor: MUTED,
      labelPadding: 6,
      titleFontSize: 12,
      titleFontWeight: 500,
      titleColor: MUTED,
      titlePadding: 10,
      gridColor: GRID,
      domain: false,
      ticks: false,
    },
    text: { font: FONT },
  },
};
