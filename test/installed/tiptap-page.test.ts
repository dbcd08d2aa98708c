/** The whole page of docs/editors/tiptap.md, as it stands there, opened by three people. */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { chromiumForFile, serveFolder } from "../e2e/browser/pages.ts";
import { startRelay, until } from "../support.ts";
import { installExample } from "./install.ts";

const DEADLINE_MS = 20_000;
const chromium = chromiumForFile();
const recipe = readFileSync(fileURLToPath(new URL("../../docs/editors/tiptap.md", import.meta.url)), "utf8");

/** The code of the recipe, in a language, in which a text stands. */
function codeWith(language: string, text: string): string {
  const blocks = [...recipe.matchAll(/```(\w+)\n([^]*?)```/g)];
  return blocks.find(([, each, code]) => each === language && code?.includes(text))?.[2] ?? "";
}

/** Builds the page as a bundler does, for a relay at this address. @returns where it is served */
async function pageAt(relay: string): Promise<string> {
  const folder = await installExample("editors");
  const page = join(folder, "whole-page");
  rmSync(page, { recursive: true, force: true });
  mkdirSync(page);
  cpSync(join(folder, "tiptap.js"), join(page, "editor.js"));
  writeFileSync(join(page, "index.html"), codeWith("html", "<!doctype html>"));
  writeFileSync(join(page, "main.js"), codeWith("js", "createPresence(").replace("ws://localhost:1234", relay));
  await promisify(execFile)(process.execPath, [join(folder, "node_modules/vite/bin/vite.js"), "build", page]);
  return await serveFolder(join(page, "dist"));
}

it("the page in Tiptap's recipe has avatars, carets, away and last seen", { timeout: 600_000 }, async () => {
  const { url } = await startRelay({ leaveGrace: 200 });
  const address = await pageAt(url);
  const open = async (name: string) => {
    const context = await chromium().browser.newContext();
    onTestFinished(() => context.close());
    const page = await context.newPage();
    await page.goto(`${address}/?name=${name}`);
    return page;
  };
  const [alice, bob, carol] = [await open("Alice"), await open("Bob"), await open("Carol")];
  const avatars = () =>
    alice.locator("#people li").evaluateAll((items) => items.map((item) => item.getAttribute("title")));
  await until("she sees all", async () => (await avatars()).length === 3, DEADLINE_MS);
  expect((await avatars())[0]).toBe("Alice (you): online");

  await bob.locator(".ProseMirror").click();
  await bob.keyboard.type("Bob was here");
  const label = alice.locator(".caret > div");
  await until("she sees his caret", async () => (await label.allTextContents()).join() === "Bob", DEADLINE_MS);
  expect(await alice.locator(".ProseMirror").textContent()).toContain("Bob was here");
  // the name stands above the line, and takes no place in it
  expect(await label.evaluate((element) => getComputedStyle(element).position)).toBe("absolute");

  await bob.locator("#away").check();
  await until("he is away", async () => (await avatars()).includes("Bob: away"), DEADLINE_MS);
  await carol.close();
  const gone = alice.locator("#gone li");
  await until(
    "Carol was seen",
    async () => (await gone.allTextContents()).join().startsWith("Carol left at"),
    DEADLINE_MS,
  );
  expect(await avatars()).toHaveLength(2);
});
