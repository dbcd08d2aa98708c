/** The bus over a real Redis. */
import { describe, expect, it, onTestFinished } from "vitest";
import { openBus } from "../../../../src/relay/cluster/bus/open-bus.ts";
import { RedisBus } from "../../../../src/relay/cluster/bus/redis-bus.ts";
import { SignedBus } from "../../../../src/relay/cluster/bus/signed-bus.ts";
import { LevelDocumentStore } from "../../../../src/relay/store/level.ts";
import { readBusAddress } from "../../../../src/relay/util/bus-address.ts";
import { createRelay } from "../../../../src/relay/index.ts";
import { MemoryBus } from "../../../../src/relay/cluster/bus/memory-bus.ts";
import { ownClient, startRelay, until } from "../../../support.ts";
import { startRedis } from "../../redis.ts";
import { busContract, listening } from "../contract.ts";

function bus(url: string, errors: unknown[] = []): RedisBus {
  const made = new RedisBus(readBusAddress(url, "the bus"), (error) => errors.push(error));
  onTestFinished(() => made.close());
  return made;
}

describe("the bus over Redis", () => {
  let url = "";
  busContract(
    async () => {
      url = url === "" ? (await startRedis()).url : url;
      const made = bus(url);
      await until("it is connected", () => isConnected(made));
      return made;
    },
    () => (url = ""),
  );
});

async function isConnected(made: RedisBus): Promise<boolean> {
  let isHeard = false;
  const undo = made.subscribe("probe", () => (isHeard = true));
  try {
    await until(
      "heard",
      () => {
        void made.publish("probe", Uint8Array.of(1));
        return isHeard;
      },
      100,
    );
  } catch {
    // not yet
  }
  undo();
  return isHeard;
}

async function world(url: string, options: { readonly busSecret?: string; readonly busPrefix?: string } = {}) {
  return startRelay({ bus: await openBus(url, () => {}), onError: () => {}, ...options });
}

it("[BUS-23] relays that are given one Redis are one world, with a user of its own where it asks for one", async () => {
  const redis = await startRedis(
    ..."--user relay on >secret ~cp1:* &cp1:* +@all".split(" "),
    ..."--user default off".split(" "),
  );
  const url = redis.url.replace("//", "//relay:secret@");
  const [here, there] = [await world(url), await world(url)];
  const [hers, his] = [ownClient(here.url, "alice").join("doc"), ownClient(there.url, "bob").join("doc")];
  await until("both see both", () => hers.roster.users.length === 2 && his.roster.users.length === 2);
  await expect(openBus("nats://somewhere", () => {})).rejects.toThrow("must be redis://");
});

it("[BUS-23] who has not installed the package is told what to install", async () => {
  const missing = (): Promise<never> => Promise.reject(new Error("Cannot find package '@redis/client'"));
  await expect(openBus("redis://127.0.0.1:1", () => {}, "the bus", missing)).rejects.toThrow(
    "npm install copresence @redis/client",
  );
});

it("[BUS-24] relays of another secret or prefix do not hear each other", async () => {
  const { url } = await startRedis();
  const [here, same] = [await world(url, { busSecret: "one" }), await world(url, { busSecret: "one" })];
  const [other, unsigned] = [await world(url, { busSecret: "two" }), await world(url, { busPrefix: "other:" })];
  for (const [i, relay] of [here, same, other, unsigned].entries()) ownClient(relay.url, `user${i}`).join("doc");
  const ids = ({ relay }: typeof here): string =>
    relay
      .users()
      .map(({ id }) => id)
      .toSorted()
      .join(" ");
  await until("those of one secret are one world", () => ids(here) === "user0 user1" && ids(same) === "user0 user1");
  await until("the others are worlds of their own", () => ids(other) === "user2" && ids(unsigned) === "user3");
  expect([ids(here), ids(same)]).toEqual(["user0 user1", "user0 user1"]);
  let refused = 0;
  const memory = new MemoryBus();
  const signed = new SignedBus(memory, "one", () => refused++);
  const heard: Uint8Array[] = [];
  signed.subscribe("doc", (bytes) => heard.push(bytes));
  memory.publish("doc", Uint8Array.of(1, 2, 3));
  void signed.publish("doc", Uint8Array.of(7));
  await until("the signed one is heard", () => heard.length === 1);
  expect([refused, [...(heard[0] ?? [])]]).toEqual([1, [7]]);
});

it("[BUS-25] a relay does not start with a bus and a store for one process", async () => {
  const { mkdtempSync } = await import("node:fs");
  const store = await LevelDocumentStore.open(mkdtempSync("/tmp/copresence-level-"), {});
  onTestFinished(() => store.close());
  expect(() => createRelay({ bus: new MemoryBus(), store })).toThrow("need a store that all of them can use");
});

it("[BUS-26] what Redis does not take is dropped past 1 MiB, and all is well when it takes it again", async () => {
  const redis = await startRedis();
  const made = bus(redis.url);
  await until("it is connected", () => isConnected(made));
  const heard: number[] = [];
  made.subscribe("doc", ({ length }) => heard.push(length));
  await listening(made, "doc", 1);
  redis.kill("SIGSTOP");
  for (let i = 0; i < 100; i++) void made.publish("doc", new Uint8Array(100_000));
  expect(made.counts.dropped).toBeGreaterThanOrEqual(89);
  expect(made.counts.unsentBytes).toBeLessThanOrEqual(2 ** 20);
  redis.kill("SIGCONT");
  await until("what was taken arrives", () => heard.length >= 10 && made.counts.unsentBytes === 0);
  void made.publish("doc", Uint8Array.of(1));
  await until("and what comes then", () => heard.at(-1) === 1);
});

it("a Redis that is killed and starts empty is heard again", async () => {
  const redis = await startRedis();
  const [here, there] = [await world(redis.url), await world(redis.url)];
  const [alice, bob] = [ownClient(here.url, "alice"), ownClient(there.url, "bob")];
  const [hers, his] = [alice.join("doc"), bob.join("doc")];
  await until("both see both", () => hers.roster.users.length === 2 && his.roster.users.length === 2);
  const leaves: string[] = [];
  hers.roster.on("leave", ({ userId }) => leaves.push(userId));
  redis.kill("SIGKILL");
  await until("it is stale", () => hers.roster.status === "stale" && his.roster.status === "stale");
  his.setMeta({ n: 1 });
  await redis.restart();
  await until("it is live", () => hers.roster.status === "live" && his.roster.status === "live", 10_000);
  await until("Alice sees what Bob did", () => hers.roster.get("bob")?.meta["n"] === 1);
  expect(leaves).toEqual([]);
});
