/** The bus over a Redis Cluster. */
import { describe, expect, it, onTestFinished } from "vitest";
import { openBus } from "../../../../src/relay/cluster/bus/open-bus.ts";
import type { Bus } from "../../../../src/relay/ports/bus.ts";
import { ownClient, startRelay, until } from "../../../support.ts";
import { startRedisCluster } from "../../redis.ts";
import { busContract, listening } from "../contract.ts";

async function open(url: string): Promise<Bus> {
  const bus = await openBus(url, () => {});
  onTestFinished(() => bus.close?.());
  let isHeard = false;
  const undo = bus.subscribe("probe", () => (isHeard = true));
  await until("the bus is connected", () => {
    void bus.publish("probe", Uint8Array.of(1));
    return isHeard;
  });
  undo();
  return bus;
}

describe("the bus over a Redis Cluster", { timeout: 120_000 }, () => {
  let url = "";
  busContract(
    async () => {
      url = url === "" ? (await startRedisCluster()).url : url;
      return open(url);
    },
    () => (url = ""),
  );
});

it(
  "[BUS-48] what one relay says on many topics of a cluster comes in order on each of them",
  { timeout: 120_000 },
  async () => {
    const { url } = await startRedisCluster();
    const [alice, bob] = [await open(url), await open(url)];
    const topics = Array.from({ length: 50 }, (_, i) => `cp1:r:doc${i}`);
    const heard = new Map<string, number[]>(topics.map((topic) => [topic, []]));
    for (const topic of topics) bob.subscribe(topic, ([byte = -1]) => heard.get(topic)?.push(byte));
    for (const topic of topics) await listening(alice, topic, 1);
    const numbers = Array.from({ length: 100 }, (_, i) => i);
    for (const n of numbers) for (const topic of topics) void alice.publish(topic, Uint8Array.of(n));
    await until("all is heard", () => [...heard.values()].every(({ length }) => length === numbers.length));
    for (const topic of topics) expect(heard.get(topic)).toEqual(numbers);
  },
);

it(
  "[BUS-47] relays on a Redis Cluster are one world, and heal when one of its nodes was stopped and comes back empty",
  { timeout: 120_000 },
  async () => {
    const { url, nodes } = await startRedisCluster();
    const start = async () => startRelay({ bus: await openBus(url, () => {}), onError: () => {} });
    const [here, there] = [await start(), await start()];
    const [alice, bob] = [ownClient(here.url, "alice"), ownClient(there.url, "bob")];
    // more topics than there are nodes
    const names = Array.from({ length: 12 }, (_, i) => `doc${i}`);
    const [hers, his] = [names.map((name) => alice.join(name)), names.map((name) => bob.join(name))];
    const areTogether = (): boolean => [...hers, ...his].every(({ roster }) => roster.users.length === 2);
    await until("both see both in each room", areTogether, 20_000);
    const leaves: string[] = [];
    for (const { roster } of [...hers, ...his]) roster.on("leave", ({ userId }) => leaves.push(userId));
    for (const node of nodes) {
      node.kill("SIGKILL");
      for (const room of his) room.setMeta({ port: node.port });
      await node.restart();
      await until(
        "Alice sees what Bob did, in each room",
        () => hers.every(({ roster }) => roster.get("bob")?.meta["port"] === node.port && roster.status === "live"),
        40_000,
      );
    }
    expect(leaves).toEqual([]);
  },
);
