/** The program in docs/lobby.md prints what the page says that it prints. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

it("[LOBBY-1] the program that docs/lobby.md shows prints what the page says", () => {
  const page = readFileSync(new URL("../../docs/lobby.md", import.meta.url), "utf8");
  const [, program = ""] = /^```js\n([^]*?)^```$/m.exec(page) ?? [];
  const [, printed = ""] = /^```text\n([^]*?)^```$/m.exec(page) ?? [];
  expect(program).toContain('from "copresence/lobby"');
  // a program that is given as text finds the package by its name, as a file in this folder would
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: root,
    encoding: "utf8",
  });
  expect(output.replaceAll(/ +$/gm, "")).toBe(printed);
});
