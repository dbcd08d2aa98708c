/** People who meet in the demo: a real browser, the built page, and the relay as a process of its own. */
import { isDeepStrictEqual } from "node:util";
import { devices } from "playwright-core";
import { describe, expect, it } from "vitest";
import { ARRIVED, type Caret, Demo, GONE, avatar, person, testId, watch } from "../demo/visitor.ts";

const demo = new Demo();

/** A grace that a page does not outlast by loading slowly. */
const PATIENT = ["--leave-grace", "30000"];
const BRISK = ["--leave-grace", "1000"];

describe("together", () => {
  it("[ROSTER-1] Alice and Bob meet: in her eyes he came, in his she was there; she sees his text, caret and name", async () => {
    const { alice, bob } = await demo.meet();
    await bob.sees(person("alice", { status: "online", device: "desktop" }), "Alice");
    await bob.sees(avatar("alice"));
    expect(await alice.comings("bob")).toEqual(ARRIVED);
    expect(await bob.comings("alice")).toEqual([]);
    expect(await alice.comings("alice")).toEqual([]);
    await alice.sees(`${testId("doc-field-notes")}[data-count="2"]`);

    await bob.write("The tide was out.\nWe walked to the wreck.");
    const his: Caret = { name: "Bob", color: "rgb(208, 90, 63)", before: "We walked to the wreck.", selected: "" };
    await alice.finds("his caret", async () => isDeepStrictEqual(await alice.carets(), [his]));
    expect(await alice.lines()).toEqual(["The tide was out.", "We walked to the wreck."]);
    for (let i = 0; i < "wreck.".length; i++) await bob.page.keyboard.press("Shift+ArrowLeft");
    await alice.finds("the selection", async () => (await alice.carets())[0]?.selected === "wreck.");
    expect((await alice.carets())[0]).toMatchObject({ name: "Bob", before: "We walked to the " });
    await bob.page.keyboard.press("Home");
    await alice.finds("the caret alone", async () => (await alice.carets())[0]?.before === "");
    expect((await alice.carets())[0]?.selected).toBe("");

    // her own caret stays where she put it
    await alice.page.keyboard.press("ControlOrMeta+End");
    await bob.write("At noon, ");
    await alice.finds("more text", async () => (await alice.lines())[1] === "At noon, We walked to the wreck.");
    await alice.write(" Gulls.");
    await bob.finds("hers", async () => (await bob.lines())[1] === "At noon, We walked to the wreck. Gulls.");
  });

  it("Alice sees where Bob points, in a window of another size, and what he says of himself", async () => {
    const { alice, bob } = await demo.meet([], { browser: { viewport: { width: 980, height: 640 } } });
    const his = await bob.box(".column");
    const hers = await alice.box(".column");
    expect(his.width).not.toBe(hers.width);
    for (const [x, y] of [
      [0.25, 40],
      [0.9, 130],
    ] as const) {
      await bob.page.mouse.move(his.x + x * his.width, his.y + y, { steps: 4 });
      await alice.finds("the pointer there", async () => {
        const tip = await alice.tipOf("bob");
        return tip !== null && Math.hypot(tip.x - (hers.x + x * hers.width), tip.y - (hers.y + y)) < 1.5;
      });
    }
    await alice.sees(testId("pointer-bob"), "Bob");
    // over the side bar it is nowhere in the document
    await bob.page.mouse.move(100, 300);
    await alice.misses(testId("pointer-bob"));

    await bob.write("# On the shore\n\nLow water at noon.");
    await alice.sees(person("bob"), "Writing in On the shore");
    await alice.sees(".writing", "Bob is writing");
    await bob.page.locator(testId("status-menu")).click();
    await bob.page.locator(testId("note")).fill("back at noon");
    await bob.page.keyboard.press("Enter");
    await alice.sees(person("bob"), "back at noon");
    await bob.page.locator(testId("name")).fill("Robert");
    await bob.page.keyboard.press("Enter");
    await alice.sees(person("bob"), "Robert");
    await alice.finds("the name at his caret", async () => (await alice.carets())[0]?.name === "Robert");
    expect(await alice.comings("bob")).toEqual(ARRIVED);
  });
});

describe("one person", () => {
  it("[USER-1] [USER-7] Bob with a second tab is still one, with two sessions; the last one closed is his leave", async () => {
    // whom the demo makes up is kept by the browser
    const context = await demo.context();
    const { relay, alice, bob: first } = await demo.meet(BRISK, { context }, null);
    const id = await first.userId();
    const watcher = await watch(relay);
    const second = await demo.enter(relay, null, { context });
    expect(await second.userId()).toBe(id);
    const sessions = (): number => watcher.lobby.get(id)?.sessions.length ?? 0;
    await alice.finds("two sessions", () => sessions() === 2);
    await second.write("from the second tab");
    await alice.finds("the text", async () => (await alice.lines())[0] === "from the second tab");
    await alice.sees(`${testId("doc-field-notes")}[data-count="2"]`);
    expect(await alice.page.locator(".person:not(.gone)").count()).toBe(2);
    expect(await alice.page.locator(".stack-avatar").count()).toBe(2);

    await second.page.close();
    await alice.finds("one session", () => sessions() === 1);
    await alice.finds("one caret", async () => (await alice.carets()).length === 1);
    expect(await alice.comings(id)).toEqual(ARRIVED);
    await first.page.close();
    await alice.misses(`${person(id)}, ${avatar(id)}, .cm-ySelectionCaret`);
    await alice.sees(testId(`recent-${id}`), "just now");
    await alice.finds("the leave", async () => (await alice.comings(id)).join() === GONE.join());
  });

  it("[LIVE-2] a reload of Bob's page is nothing to Alice: no leave, no join, no second caret", async () => {
    const { relay, alice, bob } = await demo.meet(PATIENT);
    const watcher = await watch(relay);
    await bob.write("Before and after");
    await alice.finds("his caret", async () => (await alice.carets())[0]?.before === "Before and after");
    const session = watcher.lobby.get("bob")?.sessions[0]?.id;
    const mostCarets = await alice.countMost(".cm-ySelectionCaret");
    const mostAvatars = await alice.countMost(".stack-avatar");
    for (let i = 0; i < 2; i++) {
      await bob.page.reload();
      await bob.isLive();
    }
    await bob.page.keyboard.press("ControlOrMeta+End");
    await bob.write(", the same");
    await alice.finds("his caret", async () => (await alice.carets())[0]?.before === "Before and after, the same");
    expect(await alice.carets()).toHaveLength(1);
    expect(await mostCarets()).toBe(1);
    expect(await mostAvatars()).toBe(2);
    expect(await alice.comings("bob")).toEqual(ARRIVED);
    expect(watcher.lobby.get("bob")?.sessions.map(({ id }) => id)).toEqual([session]);
  });

  it("[OWN-5] a duplicate of Bob's tab becomes a second session, and both live", async () => {
    const { relay, alice, bob } = await demo.meet(BRISK);
    const watcher = await watch(relay);
    const ids = (): string[] => watcher.lobby.get("bob")?.sessions.map(({ id }) => id) ?? [];
    await alice.finds("one session", () => ids().length === 1);
    const [original] = ids();
    // a window that a page opens gets a copy of its sessionStorage
    const [page] = await Promise.all([
      bob.page.context().waitForEvent("page"),
      bob.page.evaluate(() => void open(location.href)),
    ]);
    const copy = demo.at(page);
    await copy.isLive();
    await alice.finds("two sessions", () => new Set(ids()).size === 2);
    expect(ids()).toContain(original);
    await bob.isLive();
    expect(new Set([await bob.sessionId(), await copy.sessionId()])).toEqual(new Set(ids()));

    await bob.write("original, ");
    await alice.finds("the original's words", async () => (await alice.lines())[0] === "original, ");
    await copy.finds("them", async () => (await copy.lines())[0] === "original, ");
    await copy.page.keyboard.press("ControlOrMeta+End");
    await copy.write("copy");
    await alice.finds("the copy's words", async () => (await alice.lines())[0] === "original, copy");
    await alice.finds("a caret of each", async () => (await alice.carets()).length === 2);
    await copy.page.close();
    await alice.finds("one session", () => ids().length === 1);
    await alice.finds("one caret", async () => (await alice.carets()).length === 1);
    expect(await alice.comings("bob")).toEqual(ARRIVED);
  });
});

describe("status", () => {
  it("[STATUS-4] [USER-5] Bob's choice outlives his page, reaches Alice and his phone, and is cleared from there", async () => {
    const { relay, alice, bob } = await demo.meet(BRISK);
    const own = (status: string): string => `${testId("status-menu")}[data-status="${status}"]`;
    await bob.choose("dnd");
    await alice.sees(person("bob", { status: "dnd" }));
    // elsewhere for longer than the relay keeps a session: only his browser knows what he chose
    const address = bob.page.url();
    await bob.page.goto("about:blank");
    await alice.misses(person("bob"));
    await bob.page.goto(address);
    await bob.sees(own("dnd"));
    await alice.sees(person("bob", { status: "dnd" }));
    const seen = await alice.watchAttribute(person("bob"), "data-status");

    const phone = await demo.enter(relay, "bob", { browser: devices["iPhone 15"] });
    await phone.sees(own("dnd"));
    await alice.sees(`${person("bob")} [aria-label="On a phone"]`);
    await alice.sees(`${person("bob")} [aria-label="On a computer"]`);
    await phone.page.locator('button[aria-label="Documents and people"]').click();
    await phone.choose("online");
    await alice.sees(person("bob", { status: "online" }));
    await bob.sees(own("online"));
    expect(await seen()).toEqual(["dnd", "online"]);
  });

  it("[STATUS-5] [STATUS-6] invisible, Bob leaves in Alice's eyes but not in his own, and can still write", async () => {
    const { alice, bob } = await demo.meet();
    await bob.write("I am here");
    await alice.finds("his caret", async () => (await alice.carets()).length === 1);
    await bob.choose("invisible");
    await alice.misses(`${person("bob")}, ${avatar("bob")}, .cm-ySelectionCaret`);
    await alice.finds("his leave", async () => (await alice.comings("bob")).join() === GONE.join());
    await bob.sees(person("bob", { status: "offline" }), "Invisible");
    await bob.sees(avatar("alice"));

    await bob.page.keyboard.press("ControlOrMeta+End");
    await bob.write(", unseen");
    await alice.finds("the edit", async () => (await alice.lines())[0] === "I am here, unseen");
    await bob.page.reload();
    await bob.isLive();
    await bob.sees(person("bob", { status: "offline" }), "Invisible");
    expect(await alice.carets()).toEqual([]);
    expect(await alice.comings("bob")).toEqual(GONE);

    await bob.choose("online");
    await alice.sees(avatar("bob"));
    await alice.sees(person("bob", { status: "online" }));
    await alice.finds("his return", async () => (await alice.comings("bob")).length === GONE.length + ARRIVED.length);
  });
});
