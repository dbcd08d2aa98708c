/** The pages of examples/ that need nothing but this repository: built as they are written, and opened by two people. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { it, onTestFinished } from "vitest";
import { seeEachOther, serveFolder, chromiumForFile } from "../browser/pages.ts";
import { startRelay, until } from "../../support.ts";
import { isThorough, thoroughly } from "../../thorough.ts";

const chromium = chromiumForFile();
const path = (name: string): string => fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));

it.each(thoroughly(["react"], ["plain-page", "react"]))(
  "two people see each other on the page %s, and what the other looks at",
  async (name) => {
    const outDir = mkdtempSync(join(tmpdir(), "copresence-example-"));
    onTestFinished(() => rmSync(outDir, { recursive: true, force: true }));
    // as `npx vite build examples/…` does: with the package as it is built
    await build({ root: path(name), configFile: false, logLevel: "error", build: { outDir, emptyOutDir: true } });
    const [page, { url }] = [await serveFolder(outDir), await startRelay({ leaveGrace: 200 })];
    await seeEachOther(chromium(), (who) => `${page}/?name=${who}&relay=${url}`);
  },
);

it.runIf(isThorough)("two people whom the Express server signs in see each other on its page", async () => {
  const child = spawn(process.execPath, [path("express-tokens/server.js")], { env: { ...process.env, PORT: "0" } });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (said += data.toString()));
  await until("it listens", () => /localhost:\d+/.test(said), 20_000).catch(() => {
    throw new Error(said);
  });
  const port = /localhost:(\d+)/.exec(said)?.[1];
  await seeEachOther(chromium(), (who) => `http://localhost:${port}/?name=${who}`);
});
