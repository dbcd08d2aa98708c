/**
 * Three real minutes of tabs that nobody looks at, in a real browser that throttles and freezes them, among observers in
 * Node. `SOAK_MS` makes it longer.
 */
import type { JSHandle, Page } from "playwright-core";
import { expect, it, onTestFinished } from "vitest";
import { spawnRelay } from "../e2e/demo/servers.ts";
import { Demo } from "../e2e/demo/visitor.ts";
import { ownClient, pause, stockClient, until } from "../support.ts";
import { servePage } from "./serve-page.ts";

const SOAK_MS = Number(process.env["SOAK_MS"] ?? 180_000);
const ROOM = "field-notes";
/** ACT-2, LIVE-8. */
const HIDDEN_S = 45;
const SILENT_S = 75;
/** For ticks, sweeps, and a machine that does other things as well. */
const SLACK_S = 3;

// Chromium lets the timers of a page run once a minute when it has been hidden for five: here for one
const demo = new Demo(["--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/60"]);

interface Tab {
  readonly id: string;
  readonly page: Page;
  readonly frozen: boolean;
  /** When its timer ran, which is to run each second: ms since the epoch. */
  readonly ticks: JSHandle<number[]>;
  /** Each way in which it was seen, and the second from which it was. */
  readonly views: { readonly from: number; readonly view: string }[];
}

function recordTicks(page: Page): Promise<Tab["ticks"]> {
  return page.evaluateHandle(() => {
    const ticks: number[] = [];
    setInterval(() => ticks.push(Date.now()), 1_000);
    return ticks;
  });
}

it(
  "[ACT-2] [ACT-3] [LIVE-3] [LIVE-8] [LIVE-9] hidden for three minutes, and frozen, a tab is here all the while, and online at once when it is looked at",
  { timeout: SOAK_MS + 120_000 },
  async () => {
    const [relay, stockUrl] = await Promise.all([spawnRelay(), servePage()]);
    const alice = ownClient(relay.url, "alice");
    const { roster } = alice.join(ROOM);
    const { awareness } = stockClient(relay.url, ROOM, { user: { id: "stock-observer", name: "Stock" } });

    const context = demo.chromium.window;
    const tabs: Tab[] = [];
    for (const kind of ["own", "stock"]) {
      for (const frozen of [false, true]) {
        const id = `${kind}-${frozen ? "frozen" : "hidden"}`;
        const page = await context.newPage();
        onTestFinished(() => page.close());
        if (kind === "own") await demo.enter(relay, id, { page, document: ROOM });
        else await page.goto(`${stockUrl}/?${new URLSearchParams({ relay: relay.url, id, room: ROOM })}`);
        tabs.push({ id, page, frozen, ticks: await recordTicks(page), views: [] });
      }
    }
    const idOf = (user: string): number | undefined =>
      [...awareness.states].find(([, state]) => (state["user"] as { id?: string } | undefined)?.id === user)?.[0];
    const view = ({ id }: Tab): string => {
      const users = [roster.get(id), alice.lobby.get(id)];
      const seen = users.map((user) => `${user?.status ?? "none"}${user?.reconnecting ? " reconnecting" : ""}`);
      return [...seen, idOf(id) === undefined ? "gone" : "held"].join(", ");
    };
    const ONLINE = "online, online, held";
    const AWAY = "away, away, held";
    await until("everybody is here", () => tabs.every((tab) => view(tab) === ONLINE), 15_000);
    await pause(1_000);

    const comings: string[] = [];
    for (const each of [roster, alice.lobby]) {
      each.on("join", ({ userId, roomId }) => comings.push(`${userId} joins ${roomId}`));
      each.on("leave", ({ userId, roomId }) => comings.push(`${userId} leaves ${roomId}`));
    }
    // not only each second: at each change
    awareness.on("change", ({ added, removed }: { added: number[]; removed: number[] }) => {
      for (const id of added) if (id !== awareness.clientID) comings.push(`stock: ${id} added`);
      for (const id of removed) if (id !== awareness.clientID) comings.push(`stock: ${id} removed`);
    });

    const front = await context.newPage();
    onTestFinished(() => front.close());
    await front.bringToFront();
    for (const { page, id } of tabs) {
      await until(`${id} is hidden`, () => page.evaluate(() => document.visibilityState === "hidden"));
    }
    const hiddenAt = Date.now();
    for (const { page, frozen } of tabs) {
      if (!frozen) continue;
      const devtools = await context.newCDPSession(page);
      await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
    }
    for (let second = 0; second * 1_000 < SOAK_MS; second++) {
      await pause(hiddenAt + second * 1_000 - Date.now());
      for (const tab of tabs) {
        const now = view(tab);
        if (tab.views.at(-1)?.view !== now) tab.views.push({ from: second, view: now });
      }
    }

    const returnedMs: Record<string, number> = {};
    for (const tab of tabs) {
      const returned = Date.now();
      await tab.page.bringToFront();
      await until(`${tab.id} is online`, () => view(tab) === ONLINE, 20_000);
      returnedMs[tab.id] = Date.now() - returned;
    }
    // a client that was only waited for would be given up by now
    await pause(5_000);

    const seen = Object.fromEntries(tabs.map(({ id, views }) => [id, views.map(({ view: each }) => each)]));
    const awayS = Object.fromEntries(tabs.map(({ id, views }) => [id, views[1]?.from]));
    const longestGapMs: Record<string, number> = {};
    for (const { id, ticks } of tabs) {
      const times = await ticks.jsonValue();
      longestGapMs[id] = Math.max(...times.slice(1).map((at, i) => at - (times[i] ?? at)));
    }
    console.log(JSON.stringify({ seen, awayS, returnedMs, longestGapMs, comings }, null, 2));

    expect(comings).toEqual([]);
    expect(seen).toEqual({
      "own-hidden": [ONLINE, AWAY],
      "own-frozen": [ONLINE, AWAY],
      // it cannot say that nobody looks at it, and is not silent: it renews each minute and says back what it hears
      "stock-hidden": [ONLINE],
      "stock-frozen": [ONLINE, AWAY],
    });
    expect(awayS["own-hidden"]).toBeLessThanOrEqual(HIDDEN_S + SLACK_S);
    expect(awayS["own-frozen"]).toBeLessThanOrEqual(SILENT_S + SLACK_S);
    expect(awayS["stock-frozen"]).toBeLessThanOrEqual(SILENT_S + SLACK_S);
    for (const ms of Object.values(returnedMs)) expect(ms).toBeLessThan(1_000);
    // they were throttled and frozen indeed
    for (const { id, frozen } of tabs) expect(longestGapMs[id]).toBeGreaterThan(frozen ? SOAK_MS - 5_000 : 50_000);
  },
);
