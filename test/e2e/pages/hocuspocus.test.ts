/** Pages on a Hocuspocus server with the extension, which the browser keeps in its back/forward cache when they are left. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { ownClient, plainProvider, startServer, tabSocket } from "../../hocuspocus/server.ts";
import { chromiumForFile, serveFolder } from "../browser/pages.ts";
import { until } from "../../support.ts";

const chromium = chromiumForFile();
const DEADLINE_MS = 20_000;
let outDir: string;

beforeAll(async () => {
  outDir = mkdtempSync(join(tmpdir(), "copresence-hocuspocus-"));
  const root = fileURLToPath(new URL("hocuspocus-page", import.meta.url));
  await build({ root, configFile: false, logLevel: "error", build: { outDir, emptyOutDir: true } });
});
afterAll(() => rmSync(outDir, { recursive: true, force: true }));

/** Alice, who watches, and Bob in a browser, who sees her. */
async function meet(client: "own" | "plain", leaveGrace: number) {
  const { url } = await startServer({ presence: { leaveGrace } });
  const alice = ownClient(url, "alice");
  const { roster } = alice.join("doc");
  const { doc } = plainProvider(tabSocket(url), "doc", "carol", null);
  const comings: string[] = [];
  roster.on("event", ({ type, userId }) => type !== "update" && comings.push(`${type} ${userId}`));
  const bob = () => roster.users.find(({ id }) => id === "bob");
  const context = await chromium().browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(`${await serveFolder(outDir)}/?server=${encodeURIComponent(url)}&name=bob&client=${client}`);
  const sees = (): Promise<string[]> => page.evaluate(() => window.people());
  const areTogether = async (): Promise<boolean> =>
    bob()?.sessions.length === 1 && bob()?.reconnecting === false && (await sees()).join() === "alice,bob";
  await until("they see each other", areTogether, DEADLINE_MS);
  const reads = async (text: string): Promise<void> => {
    await until("he reads it", () => page.evaluate((t) => window.doc.getText("t").toJSON() === t, text), DEADLINE_MS);
  };
  return {
    doc,
    comings,
    bob,
    areTogether,
    reads,
    came: () => page.evaluate(() => window.came),
    leave: () => page.goto("about:blank"),
    // what is restored is not loaded: there is no "load" to wait for
    comeBack: () => page.goBack({ waitUntil: "commit" }),
  };
}

it("[LIVE-11] [HOC-4] Bob leaves the page and comes back within the grace: he was never gone, and reads what was written", async () => {
  const { doc, comings, bob, areTogether, reads, came, leave, comeBack } = await meet("own", 60_000);
  await leave();
  await until("Alice sees that he is not there", () => bob()?.reconnecting === true, DEADLINE_MS);
  doc.getText("t").insert(0, "meanwhile");
  await comeBack();
  await until("they see each other", areTogether, DEADLINE_MS);
  await reads("meanwhile");
  expect(comings).toEqual(["join bob"]);
  expect(await came()).toBe("restored");
});

it("[LIVE-11] [HOC-4] Bob leaves the page and comes back after the grace: he was gone, and is there once", async () => {
  const { comings, bob, areTogether, leave, comeBack, came } = await meet("own", 500);
  await leave();
  await until("Alice sees that he left", () => bob() === undefined, DEADLINE_MS);
  await comeBack();
  await until("they see each other", areTogether, DEADLINE_MS);
  expect(comings).toEqual(["join bob", "leave bob", "join bob"]);
  expect(await came()).toBe("restored");
});

it("Bob's page has a plain provider, and says who he is when it is restored: he was gone, and is seen again", async () => {
  const { doc, comings, bob, areTogether, reads, leave, comeBack, came } = await meet("plain", 500);
  await leave();
  await until("Alice sees that he left", () => bob() === undefined, DEADLINE_MS);
  doc.getText("t").insert(0, "meanwhile");
  await comeBack();
  await reads("meanwhile");
  expect(await came()).toBe("restored");
  await until("they see each other", areTogether, DEADLINE_MS);
  // his provider may open and close a connection before the one that it stays with
  expect(comings.slice(0, 3)).toEqual(["join bob", "leave bob", "join bob"]);
});
