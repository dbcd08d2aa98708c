// @ts-check
/** Writes what was measured for people to read. */
import { mkdirSync, writeFileSync } from "node:fs";
import { toMarkdown } from "./markdown.js";
import { plotsOf } from "./plots/index.js";

/**
 * @param {import("../runner/results.js").Results} results
 * @param {{ readonly markdown: string, readonly plots: string }} paths  A file, and a folder.
 */
export async function writeReport(results, { markdown, plots }) {
  writeFileSync(markdown, toMarkdown(results));
  mkdirSync(plots, { recursive: true });
  for (const [name, spec] of plotsOf(results)) writeFileSync(`${plots}/bench-${name}.svg`, await toSvg(spec));
}

/** @param {object} spec */
async function toSvg(spec) {
  // only what draws needs these
  const [{ compile }, { View, parse }] = await Promise.all([import("vega-lite"), import("vega")]);
  const svg = await new View(parse(compile(spec).spec), { renderer: "none" }).toSVG();
  return `${svg}\n`;
}
