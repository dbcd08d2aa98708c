/** How people go, and how they do not: pages that are left or crash, and a relay that dies under them. */
import { expect, it, onTestFinished } from "vitest";
import { tcpProxy } from "../../proxy.ts";
import { until } from "../../support.ts";
import { launchChromium } from "../browser/chromium.ts";
import { spawnRelay } from "../demo/servers.ts";
import { ARRIVED, Demo, GONE, avatar, person, testId } from "../demo/visitor.ts";

const demo = new Demo();

it("[LIVE-1] [LIVE-11] Bob leaves a document: at once; and then the page, which the browser keeps: after the grace", async () => {
  const { alice, bob } = await demo.meet(["--leave-grace", "1000"]);
  const inDocument = await alice.watchAttribute(avatar("bob"), "data-reconnecting");
  await bob.page.locator(testId("doc-reading-list")).click();
  await alice.misses(`${avatar("bob")}, .cm-ySelectionCaret`);
  await alice.sees(person("bob", { status: "online" }), "Reading list");
  await alice.sees(`${testId("doc-reading-list")}[data-count="1"]`);
  const hisComings = ["join @lobby", "join field-notes", "leave field-notes"].join();
  await alice.finds("his leave", async () => (await alice.comings("bob")).join() === hisComings);
  await bob.page.locator(testId("doc-field-notes")).click();
  await alice.sees(avatar("bob"));

  await bob.page.evaluate(() => {
    addEventListener("pageshow", ({ persisted }) => (document.title = persisted ? "restored" : "loaded"));
  });
  await bob.page.goto("about:blank");
  await alice.misses(`${person("bob")}, ${avatar("bob")}, .cm-ySelectionCaret`);
  expect(await inDocument()).toEqual(["false", "null", "false", "true", "null"]);
  // nothing is loaded: there is no "load" to wait for
  await bob.page.goBack({ waitUntil: "commit" });
  await bob.isLive();
  await bob.finds("the page that the browser kept", async () => (await bob.page.title()) === "restored");
  await alice.sees(person("bob", { status: "online", reconnecting: false }));
  await alice.sees(avatar("bob"));
});

it("[LIVE-2] [USER-7] Bob's page is killed, then his browser: each time he is reconnecting for the grace, then last seen", async () => {
  const his = await launchChromium();
  onTestFinished(() => his.kill("browser"));
  const context = await his.browser.newContext();
  const { relay, alice, bob } = await demo.meet(["--leave-grace", "1500"], { context });
  await bob.write("Last words");
  for (const [index, what] of (["pages", "browser"] as const).entries()) {
    if (index > 0) await demo.enter(relay, "bob", { context });
    await alice.finds("his caret", async () => (await alice.carets())[0]?.name === "Bob");
    await alice.sees(person("bob", { reconnecting: false }));
    const reconnecting = await alice.watchAttribute(person("bob"), "data-reconnecting");
    const killed = Date.now();
    await his.kill(what);
    await alice.misses(`${person("bob")}, ${avatar("bob")}, .cm-ySelectionCaret`);
    expect(Date.now() - killed).toBeGreaterThan(1_400);
    expect(await reconnecting()).toEqual(["false", "true", "null"]);
    await alice.sees(testId("recent-bob"), "just now");
    await alice.finds("his leave", async () => (await alice.comings("bob")).length === GONE.length * (index + 1));
  }
  expect(await alice.lines()).toEqual(["Last words"]);
});

it("[ROSTER-5] [ROSTER-6] the relay is killed: Alice is told, and nobody leaves but Carol, who did not come back", async () => {
  const { relay, alice, bob } = await demo.meet(["--leave-grace", "2000"]);
  const carol = await demo.enter(relay, "carol");
  await bob.write("Kept");
  await alice.finds("them", async () => (await alice.carets()).length === 2);
  await alice.sees(person("carol", { status: "online" }));

  await relay.kill();
  await alice.sees(".banner", "Reconnecting");
  await alice.sees(`${testId("roster-status")}[data-status="stale"]`);
  await alice.sees(avatar("bob"));
  await alice.sees(avatar("carol"));
  await carol.page.close();
  await alice.write("While it was down. ");

  await spawnRelay(["--leave-grace", "2000"], relay.port);
  await Promise.all([alice.isLive(), bob.isLive()]);
  await bob.finds("what she wrote", async () => (await bob.lines())[0]?.includes("While it was down.") === true);
  // those who were held because they may return are let go of together: a person who is still there then was never gone
  await alice.misses(`${person("carol")}, ${avatar("carol")}`);
  await alice.finds("her leave", async () => (await alice.comings("carol")).join() === GONE.join());
  await alice.sees(person("bob", { status: "online", reconnecting: false }));
  await alice.finds("Bob's caret alone", async () => (await alice.carets()).map(({ name }) => name).join() === "Bob");
  expect(await alice.comings("bob")).toEqual(ARRIVED);
  expect(await bob.comings("alice")).toEqual([]);
  expect(await alice.comings("alice")).toEqual([]);
});

it("[LIVE-13] [LIVE-16] Alice's connection carries nothing any more, and neither end is told: she connects anew once her network has changed", async () => {
  const relay = await spawnRelay();
  const way = await tcpProxy(relay.port);
  const alice = await demo.enter(way, "alice");
  way.blackHole();
  await alice.page.evaluate(() => void dispatchEvent(new Event("online")));
  await until("she has another connection", () => way.links === 1, 20_000);
  await alice.isLive();
});
