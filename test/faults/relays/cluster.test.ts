/**
 * Real relays on a real Redis behind a real balancer, of which one fails: a small part of `npm run cluster:faults`, whose scripts
 * have the clients, too.
 */
import { expect, it, onTestFinished } from "vitest";
import { startCluster } from "../../../scripts/cluster/failing.js";
import { pause, until } from "../../support.ts";

async function cluster() {
  const made = await startCluster({ own: 30, stock: 6, rooms: 3, drainMs: 1_500 });
  onTestFinished(() => made.stop());
  await until("everyone is here", () => made.isWhole(), 60_000);
  await made.type(true);
  await made.mark();
  return made;
}

/** Past the time that anybody is waited for. */
const SETTLE_MS = 7_000;

it(
  "[BUS-16] [BUS-22] a relay that is killed, and relays that are restarted one after the other, cost nobody an edit",
  { timeout: 240_000 },
  async () => {
    const world = await cluster();
    await world.killRelay(0);
    await until("everyone is here again", () => world.isWhole(), 60_000);
    await world.startRelay(0);
    for (const place of [1, 2]) {
      await world.stopRelay(place);
      await until("everyone is here again", () => world.isWhole(), 60_000);
      await world.startRelay(place);
    }
    await world.type(false);
    await until("all have all edits", async () => (await world.edits()).lost === 0, 20_000);
    expect((await world.edits()).typed).toBeGreaterThan(0);
  },
);

it(
  "[BUS-19] [BUS-20] [BUS-21] Redis that is killed and restarted empty makes rosters stale, and nobody leaves or joins because of that",
  { timeout: 120_000 },
  async () => {
    const world = await cluster();
    await world.redis.stop();
    await until("all rosters are stale", async () => (await world.report()).stale.count === 40, 30_000);
    await world.restartRedis();
    await until("everyone is here again", () => world.isWhole(), 60_000);
    await pause(SETTLE_MS);
    await world.type(false);
    await until("all have all edits", async () => (await world.edits()).lost === 0, 20_000);
    const { leaves, joins } = await world.report();
    expect([leaves, joins]).toEqual([0, 0]);
  },
);
