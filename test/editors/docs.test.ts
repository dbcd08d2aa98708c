/** The recipes of docs/editors are the code that the browser tests run, and name the versions that these install. */
import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const versions = (JSON.parse(read("examples/editors/package.json")) as { dependencies: Record<string, string> })
  .dependencies;
const recipes = readdirSync(new URL("docs/editors", root)).filter((file) => file !== "README.md");

describe.each(recipes)("the recipe %s", (file) => {
  const page = read(`docs/editors/${file}`);

  it("is the code that is tried", () => {
    const source = readdirSync(new URL("examples/editors", root)).find((each) =>
      each.startsWith(file.replace(".md", ".js")),
    );
    const code = read(`examples/editors/${source}`).trimEnd();
    expect(page).toContain(`\`\`\`js\n${code}\n\`\`\``);
  });

  it("names the versions that are tried", () => {
    const tried = /^Tried with ([^]*?)\.\n/m.exec(page)?.[1] ?? "";
    const named = [...tried.matchAll(/([@\w./-]+)\s+(\d[\w.-]*)/g)].map(([, name = "", version]) => [name, version]);
    expect(named).not.toEqual([]);
    for (const [name = "", version] of named) expect([name, version]).toEqual([name, versions[name]]);
  });
});

describe("the table of what was tried", () => {
  const page = read("docs/editors/README.md");
  const rows = page
    .split("\n")
    .filter((line) => line.startsWith("| ") && line.split("|").length > 5)
    .map((line) => line.split("|").slice(1, -1));

  it("has a column for each recipe, and the same number of cells in each row", () => {
    expect(rows.map((row) => row.length)).toEqual(rows.map(() => recipes.length + 1));
  });

  it("says of each check that it passed, which fault of the binding keeps it from that, or that it was not tried", () => {
    const cells = rows.slice(2).flatMap((row) => row.slice(1).map((cell) => cell.trim()));
    expect(cells.filter((cell) => !/^(✓|no \(\d+\)|not tried)$/.test(cell))).toEqual([]);
    expect(cells.length).toBeGreaterThan(100);
    const faults = cells.flatMap((cell) => /^no \((\d+)\)$/.exec(cell)?.[1] ?? []);
    for (const fault of faults) expect(page).toMatch(new RegExp(`^${fault}\\. `, "m"));
  });
});
