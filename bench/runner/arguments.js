// @ts-check
/** The command line. */
import { parseArgs } from "node:util";

/** A wrong argument; exit code 2. */
export class UsageError extends Error {}

/** @typedef {{ readonly name: string, readonly summary: string }} Named */

/**
 * @template {Named} Item
 * @param {readonly string[]} args
 * @param {readonly Item[]} cases
 * @returns {{ help: boolean, quick: boolean, chosen: readonly Item[] }}
 */
export function readArguments(args, cases) {
  const { values, positionals } = parse(args);
  const unknown = positionals.find((name) => !cases.some((known) => known.name === name));
  if (unknown !== undefined) {
    const names = cases.map(({ name }) => name).join(", ");
    throw new UsageError(`there is no case "${unknown}"; there are ${names}`);
  }
  const chosen = positionals.length === 0 ? cases : cases.filter(({ name }) => positionals.includes(name));
  return { help: values.help, quick: values.quick, chosen };
}

/** @param {readonly string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        quick: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** @param {readonly Named[]} cases */
export function help(cases) {
  const width = Math.max(...cases.map(({ name }) => name.length));
  return [
    "Usage: npm run bench -- [options] [case …]",
    "",
    "Runs the relay side by side with other Yjs servers. Without a case: all of them.",
    "",
    ...cases.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "  --quick     short runs: rough figures, kept out of RESULTS.md",
    "  --help, -h  this text",
    "",
  ].join("\n");
}
