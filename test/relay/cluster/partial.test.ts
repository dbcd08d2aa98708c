/** What clients are told in rooms that no other relay was known to have, while the other relays cannot be heard. */
import { expect, it } from "vitest";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { ownClient, startRelay, until } from "../../support.ts";
import { FaultyBus } from "./faulty-bus.ts";

async function relayOn(shared: MemoryBus) {
  const bus = new FaultyBus(shared);
  return { bus, ...(await startRelay({ bus, onError: () => {} })) };
}

it("[BUS-20] who comes to a room while the bus is lost is told that others may be there, and those who were alone in it are not", async () => {
  const shared = new MemoryBus();
  const [here, there] = [await relayOn(shared), await relayOn(shared)];
  const alice = ownClient(here.url, "alice");
  const hers = alice.join("hers").roster;
  await until("Alice is in", () => hers.status === "live" && alice.lobby.status === "live");
  const heard: string[] = [];
  hers.on("status", (status) => heard.push(status));
  here.bus.isCut = true;
  await until("the bus is missed", () => alice.lobby.status === "stale");
  // nobody can tell Alice's relay that Bob is there
  const his = ownClient(there.url, "bob").join("doc").roster;
  const carol = ownClient(here.url, "carol");
  const [known, opened] = [carol.join("hers").roster, carol.join("doc").roster];
  await until("Carol is told so in both rooms", () => [known, opened].every(({ status }) => status === "stale"));
  await until("Alice sees her", () => hers.users.length === 2);
  expect([his.status, hers.status]).toEqual(["live", "live"]);
  here.bus.isCut = false;
  await until("Carol knows who is there", () => [known, opened].every(({ status }) => status === "live"));
  await until("she sees Bob", () => opened.get("bob") !== undefined);
  expect(heard).toEqual([]);
});

it("[BUS-20] a room that opened while the bus was lost is not said to be whole before those who have it could answer", async () => {
  const shared = new MemoryBus();
  const [here, there, third] = [await relayOn(shared), await relayOn(shared), await relayOn(shared)];
  const alice = ownClient(here.url, "alice");
  await until("Alice is in", () => alice.lobby.status === "live");
  here.bus.isCut = true;
  await until("the bus is missed", () => alice.lobby.status === "stale");
  ownClient(there.url, "bob").join("doc");
  ownClient(third.url, "carol").join("doc");
  await until("they are in", () => there.relay.room("doc")?.users.length === 2);
  const { roster } = alice.join("doc");
  await until("she is told that others may be there", () => roster.status === "stale");
  let seen: readonly string[] = [];
  roster.on("status", (status) => {
    if (status === "live") seen = roster.users.map(({ id }) => id).toSorted();
  });
  // Bob's relay answers at once, and Carol's takes its time
  third.bus.lateMs = ({ room }) => (room === "doc" ? 300 : 0);
  here.bus.isCut = false;
  await until("she knows who is there", () => roster.status === "live");
  expect(seen).toEqual(["alice", "bob", "carol"]);
});
