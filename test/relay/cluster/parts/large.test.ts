/** What is too long for a bus at once: a lobby of thousands, and large documents. */
import { randomBytes } from "node:crypto";
import { expect, it, onTestFinished } from "vitest";
import type { User } from "../../../../src/presence/index.ts";
import { openBus } from "../../../../src/relay/cluster/bus/open-bus.ts";
import { encodeEntries, awarenessFrame } from "../../../../src/wire/index.ts";
import { type RunningRelay, ownClient, rawClient, startRelay, until } from "../../../support.ts";
import { startRedis } from "../../redis.ts";

async function two() {
  const { url } = await startRedis();
  const errors: unknown[] = [];
  const start = async () =>
    startRelay({ bus: await openBus(url, () => {}), onError: (error) => errors.push(error), maxStates: 10_000 });
  const [here, there] = [await start(), await start()];
  await until("they hear each other", () => [here, there].every(({ relay }) => relay.metrics().bus?.relays === 1));
  onTestFinished(() => expect(errors).toEqual([]));
  const droppedBefore = droppedBy(here) + droppedBy(there);
  return { here, there, dropped: () => droppedBy(here) + droppedBy(there) - droppedBefore };
}

const droppedBy = ({ relay }: RunningRelay): number => relay.metrics().bus?.dropped ?? 0;

/** What a user says of themselves: about a KiB. */
function stateOf(i: number): Uint8Array {
  const copresence = {
    session: `s_${i}`,
    status: "online",
    device: "desktop",
    since: 0,
    meta: { about: "x".repeat(900) },
  };
  return new TextEncoder().encode(JSON.stringify({ user: { id: `user${i}`, name: `User ${i}` }, copresence }));
}

it("[BUS-41] a lobby whose shard is larger than 1 MiB is known on another relay", async () => {
  const { here, there, dropped } = await two();
  const crowd = await rawClient(here.url, "doc");
  const count = 2_000;
  for (let from = 0; from < count; from += 100) {
    const entries = Array.from({ length: 100 }, (_, i) => ({ id: from + i + 1, clock: 1, state: stateOf(from + i) }));
    crowd.send(awarenessFrame(encodeEntries(entries)));
  }
  await until("they are here", () => here.relay.users().length === count, 10_000);
  const alice = ownClient(there.url, "alice");
  await until("Alice sees all of them", () => alice.lobby.users.length === count + 1, 10_000);
  expect(dropped()).toBe(0);
  const sizeOf = ({ meta }: User): number => JSON.stringify(meta).length;
  expect(alice.lobby.users.reduce((sum, user) => sum + sizeOf(user), 0)).toBeGreaterThan(2 ** 20);
  crowd.send(awarenessFrame(encodeEntries([{ id: 1, clock: 2, state: stateOf(count) }])));
  await until("what comes afterwards is seen, too", () => alice.lobby.get(`user${count}`) !== undefined);
});

it("[BUS-41] a document, and an update of it, that are several MiB long go to another relay", async () => {
  const { here, there, dropped } = await two();
  const [hers, his] = [ownClient(here.url, "alice").join("doc"), ownClient(there.url, "bob").join("doc")];
  await until("both see both", () => hers.roster.users.length === 2 && his.roster.users.length === 2);
  const text = randomBytes(3 * 2 ** 20).toString("hex");
  hers.doc.getText("t").insert(0, text);
  hers.doc.getText("t").insert(0, "then ");
  await until("Bob has it", () => his.doc.getText("t").length === text.length + 5, 15_000);
  hers.doc.getText("t").insert(0, "now ");
  await until("and what is written next", () => his.doc.getText("t").length === text.length + 9);
  expect(his.doc.getText("t").toJSON() === `now then ${text}`).toBe(true);
  const later = ownClient(there.url, "carol").join("other");
  hers.doc.getMap("m").set("k", 1);
  await until("other rooms go on", () => later.provider.synced);
  expect(dropped()).toBe(0);
});
