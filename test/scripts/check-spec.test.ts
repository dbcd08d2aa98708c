import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";

const script = fileURLToPath(new URL("../../scripts/check-spec.js", import.meta.url));
const roots: string[] = [];

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

/** Runs the script over a tree of the given files, in which source cites, if the tree has no source of its own. */
function check(given: Record<string, string>): { readonly ok: boolean; readonly said: string } {
  const root = mkdtempSync(join(tmpdir(), "check-spec-"));
  roots.push(root);
  mkdirSync(join(root, "test"));
  const ids = ["A-1", "A-2", "A-3", "B2-10"].filter((id) => given["SPEC.md"]?.includes(`- **[${id}]**`));
  const source = ids.map((id) => `// [${id}]\n`).join("");
  const tree = { "src/a.ts": source, ...given };
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, root], { encoding: "utf8" });
  return { ok: status === 0, said: stderr + stdout };
}

/** The name that a test of the fixture tree has; built, or this file itself would cite it. */
const named = (call: string, id: string): string => `${call}("[${id}] does it", () => {});\n`;
const rule = (id: string): string => `- **[${id}]** Something holds.\n`;

test("passes when every rule is cited, wherever a test name stands", () => {
  const { ok, said } = check({
    "SPEC.md": `# Rules\n\n${["A-1", "A-2", "A-3", "B2-10"].map(rule).join("")}  See [A-1].\n`,
    "test/a.test.ts": named("it", "A-1") + named("describe.concurrent", "A-2"),
    "test/deep/b.test.tsx": named("it.each([\n  [1],\n])", "A-3") + named("  test", "B2-10") + named("it", "A-1"),
  });
  expect(said).toBe("spec: 4 rules, 5 citations in 2 test files, 4 in 1 source files: all well\n");
  expect(ok).toBe(true);
});

test("fails for a rule that no test cites", () => {
  const { ok, said } = check({ "SPEC.md": rule("A-1") + rule("A-2"), "test/a.test.ts": named("it", "A-1") });
  expect(ok).toBe(false);
  expect(said).toContain("SPEC.md:2  [A-2] is cited by no test\n");
});

test.each([
  ["a comment", `// ${named("it", "A-1")}`],
  ["a block comment", `/*\n${named("it", "A-1")}*/\n`],
  ["a skipped test", named("it.skip", "A-1")],
  ["a test still to be written", named("it.todo", "A-1")],
  ["a string that is no name", 'const id = "[A-1]";\n'],
])("takes %s for no citation", (_, source) => {
  const { ok, said } = check({ "SPEC.md": rule("A-1"), "test/a.test.ts": source });
  expect(ok).toBe(false);
  expect(said).toContain("SPEC.md:1  [A-1] is cited by no test\n");
});

test("fails for a rule that no source file cites", () => {
  const { ok, said } = check({
    "SPEC.md": rule("A-1") + rule("A-2"),
    "src/deep/a.ts": "/** Does it. [A-1] */\n",
    "src/a.ts": "",
    "test/a.test.ts": named("it", "A-1") + named("it", "A-2"),
  });
  expect(ok).toBe(false);
  expect(said).toContain("SPEC.md:2  [A-2] is cited by no source file\n");
  expect(said).not.toContain("[A-1]");
});

test("fails for a rule of which source alone knows", () => {
  const { ok, said } = check({
    "SPEC.md": rule("A-1"),
    "src/a.ts": "// [A-1]\n// [A-9]\n",
    "test/a.test.ts": named("it", "A-1"),
  });
  expect(ok).toBe(false);
  expect(said).toContain("src/a.ts:2  [A-9] is no rule of SPEC.md\n");
});

test.each([
  ["text", 'const a = "[A-1]";\n'],
  ["index", "const a = b[A-1];\n"],
  ["address", 'const a = "https://[A-1]";\n'],
])("takes no %s of source for a citation", (_, source) => {
  const { ok, said } = check({ "SPEC.md": rule("A-1"), "src/a.ts": source, "test/a.test.ts": named("it", "A-1") });
  expect(ok).toBe(false);
  expect(said).toContain("SPEC.md:1  [A-1] is cited by no source file\n");
});

test.each([
  ["behind code", "const a = 1; // [A-1]\n"],
  ["above code, with the reason", "// it must, else it fails [A-1]\n"],
  ["in a docstring", "/**\n * Does it.\n *\n * [A-1]\n */\n"],
])("takes a comment %s for a citation", (_, source) => {
  expect(check({ "SPEC.md": rule("A-1"), "src/a.ts": source, "test/a.test.ts": named("it", "A-1") }).said).toContain(
    "all well",
  );
});

test("fails for a rule whose file without comments is not there", () => {
  const tree = { "SPEC.md": rule("PKG-3"), "test/a.test.ts": named("it", "PKG-3") };
  const { ok, said } = check(tree);
  expect(ok).toBe(false);
  expect(said).toContain("package.json  is to implement [PKG-3], and is not there\n");
  expect(check({ ...tree, "package.json": "{}" }).ok).toBe(true);
});

test("looks at test files only", () => {
  expect(check({ "SPEC.md": rule("A-1"), "test/helper.ts": named("it", "A-1") }).ok).toBe(false);
});

test("fails for a citation of an unknown rule, and says where", () => {
  const { ok, said } = check({
    "SPEC.md": rule("A-1"),
    "test/a.test.ts": `/*\n * two lines\n */\n${named("it", "A-1")}${named("it", "A-9")}`,
  });
  expect(ok).toBe(false);
  expect(said).toContain("test/a.test.ts:5  [A-9] is no rule of SPEC.md\n");
});

test("fails for a rule that is only mentioned, or wrongly written", () => {
  const { ok, said } = check({
    "SPEC.md": `${rule("A-1")}* **[A-2]** Another bullet.\n`,
    "test/a.test.ts": named("it", "A-1"),
  });
  expect(ok).toBe(false);
  expect(said).toContain("SPEC.md:2  [A-2] is no rule of SPEC.md\n");
});

test("fails for an id defined twice", () => {
  const { ok, said } = check({ "SPEC.md": rule("A-1") + rule("A-1"), "test/a.test.ts": named("it", "A-1") });
  expect(ok).toBe(false);
  expect(said).toContain("SPEC.md:2  [A-1] is defined twice, first at SPEC.md:1\n");
});

test("fails for a document with no rules", () => {
  expect(check({ "SPEC.md": "# Rules\n" })).toEqual({
    ok: false,
    said: expect.stringContaining("SPEC.md  has no rules") as string,
  });
});
