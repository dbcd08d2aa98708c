/** How people go, and how they do not: pages that close and crash, and a relay that dies under them. */
import { describe, expect, it, onTestFinished } from "vitest";
import { launchChromium } from "./chromium.ts";
import { spawnRelay } from "./servers.ts";
import { ARRIVED, Demo, avatar, person, testId } from "./visitor.ts";

const demo = new Demo();
const GONE = ["join @lobby", "leave @lobby", "join field-notes", "leave field-notes"];

describe("Bob leaves", () => {
  it("[LIVE-1] a document for another: at once, and is still online", async () => {
    // not within the time of this test, were it not at once
    const relay = await spawnRelay(["--leave-grace", "600000"]);
    const alice = await demo.enter(relay, "alice");
    const bob = await demo.enter(relay, "bob");
    await alice.sees(avatar("bob"));
    await bob.page.locator(testId("doc-reading-list")).click();
    await alice.misses(`${avatar("bob")}, .cm-ySelectionCaret`);
    await alice.sees(person("bob", { status: "online" }), "Reading list");
    await alice.sees(`${testId("doc-reading-list")}[data-count="1"]`);
    expect(await alice.comings("bob")).toEqual(["join @lobby", "join field-notes", "leave field-notes"]);
  });

  it.each(["his page is closed", "his page's process is killed", "his browser is killed"])(
    "[LIVE-2] [USER-7] when %s: he is reconnecting for the grace, then gone and last seen",
    async (how) => {
      const relay = await spawnRelay(["--leave-grace", "1500"]);
      const alice = await demo.enter(relay, "alice");
      const his = how === "his page is closed" ? demo.chromium : await launchChromium();
      if (his !== demo.chromium) onTestFinished(() => his.kill("browser"));
      const bob = await demo.enter(relay, "bob", { context: await his.browser.newContext() });
      await bob.write("Last words");
      await alice.finds("his caret", async () => (await alice.carets())[0]?.before === "Last words");
      const reconnecting = await alice.watchAttribute(person("bob"), "data-reconnecting");
      const left = Date.now();
      if (his === demo.chromium) await bob.page.close();
      else await his.kill(how === "his browser is killed" ? "browser" : "pages");
      await alice.misses(`${person("bob")}, ${avatar("bob")}, .cm-ySelectionCaret`);
      expect(Date.now() - left).toBeGreaterThan(1_400);
      expect(await reconnecting()).toEqual(["false", "true", "null"]);
      await alice.sees(testId("recent-bob"), "just now");
      await alice.finds("his leave", async () => (await alice.comings("bob")).join() === GONE.join());
      expect(await alice.lines()).toEqual(["Last words"]);
    },
  );
});

describe("the relay is killed", () => {
  it("[ROSTER-5] [ROSTER-6] Alice is told, and nobody leaves but Carol, who did not come back", async () => {
    const first = await spawnRelay(["--leave-grace", "2000"]);
    const alice = await demo.enter(first, "alice");
    const bob = await demo.enter(first, "bob");
    const carol = await demo.enter(first, "carol");
    await bob.write("Kept");
    await alice.finds("them", async () => (await alice.carets()).length === 2);
    await alice.sees(person("carol", { status: "online" }));

    await first.kill();
    await alice.sees(".banner", "Reconnecting");
    await alice.sees(`${testId("roster-status")}[data-status="stale"]`);
    await alice.sees(avatar("bob"));
    await alice.sees(avatar("carol"));
    await carol.page.close();
    await alice.write("While it was down. ");

    await spawnRelay(["--leave-grace", "2000"], first.port);
    await Promise.all([alice.isLive(), bob.isLive()]);
    await bob.finds(
      "what she wrote meanwhile",
      async () => (await bob.lines())[0]?.includes("While it was down.") === true,
    );
    // what was held for those who may return is let go of together: whoever is still there then was never gone
    await alice.misses(`${person("carol")}, ${avatar("carol")}`);
    await alice.finds("her leave", async () => (await alice.comings("carol")).join() === GONE.join());
    await alice.sees(person("bob", { status: "online", reconnecting: false }));
    expect(await alice.comings("bob")).toEqual(ARRIVED);
    expect(await bob.comings("alice")).toEqual([]);
    expect(await alice.comings("alice")).toEqual([]);
    await alice.finds("Bob's caret alone", async () => (await alice.carets()).map(({ name }) => name).join() === "Bob");
  });
});
