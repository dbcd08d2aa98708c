import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

it("SECURITY.md promises by rules that there are, and names tests that cite them", () => {
  const rules = new Set([...read("SPEC.md").matchAll(/^- \*\*\[([A-Z]+-\d+)\]/gm)].map(([, id]) => id));
  const rows = read("SECURITY.md")
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .filter(([, , , tests]) => tests?.startsWith("test/"));
  expect(rows.length).toBeGreaterThan(20);
  const wrong = rows.flatMap(([, promise, cited = "", tests = ""]) => {
    const ids = expand(cited);
    const files = tests.split(", ");
    const missing = files.filter((file) => !existsSync(new URL(`../${file}`, import.meta.url)));
    const sources = missing.length > 0 ? [] : files.map(read);
    const cites = (source: string, id: string): boolean => source.includes(`[${id}]`);
    return [
      ...missing,
      ...ids.filter((id) => !rules.has(id) || !sources.some((source) => cites(source, id))),
      ...files.filter((_, i) => !ids.some((id) => cites(sources[i] ?? "", id))),
    ].map((what) => `${what}: ${promise}`);
  });
  expect(wrong).toEqual([]);
});

/** `A-1 to A-3, B-2` → each of them. */
function expand(cited: string): string[] {
  return cited.split(", ").flatMap((part) => {
    const [from = "", to = from] = part.split(" to ");
    const [name, first] = from.split("-");
    const last = Number(to.split("-")[1]);
    return Array.from({ length: last - Number(first) + 1 }, (_, i) => `${name}-${Number(first) + i}`);
  });
}
