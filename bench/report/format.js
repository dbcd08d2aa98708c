// @ts-check
/** Figures as people read them, and tables of them. */

/** @param {number} value */
export function number(value) {
  if (!Number.isFinite(value)) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", { maximumFractionDigits: digits });
}

/** @param {number} share */
export function percent(share) {
  return `${number(100 * share)} %`;
}

/** @param {number} value */
export function bytes(value) {
  for (const [unit, size] of /** @type {const} */ ([
    ["GB", 1e9],
    ["MB", 1e6],
    ["KB", 1e3],
  ])) {
    if (value >= size) return `${number(value / size)} ${unit}`;
  }
  return `${number(value)} B`;
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 * @param {{ words?: boolean }} [options]  Whether the cells hold words; default: figures, behind the first column.
 */
export function table(head, rows, { words = false } = {}) {
  const lines = [head, head.map((_, column) => (words || column === 0 ? "---" : "---:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/**
 * Marks a figure that may be the generator's.
 *
 * @param {string} text
 * @param {{ readonly generatorBound: boolean }} row
 */
export function marked(text, { generatorBound }) {
  return generatorBound ? `${text} †` : text;
}

export const BOUND_NOTE = "† The generator used more than 85 % of its core: it may be what was measured.";

/**
 * CPU of the server for each state that arrived, µs.
 *
 * @param {{ readonly serverCpuSeconds: number, readonly delivered: number }} row
 */
export function microsPerState({ serverCpuSeconds, delivered }) {
  return delivered === 0 ? Number.NaN : (serverCpuSeconds * 1e6) / delivered;
}

/**
 * CPU of the server for each change and each who ought to know of it, µs.
 *
 * @param {{ readonly serverCpuSeconds: number, readonly receptions: number }} row
 */
export function microsPerReception({ serverCpuSeconds, receptions }) {
  return (serverCpuSeconds * 1e6) / receptions;
}
