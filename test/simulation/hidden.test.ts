/** Ten minutes in the life of a tab that nobody looks at, or whose process stands still, second by second. */
import { describe, expect, it } from "vitest";
import { VirtualClock } from "./clock.ts";
import { installRandom } from "./random.ts";
import type { Page, StockPage, World } from "./world.ts";

// before anything is imported that keeps a reference to Date.now
const clock = new VirtualClock();
clock.install();
installRandom();
const { SHOWN_MS, World: SimulatedWorld } = await import("./world.ts");

const ROOM = "red";
const SEEDS = [1, 2, 3, 4, 5];
const TEN_MIN_MS = 600_000;
/** ACT-2. */
const HIDDEN_MS = { mobile: 15_000, desktop: 45_000 } as const;
/** LIVE-8; a page that is frozen has last spoken up to a renewal before. */
const SILENT_MS = 75_000;
const RENEW_MS = 15_000;
const GRACE_MS = 3_000;
/** Longest way from a page over the relay to an observer, with the ticks on it and a sweep. */
const WAY_MS = 700;

type Kind = Page["kind"];
/** How Bob is seen in the room, in the lobby, and whether a stock client in the room holds his state. */
type Seen = readonly [room: string, lobby: string, held: boolean];
const ONLINE: Seen = ["online", "online", true];
const AWAY: Seen = ["away", "away", true];
const GONE: Seen = ["none", "offline", false];

/** Alice and a stock client look on; Bob's tab is the one that is looked at. */
class Scene {
  readonly world: World;
  readonly alice;
  readonly stock: StockPage;
  readonly bob: Page;
  /** What anybody saw of coming and going since everybody was here. */
  readonly comings: string[] = [];

  constructor(seed: number, kind: Kind) {
    clock.restart();
    this.world = new SimulatedWorld(seed, clock);
    this.alice = this.world.openOwn("alice");
    this.stock = this.world.openStock(ROOM);
    this.bob = kind === "own" ? this.world.openOwn("bob") : this.world.openStock(ROOM);
    for (const page of [this.alice, this.bob]) this.world.join(page, ROOM);
    clock.advance(20_000);
    for (const page of this.world.own) {
      for (const roster of [page.presence.lobby, page.rooms.get(ROOM)!.roster]) {
        for (const type of ["join", "leave"] as const) {
          roster.on(type, ({ userId, roomId }) => this.comings.push(`${page.actor.name}: ${userId} ${type} ${roomId}`));
        }
      }
    }
    // not at each second: at each change
    const { awareness } = this.stock.rooms.get(ROOM)!;
    awareness.on("change", ({ added, removed }: { added: number[]; removed: number[] }) => {
      // of its own state, which it keeps, y-protocols says so when the relay asks for a newer clock (LIVE-10)
      const others = (ids: number[]): number[] => ids.filter((id) => id !== awareness.clientID);
      for (const id of others(added)) this.comings.push(`stock: ${id} added`);
      for (const id of others(removed)) this.comings.push(`stock: ${id} removed`);
    });
  }

  get seen(): Seen {
    const { presence, rooms } = this.alice;
    const { user } = this.bob;
    const bobsId = this.bob.rooms.get(ROOM)!.awareness.clientID;
    return [
      rooms.get(ROOM)!.roster.get(user)?.status ?? "none",
      presence.lobby.get(user)?.status ?? "none",
      this.stock.rooms.get(ROOM)!.awareness.states.has(bobsId),
    ];
  }

  /** Lets time pass, and says when each view of Bob began, in s. */
  watch(ms: number): { readonly from: number; readonly seen: Seen }[] {
    const views = [{ from: 0, seen: this.seen }];
    for (let from = 1; from <= ms / 1_000; from++) {
      clock.advance(1_000);
      const { seen } = this;
      if (String(views.at(-1)?.seen) !== String(seen)) views.push({ from, seen });
    }
    return views;
  }

  /** He is back, and says at once what he is up to now; whether everybody sees it. */
  isSeenToReturn(): boolean {
    const { alice, bob, world } = this;
    if (bob.kind === "own") world.setMeta(bob);
    clock.advance(WAY_MS);
    const metas = [alice.rooms.get(ROOM)!.roster, alice.presence.lobby].map(
      (roster) => roster.get(bob.user)?.meta["n"],
    );
    const expected = bob.kind === "own" ? [bob.roomMetas.get(ROOM), bob.meta] : metas;
    return String(this.seen) === String(ONLINE) && String(metas) === String(expected);
  }

  /** The browser closes the connections of a page that it thaws, before the page runs: Chromium does (1001). */
  closeConnections(): void {
    for (const link of this.world.network.linksOf(this.bob.actor)) link.server?.peerClosed(1001);
  }

  /** What anybody saw of coming and going, until all has settled. */
  settle(): readonly string[] {
    clock.advance(40_000);
    return this.comings;
  }
}

/** What Alice sees of a Bob who is given up and returns: each once. */
function goneAndBack({ alice, bob }: Scene): string[] {
  const both = ["join", "leave"].flatMap((type) => ["@lobby", ROOM].map((room) => `${bob.user} ${type} ${room}`));
  return both.map((coming) => `${alice.actor.name}: ${coming}`).toSorted();
}

describe.each(SEEDS)("a tab that nobody looks at for ten minutes, seed %i", (seed) => {
  it("[ACT-2] [ACT-3] [LIVE-8] [LIVE-9] ours, its timers throttled, is away all the while, and online when it returns", () => {
    const scene = new Scene(seed, "own");
    const { world, bob } = scene;
    world.setHidden(bob, true);
    const views = scene.watch(TEN_MIN_MS);
    expect(bob.actor.mode).toBe("throttled");
    expect(views.map(({ seen }) => seen)).toEqual([ONLINE, AWAY]);
    expect([HIDDEN_MS.mobile, HIDDEN_MS.desktop].map((ms) => ms / 1_000 + 1)).toContain(views[1]?.from);
    world.setHidden(bob, false);
    expect(scene.isSeenToReturn()).toBe(true);
    expect(scene.settle()).toEqual([]);
  });

  it("[LIVE-8] [LIVE-9] a stock one, its timers throttled, renews each minute and says back what it hears: it is here all the while", () => {
    const scene = new Scene(seed, "stock");
    scene.world.setHidden(scene.bob, true);
    // it cannot say that nobody looks at it, and is not silent for long enough to tell
    expect(scene.watch(TEN_MIN_MS)).toEqual([{ from: 0, seen: ONLINE }]);
    expect(scene.bob.actor.mode).toBe("throttled");
    scene.world.setHidden(scene.bob, false);
    expect(scene.isSeenToReturn()).toBe(true);
    expect(scene.settle()).toEqual([]);
  });

  const kinds = ["own", "stock"] as const;
  const ends = ["lives on", "is closed by the browser"] as const;
  it.each(kinds.flatMap((kind) => ends.map((end) => [kind, end] as const)))(
    "[ACT-3] [LIVE-3] [LIVE-8] [LIVE-9] %s and frozen, is away once silent, never gone, and online when it returns and its connection %s",
    (kind, end) => {
      const scene = new Scene(seed, kind);
      const { world, bob } = scene;
      world.setHidden(bob, true);
      clock.advance(5_000);
      world.freeze(bob, TEN_MIN_MS + 500);
      const views = scene.watch(TEN_MIN_MS);
      expect(views.map(({ seen }) => seen)).toEqual([ONLINE, AWAY]);
      expect(views[1]?.from).toBeGreaterThanOrEqual((SILENT_MS - RENEW_MS) / 1_000);
      expect(views[1]?.from).toBeLessThanOrEqual(SILENT_MS / 1_000 + 1);
      if (end === "is closed by the browser") scene.closeConnections();
      clock.advance(500);
      world.setHidden(bob, false);
      expect(scene.isSeenToReturn()).toBe(true);
      expect(scene.settle()).toEqual([]);
    },
  );
});

describe.each(SEEDS)("a page that is kept for the way back, seed %i", (seed) => {
  function leave(scene: Scene, ms: number): void {
    const { world, bob } = scene;
    // it gives its connections up itself
    bob.busyUntil = world.clock.now + ms;
    if (bob.kind === "own") world.signal(bob, "suspend");
    world.freeze(bob, ms);
    // it is left on purpose
    world.excuse(bob.user, 0);
  }

  it("[LIVE-11] was never gone when it is restored within the grace", () => {
    const scene = new Scene(seed, "own");
    leave(scene, GRACE_MS - WAY_MS);
    clock.advance(GRACE_MS - 2 * WAY_MS);
    expect(scene.seen[2]).toBe(true);
    expect(scene.alice.presence.lobby.get("bob")?.reconnecting).toBe(true);
    clock.advance(WAY_MS);
    expect(scene.isSeenToReturn()).toBe(true);
    expect(scene.settle()).toEqual([]);
  });

  it("[LIVE-11] [ROSTER-2] is gone after the grace, and joins as it is now when it is restored after ten minutes", () => {
    const scene = new Scene(seed, "own");
    leave(scene, TEN_MIN_MS);
    const views = scene.watch(TEN_MIN_MS - 1_000);
    expect(views.map(({ seen }) => seen)).toEqual([ONLINE, GONE]);
    expect(views[1]?.from).toBe(Math.ceil((GRACE_MS + WAY_MS) / 1_000));
    clock.advance(1_000);
    expect(scene.isSeenToReturn()).toBe(true);
    expect(
      scene
        .settle()
        .filter((line) => line.startsWith("alice"))
        .toSorted(),
    ).toEqual(goneAndBack(scene));
  });
});

describe.each(SEEDS)("a process that is stopped for ten minutes, seed %i", (seed) => {
  it.each(["own", "stock"] as const)(
    "[LIVE-4] [ROSTER-2] %s, leaves in time, once, and returns as it is now",
    (kind) => {
      const scene = new Scene(seed, kind);
      const { world, bob } = scene;
      world.stop(bob, TEN_MIN_MS);
      const views = scene.watch(TEN_MIN_MS - 1_000);
      expect(views.at(-1)?.seen).toEqual(GONE);
      expect(views.at(-1)?.from).toBeLessThanOrEqual(SHOWN_MS / 1_000);
      // y-websocket waits before it connects again
      clock.advance(3_000);
      expect(scene.isSeenToReturn()).toBe(true);
      expect(
        scene
          .settle()
          .filter((line) => line.startsWith("alice"))
          .toSorted(),
      ).toEqual(goneAndBack(scene));
    },
  );
});
