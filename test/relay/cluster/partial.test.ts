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
