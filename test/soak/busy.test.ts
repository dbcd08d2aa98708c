/**
 * A frozen tab in a room where much goes on. Its browser reads no more than some 128 KiB for it; then pings would wait
 * behind what nobody reads, and it would be taken for dead.
 */
import { expect, it, onTestFinished } from "vitest";
import { spawnRelay } from "../e2e/demo/servers.ts";
import { Demo } from "../e2e/demo/visitor.ts";
import { ownClient, pause, until } from "../support.ts";
import { servePage } from "./serve-page.ts";

const FROZEN_MS = 120_000;
const ROOM = "field-notes";
const MOVERS = 12;
const MOVE_EVERY_MS = 50;

const demo = new Demo();

it(
  "[FLOW-4] [LIVE-8] frozen among twelve who move, a tab is here all the while, and up to date at once when it returns",
  {
    timeout: FROZEN_MS + 120_000,
  },
  async () => {
    const [relay, stockUrl] = await Promise.all([spawnRelay(), servePage()]);
    const alice = ownClient(relay.url, "alice");
    const { roster } = alice.join(ROOM);
    const movers = Array.from({ length: MOVERS }, (_, i) => ownClient(relay.url, `mover${i}`).join(ROOM));
    const context = demo.chromium.window;
    const tabs = await Promise.all(
      ["own", "stock"].map(async (id) => {
        const page = await context.newPage();
        onTestFinished(() => page.close());
        if (id === "own") await demo.enter(relay, id, { page, document: ROOM });
        else await page.goto(`${stockUrl}/?${new URLSearchParams({ relay: relay.url, id, room: ROOM })}`);
        return { id, page };
      }),
    );
    await until("all are here", () => tabs.every(({ id }) => roster.get(id)?.status === "online"), 15_000);
    const front = await context.newPage();
    onTestFinished(() => front.close());
    await front.bringToFront();
    const timer = setInterval(() => {
      for (const { awareness } of movers)
        awareness.setLocalStateField("pointer", { x: Math.random(), y: Math.random() });
    }, MOVE_EVERY_MS);
    onTestFinished(() => clearInterval(timer));
    // a stock client shows that it sends back what it hears
    await pause(1_000);

    const comings: string[] = [];
    for (const each of [roster, alice.lobby]) {
      each.on("join", ({ userId, roomId }) => comings.push(`${userId} joins ${roomId}`));
      each.on("leave", ({ userId, roomId }) => comings.push(`${userId} leaves ${roomId}`));
    }
    for (const { page } of tabs) {
      await until("it is hidden", () => page.evaluate(() => document.visibilityState === "hidden"));
      const devtools = await context.newCDPSession(page);
      await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
    }
    await pause(FROZEN_MS);
    expect(tabs.map(({ id }) => roster.get(id)?.status)).toEqual(["away", "away"]);
    for (const { id, page } of tabs) {
      const returned = Date.now();
      await page.bringToFront();
      const isBack = (): boolean => roster.get(id)?.status === "online" && roster.get(id)?.reconnecting === false;
      await until(`${id} is back`, isBack, 10_000);
      console.log(`${id} is back after ${Date.now() - returned} ms`);
    }
    // a client that was only waited for would be given up by now
    await pause(5_000);
    expect(comings).toEqual([]);
  },
);
