// Holds SPEC.md, the tests and the source together: every rule is cited by the name of a test that runs and by a comment
// where it is implemented, every rule cited exists, and no id is defined twice. A rule is a line `- **[LIVE-3]** text`; a
// test cites it by `[LIVE-3]` in its name, and the source by the same in a comment. `ELSEWHERE` names the files of rules
// that no comment can cite.
//
//   node scripts/check-spec.js [root]
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const DEFINITION = /^- \*\*\[([A-Z][A-Z0-9]*-\d+)\]\*\*/;
const MENTION = /\[([A-Z][A-Z0-9]*-\d+)\]/g;
const COMMENT = /^[ \t]*(?:\/\/.*|\/\*[^]*?\*\/)/gm;
// a line of a comment, or what follows code on its line
const COMMENT_TEXT = /^\s*(?:\/\*|\*|\/\/)(.*)$|\s\/\/ (.*)$/;
// `it("name"`, `describe.concurrent("name"`, and the second call of `it.each(table)("name"`
const TEST_NAME = /(?:\b(?:it|test|describe|property)((?:\.\w+)*)|[)`])\s*\(\s*(["'`])((?:\\.|(?!\2)[^\\\n])*)\2/g;

/** @typedef {{ id: string, place: string }} Found  A rule's id, and the file and line that has it. */

/** @param {string} text */
const lineCount = (text) => text.split("\n").length;

/**
 * @param {string} spec
 * @returns {{ defined: Found[], mentioned: Found[] }}
 */
function readSpec(spec) {
  /** @type {Found[]} */
  const defined = [];
  /** @type {Found[]} */
  const mentioned = [];
  for (const [index, line] of spec.split("\n").entries()) {
    const place = `SPEC.md:${index + 1}`;
    const id = DEFINITION.exec(line)?.[1];
    if (id !== undefined) defined.push({ id, place });
    for (const [, mention = ""] of line.matchAll(MENTION)) mentioned.push({ id: mention, place });
  }
  return { defined, mentioned };
}

/**
 * @param {string} path
 * @param {string} source
 * @returns {Found[]}
 */
function readCitations(path, source) {
  // a comment gives way to its line ends, so that lines keep their numbers
  const code = source.replace(COMMENT, (comment) => comment.replace(/[^\n]+/g, ""));
  return [...code.matchAll(TEST_NAME)]
    .filter(([, modifiers = ""]) => !/\.(skip|todo)\b/.test(modifiers))
    .flatMap((match) => {
      const place = `${path}:${lineCount(code.slice(0, match.index))}`;
      return [...(match[3] ?? "").matchAll(MENTION)].map(([, id = ""]) => ({ id, place }));
    });
}

/**
 * @param {string} path
 * @param {string} source
 * @returns {Found[]}
 */
function readImplementations(path, source) {
  return source.split("\n").flatMap((line, index) => {
    const [, own, trailing] = COMMENT_TEXT.exec(line) ?? [];
    const text = own ?? trailing ?? "";
    return [...text.matchAll(MENTION)].map(([, id = ""]) => ({ id, place: `${path}:${index + 1}` }));
  });
}

/**
 * @param {string} root
 * @param {string} folder
 * @param {RegExp} name
 */
function filesOf(root, folder, name) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => name.test(path))
    .toSorted();
}

/** Rules that are implemented in files without comments. */
const ELSEWHERE = ["PKG-3", "PKG-5"].map((id) => ({ id, place: "package.json" }));

const root = process.argv[2] ?? ".";
const { defined, mentioned } = readSpec(readFileSync(join(root, "SPEC.md"), "utf8"));
const files = filesOf(root, "test", /\.test\.tsx?$/);
const sources = [...filesOf(root, "src", /\.tsx?$/), ...filesOf(root, "scripts", /^scripts\/build\.js$/)];
const implementations = sources.flatMap((path) => readImplementations(path, readFileSync(join(root, path), "utf8")));
const citations = files.flatMap((path) => readCitations(path, readFileSync(join(root, path), "utf8")));

const known = new Set(defined.map(({ id }) => id));
const cited = new Set(citations.map(({ id }) => id));
const elsewhere = ELSEWHERE.filter(({ id }) => known.has(id));
const implemented = new Set([...implementations, ...elsewhere].map(({ id }) => id));
const first = new Map(defined.toReversed().map(({ id, place }) => [id, place]));
const problems = [
  ...defined
    .filter(({ id, place }) => first.get(id) !== place)
    .map(({ id, place }) => `${place}  [${id}] is defined twice, first at ${first.get(id)}`),
  ...defined
    .filter(({ id, place }) => first.get(id) === place && !cited.has(id))
    .map(({ id, place }) => `${place}  [${id}] is cited by no test`),
  ...defined
    .filter(({ id, place }) => first.get(id) === place && !implemented.has(id))
    .map(({ id, place }) => `${place}  [${id}] is cited by no source file`),
  ...elsewhere
    .filter(({ place }) => !existsSync(join(root, place)))
    .map(({ id, place }) => `${place}  is to implement [${id}], and is not there`),
  ...[...mentioned, ...citations, ...implementations]
    .filter(({ id }) => !known.has(id))
    .map(({ id, place }) => `${place}  [${id}] is no rule of SPEC.md`),
];
if (known.size === 0) problems.push("SPEC.md  has no rules: lines like `- **[LIVE-3]** text`");

for (const problem of problems) console.error(problem);
const counts = `${known.size} rules, ${citations.length} citations in ${files.length} test files, ${implementations.length} in ${sources.length} source files`;
console.log(problems.length === 0 ? `spec: ${counts}: all well` : `spec: ${counts}: ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
