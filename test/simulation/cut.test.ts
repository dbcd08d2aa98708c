/** A relay that its clients do not reach any more, and that nobody tells: it hears the other relays, and they hear it. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { clock, inMacrotask } from "./cluster/clock.ts";
import type { Link } from "./network.ts";
import { tidily } from "./run.ts";
import type { OwnPage } from "./world.ts";
import type { SimRelay } from "./cluster/relay.ts";

const { ClusterWorld } = await import("./cluster/world.ts");

const ROOM = "red";
/** Until the relay has given up whom it does not hear, and its grace is over. */
const GIVEN_UP_MS = 40_000;
/** How often the test looks, ms: an attempt that is to fail must not have connected by then. */
const STEP_MS = 5;

interface Cut {
  /** How long Bob has been connected when the network fails, ms. */
  readonly afterMs: number;
  /** His first connection was lost so long after he had come, ms; undefined: he still has it. */
  readonly lostMs?: number;
  /** His first attempt to connect elsewhere still goes to the relay that does not answer. */
  readonly misses?: boolean;
}

/** Alice and Bob are at different relays when his is cut off from him. Returns who came and went in her eyes. */
function watchCut({ afterMs, lostMs, misses = false }: Cut): readonly string[] {
  clock.restart();
  const world = new ClusterWorld(Math.round(afterMs), clock);
  const alice = world.openOwn("alice");
  world.join(alice, ROOM);
  world.pass(5_000);
  const hers = world.homeOf(alice)!;
  hers.isHidden = true;
  const bob = world.openOwn("bob");
  world.join(bob, ROOM);
  // the world itself asks for a reason when a connection is lost
  bob.busyUntil = Infinity;
  if (lostMs !== undefined) {
    world.pass(lostMs);
    for (const link of world.network.linksOf(bob.actor)) link.reset("network");
  }
  world.pass(afterMs);
  const his = world.homeOf(bob)!;
  expect(his).not.toBe(hers);
  const comings: string[] = [];
  for (const roster of [alice.presence.lobby, alice.rooms.get(ROOM)!.roster]) {
    roster.on("event", ({ type, userId }) => type !== "update" && comings.push(`${type} ${userId}`));
  }
  const sees = (): boolean =>
    [alice.presence.lobby, alice.rooms.get(ROOM)!.roster].every((roster) => roster.has("bob"));
  expect([sees(), linksTo(his, bob).length]).toEqual([true, 1]);
  for (const link of linksTo(his, bob)) link.dead = true;
  hers.isHidden = false;
  if (!misses) his.isHidden = true;
  let attempt: Link | undefined;
  for (let ms = 0; ms < GIVEN_UP_MS; ms += STEP_MS) {
    world.pass(STEP_MS);
    if (his.isHidden) continue;
    attempt ??= world.network.linksOf(bob.actor).find(({ dead }) => !dead);
    if (attempt === undefined) continue;
    attempt.dead = true;
    his.isHidden = true;
  }
  expect([sees(), linksTo(his, bob).every(({ dead }) => dead)]).toEqual([true, true]);
  for (const page of world.pages) world.end(page, "destroyed");
  world.pass(5_000);
  for (const { actor, hub } of world.live) clock.as(actor, () => void hub.close());
  return comings;

  function linksTo(relay: SimRelay, page: OwnPage): Link[] {
    return world.network.linksOf(page.actor).filter(({ server }) => server?.actor === relay.actor);
  }
}

/** Nothing that awaits goes on while a microtask runs: each world is a task of its own. */
function run(cut: Cut): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    inMacrotask(() => {
      try {
        resolve(tidily(() => watchCut(cut)));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

/** Two renewals, at whatever moment of which the network fails. */
const moments = Array.from({ length: 21 }, (_, i) => 1_000 + i * 1_500);

// a client says there that its relay does not answer
beforeEach(() => void vi.spyOn(console, "warn").mockReturnValue());

describe("[LIVE-12] a client whose relay does not reach it any more is with another relay before anybody sees it leave", () => {
  it.each(moments)("%i ms after it came", async (afterMs) => {
    expect(await run({ afterMs })).toEqual([]);
  });

  it.each(moments)("%i ms after it came, though its first attempt to connect fails, too", async (afterMs) => {
    expect(await run({ afterMs, misses: true })).toEqual([]);
  });

  it.each([2_000, 6_000, 10_000, 14_000])(
    "soon after it had come back, whose first connection lasted %i ms",
    async (lostMs) => {
      expect(await run({ afterMs: 1_500, lostMs })).toEqual([]);
    },
  );
});
