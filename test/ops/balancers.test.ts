/** The configurations of ops/ with the real nginx and HAProxy, before three relays on one bus. */
import { describe, expect, it, onTestFinished } from "vitest";
import { type Balancer, BALANCERS } from "../../scripts/ensure.js";
import { startBalancer } from "../../scripts/cluster/balancer.js";
import { freePort } from "../../scripts/cluster/processes.js";
import { MemoryBus } from "../../src/relay/cluster/bus/memory-bus.ts";
import { type RunningRelay, ownClient, startRelay, stockClient, until } from "../support.ts";

async function cluster(name: Balancer) {
  const bus = new MemoryBus();
  const relays = await Promise.all([1, 2, 3].map(() => startRelay({ bus, trustProxy: 1 })));
  await until("all hear all", () =>
    relays.every(({ relay }) => relay.trouble === null && relay.metrics().bus?.relays === 2),
  );
  const port = await freePort();
  const balancer = await startBalancer(
    name,
    port,
    relays.map((relay) => relay.port),
  );
  onTestFinished(() => balancer.stop());
  const http = `http://127.0.0.1:${port}`;
  await until("it leads to a relay", async () => (await statusOf(`${http}/healthz`)) === 200);
  return { relays, url: `ws://127.0.0.1:${port}`, http };
}

async function statusOf(url: string): Promise<number> {
  const response = await fetch(url, { headers: { connection: "close" } });
  await response.text();
  return response.status;
}

/** On how many relays people are in a room. */
const spreadOf = (relays: readonly RunningRelay[], room: string): number =>
  relays.filter(({ relay }) => (relay.room(room)?.connections ?? 0) > 0).length;

const connectionsOf = (relays: readonly RunningRelay[]): number[] =>
  relays.map(({ relay }) => relay.room("@lobby")?.connections ?? 0);

describe.each(BALANCERS)("%s", (name) => {
  it("leads all stock clients of a room to one relay, and rooms to all relays", async () => {
    const { relays, url, http } = await cluster(name);
    const rooms = Array.from({ length: 30 }, (_, i) => `room ${i}/é`);
    const clients = rooms.flatMap((room) => [1, 2, 3].map((i) => stockClient(url, room, { user: { id: `u${i}` } })));
    await until(
      "all see all of their room",
      () => clients.every(({ awareness }) => awareness.getStates().size === 3),
      15_000,
    );
    expect(rooms.map((room) => spreadOf(relays, room))).toEqual(rooms.map(() => 1));
    expect(relays.every(({ relay }) => relay.rooms().length > 0)).toBe(true);
    for (const path of ["/metrics", "/readyz", "/inspect", "/inspect/app.js", "/api/v1/users"]) {
      expect([path, await statusOf(`${http}${path}`)]).toEqual([path, 404]);
    }
    expect(await statusOf(`http://127.0.0.1:${relays[0]?.port}/inspect`)).toBe(200);
  });

  it("spreads clients of ours, and leads those of one group to one relay", async () => {
    const { relays, url } = await cluster(name);
    const alone = Array.from({ length: 12 }, (_, i) => ownClient(url, `u${i}`));
    await until("all are there", () => alone.every(({ lobby }) => lobby.users.length === 12), 15_000);
    expect(connectionsOf(relays).every((count) => count >= 2)).toBe(true);
    const teams = ["red", "green", "blue"];
    const rooms = teams.flatMap((group) =>
      [1, 2, 3].map((i) => ownClient(url, `${group} ${i}`, { params: { group } }).join(group)),
    );
    await until("all see their team", () => rooms.every(({ roster }) => roster.users.length === 3), 15_000);
    expect(teams.map((team) => spreadOf(relays, team))).toEqual([1, 1, 1]);
  });

  it("[DRAIN-2] [DRAIN-3] leads the clients of a relay that drains to others, and nobody sees them leave", async () => {
    const { relays, url } = await cluster(name);
    const own = Array.from({ length: 9 }, (_, i) => ownClient(url, `own${i}`));
    const rooms = own.map((presence) => presence.join("doc"));
    const stock = Array.from({ length: 9 }, (_, i) => stockClient(url, "doc", { user: { id: `stock${i}` } }));
    const rosters = [...rooms.map(({ roster }) => roster), ...own.map(({ lobby }) => lobby)];
    const isWhole = (): boolean =>
      rosters.every(({ users, status }) => users.length === 18 && status === "live") &&
      stock.every(({ awareness }) => awareness.getStates().size === 18);
    await until("all see all", isWhole, 15_000);
    const events: string[] = [];
    for (const roster of rosters)
      roster.on("event", ({ type, userId }) => type !== "update" && events.push(`${type} ${userId}`));
    for (const { relay } of relays.slice(0, 2)) {
      await relay.drain(1_500);
      await relay.close();
    }
    await until("all see all", isWhole, 15_000);
    expect(events).toEqual([]);
  });
});
