/** The table of docs/editors/README.md: what was tried in which editor. A run writes the columns of the editors that it tried. */
import { readFileSync, writeFileSync } from "node:fs";
import type { EditorUnderTest } from "./editors.ts";

const PAGE = new URL("../../../docs/editors/README.md", import.meta.url);
const [BEGIN, END] = ["<!-- written by npm run test:editors -->", "<!-- the end of what is written -->"];

/** The checks, in the order of the table. */
export const CHECKS = [
  "text",
  "name",
  "colour",
  "a rename shows at once",
  "undo leaves what others did",
  "carets for an editor that is mounted late",
  "StrictMode and hot reload",
  "caret gone on unmount, the user stays",
  "one caret after a reload",
  "carets back after a restart of the relay",
  "joined twice",
  "caret gone on `leave()`",
  "caret gone when the tab is closed",
  "two editors on one awareness",
  "read-only where `write` is not granted",
] as const;

export type Check = (typeof CHECKS)[number];

/** What became of the checks, by editor. */
export type Results = ReadonlyMap<EditorUnderTest, ReadonlyMap<Check, "passed" | "failed">>;

/**
 * Writes what became of the checks.
 *
 * @param editors all that there are, in the order of the columns
 * @param results what was tried now; all other cells stay as they are
 */
export function writeTable(editors: readonly EditorUnderTest[], results: Results): void {
  const page = readFileSync(PAGE, "utf8");
  const [before = "", rest = ""] = page.split(BEGIN);
  const [table = "", after = ""] = rest.split(END);
  const known = cellsOf(table);
  const faults: string[] = [];
  const cell = (editor: EditorUnderTest, check: Check): string => {
    const fault = editor.faults?.[check];
    if (fault !== undefined) return `no (${faults.push(`${editor.title}, ${check}: ${fault}.`)})`;
    return results.get(editor)?.get(check) ?? known.get(editor.title)?.get(check) ?? "not tried";
  };
  const rows = CHECKS.map((check) => `| ${[check, ...editors.map((editor) => cell(editor, check))].join(" | ")} |`);
  const lines = [
    BEGIN,
    "",
    `| | ${editors.map(({ title }) => title).join(" | ")} |`,
    `| ${["", ...editors].map(() => "---").join(" | ")} |`,
    ...rows,
    "",
    ...faults.map((fault, i) => `${i + 1}. ${fault}`),
    "",
    END,
  ];
  writeFileSync(PAGE, before + lines.join("\n").replaceAll("| passed", "| ✓") + after);
}

/** The cells of a table, by column and row. */
function cellsOf(table: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const [titles = [], , ...rows] = table
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const column = (at: number): ReadonlyMap<string, string> => new Map(rows.map((row) => [row[0] ?? "", row[at] ?? ""]));
  return new Map(titles.map((title, at) => [title, column(at)]));
}
