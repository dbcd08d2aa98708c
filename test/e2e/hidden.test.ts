/** Pages that are hidden and frozen by the browser itself. */
import { describe, expect, it, onTestFinished } from "vitest";
import { pause } from "../support.ts";
import { spawnRelay } from "./servers.ts";
import { ARRIVED, Demo, type Visitor, avatar, person } from "./visitor.ts";

const demo = new Demo();

interface Options {
  readonly hiddenMs?: number;
  readonly flags?: readonly string[];
}

/** Bob at the window with tabs, who steps out by looking at another of them; and Alice, who sees him. */
async function meet({ hiddenMs = 1_500, flags = [] }: Options = {}): Promise<{
  readonly alice: Visitor;
  readonly bob: Visitor;
  readonly stepOut: () => Promise<void>;
}> {
  const relay = await spawnRelay(flags);
  const alice = await demo.enter(relay, "alice");
  const context = demo.chromium.window;
  const bob = await demo.enter(relay, "bob", { context, query: { hiddenMs: String(hiddenMs) } });
  onTestFinished(() => bob.page.close());
  const other = await context.newPage();
  onTestFinished(() => other.close());
  await bob.page.bringToFront();
  await alice.sees(person("bob", { status: "online" }));
  await alice.sees(avatar("bob"));
  return {
    alice,
    bob,
    stepOut: async () => {
      await other.bringToFront();
      await bob.finds("hidden", () => bob.page.evaluate(() => document.visibilityState === "hidden"));
    },
  };
}

describe("Bob's page is hidden", () => {
  it("[ACT-2] [ACT-3] he is away after a while, and online at once when he returns", async () => {
    const { alice, bob, stepOut } = await meet();
    const seen = await alice.watchAttribute(person("bob"), "data-status");
    for (let round = 1; round <= 2; round++) {
      const left = Date.now();
      await stepOut();
      await alice.sees(person("bob", { status: "away" }));
      expect(Date.now() - left).toBeGreaterThan(1_500);
      const returned = Date.now();
      await bob.page.bringToFront();
      await alice.sees(person("bob", { status: "online" }));
      // at once: not with the next renewal
      expect(Date.now() - returned).toBeLessThan(4_000);
    }
    expect(await seen()).toEqual(["online", "away", "online", "away", "online"]);
    expect(await alice.comings("bob")).toEqual(ARRIVED);
  });

  it("[ACT-1] back in time, nobody noticed", async () => {
    const { alice, bob, stepOut } = await meet({ hiddenMs: 4_000 });
    const seen = await alice.watchAttribute(person("bob"), "data-status");
    for (let round = 1; round <= 2; round++) {
      await stepOut();
      await pause(500);
      await bob.page.bringToFront();
      await bob.finds("visible", () => bob.page.evaluate(() => document.visibilityState === "visible"));
    }
    await pause(4_000);
    expect(await seen()).toEqual(["online"]);
  });

  it("[LIVE-8] and frozen: he is never gone, for his network answers; and thawed he is back, as if he had not been", async () => {
    // who does not answer is gone in 5 s
    const { alice, bob, stepOut } = await meet({ flags: ["--ping-interval", "1000", "--ping-timeout", "1000"] });
    const devtools = await bob.page.context().newCDPSession(bob.page);
    const log = await bob.page.evaluateHandle(() => {
      const entries: string[] = [];
      for (const type of ["freeze", "resume"]) document.addEventListener(type, () => entries.push(type));
      setInterval(() => entries.push("tick"), 500);
      return entries;
    });
    await stepOut();
    await alice.sees(person("bob", { status: "away" }));
    await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
    const status = await alice.watchAttribute(person("bob"), "data-status");
    const reconnecting = await alice.watchAttribute(person("bob"), "data-reconnecting");
    await pause(10_000);
    expect(await status()).toEqual(["away"]);
    expect(await reconnecting()).toEqual(["false"]);
    await bob.page.bringToFront();
    await alice.sees(person("bob", { status: "online", reconnecting: false }));
    await bob.isLive();
    await bob.write("Good morning");
    await alice.finds("what he writes", async () => (await alice.lines())[0] === "Good morning");
    expect(await alice.comings("bob")).toEqual(ARRIVED);
    // he was frozen indeed: his timers stood still
    const said = await log.jsonValue();
    const ticks = said.slice(said.indexOf("freeze"), said.indexOf("resume") + 1);
    expect(ticks.length).toBeGreaterThan(1);
    expect(ticks.length).toBeLessThan(10);
  });
});
