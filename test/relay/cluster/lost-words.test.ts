/** What relays make up for that was said once and lost: found by the simulation of several relays. */
import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { encodeMessage } from "../../../src/relay/cluster/message.ts";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { Incoming } from "../../../src/relay/cluster/topic/sequence.ts";
import { datingClock } from "../../../src/relay/ports/clock.ts";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";
import { FaultyBus } from "./faulty-bus.ts";

async function relayOn(shared: MemoryBus) {
  const bus = new FaultyBus(shared);
  const errors: unknown[] = [];
  return { bus, errors, ...(await startRelay({ bus, onError: (error) => errors.push(error) })) };
}

/** Two relays, with Alice on the first and Bob on the second in one room. */
async function two() {
  const shared = new MemoryBus();
  const [here, there] = [await relayOn(shared), await relayOn(shared)];
  const [alice, bob] = [ownClient(here.url, "alice"), ownClient(there.url, "bob")];
  const [hers, his] = [alice.join("doc"), bob.join("doc")];
  const isSeen = (): boolean =>
    [hers.roster, his.roster, alice.lobby, bob.lobby].every(({ users }) => users.length === 2);
  await until("both see both", isSeen);
  return { shared, here, there, alice, bob, hers, his };
}

it("[BUS-27] a stock client that goes to another relay is seen to leave by nobody", async () => {
  const { here, there, alice, bob } = await two();
  const dave = stockClient(there.url, "doc", { user: { id: "dave", name: "Dave" } });
  await until("all see Dave", () => [alice, bob].every(({ lobby }) => lobby.get("dave") !== undefined));
  const leaves: string[] = [];
  for (const { lobby } of [alice, bob]) lobby.on("leave", ({ userId }) => leaves.push(userId));
  for (const { url, relay } of [here, there, here]) {
    const before = dave.ws;
    dave.serverUrl = url;
    (before as unknown as WebSocket).terminate();
    await until("Dave is connected there", () => dave.ws !== before && dave.synced);
    await until("that relay has Dave's connection", () => (relay.room("doc")?.connections ?? 0) === 2);
  }
  expect(leaves).toEqual([]);
});

it("[BUS-27] a stock client that goes to another relay is seen to leave by nobody, also where what its new relay says of it is lost once", async () => {
  const { shared, here, there, alice } = await two();
  const next = await relayOn(shared);
  const carol = ownClient(next.url, "carol");
  const dave = stockClient(there.url, "doc", { user: { id: "dave", name: "Dave" } });
  await until("Alice and Carol see Dave", () =>
    [alice, carol].every(({ lobby }) => lobby.status === "live" && lobby.get("dave") !== undefined),
  );
  const leaves: string[] = [];
  alice.lobby.on("leave", ({ userId }) => leaves.push(userId));
  let lost = 0;
  let hasToldNumber = false;
  // all until it says its last number again, so that nothing else tells of the loss
  next.bus.loses = ({ kind, room }) => {
    hasToldNumber ||= lost > 0 && kind === "tail" && room === "@lobby";
    return kind === "shard" && !hasToldNumber && ++lost > 0;
  };
  const asked = here.bus.said.length;
  dave.serverUrl = next.url;
  (dave.ws as unknown as WebSocket).terminate();
  await until("it is lost that Dave is there", () => lost > 0);
  await until("Alice's relay asks for what was lost", () =>
    here.bus.said.slice(asked).some(({ kind, room }) => kind === "ask" && room === "@lobby"),
  );
  const shards = (): number => there.bus.said.filter(({ kind }) => kind === "shard").length;
  const before = shards();
  await until("his old relay names him no more", () => shards() > before);
  await until("Alice hears the rest", () => alice.lobby.get("dave")?.sessions.length === 1);
  expect(leaves).toEqual([]);
});

it("[BUS-46] what another relay has of a document is asked for again when the answer is lost", async () => {
  const shared = new MemoryBus();
  const [here, there] = [await relayOn(shared), await relayOn(shared)];
  const hers = ownClient(here.url, "alice").join("doc");
  hers.doc.getText("t").insert(0, "hers");
  await until("Alice's relay has it", () => here.relay.room("doc")?.hasDocument === true);
  let lost = 0;
  // relays that meet ask more than once: the answers to all of these questions are lost
  let lostUntil = Infinity;
  here.bus.loses = ({ kind }) => {
    if (kind !== "sync2" || performance.now() > lostUntil) return false;
    if (lost++ === 0) lostUntil = performance.now() + 1_500;
    return true;
  };
  const his = ownClient(there.url, "bob").join("doc");
  await until("the answer is lost", () => lost > 0);
  await until("Bob has it all the same", () => his.doc.getText("t").toJSON() === "hers", 8_000);
});

it("[BUS-28] a relay whose clock is behind dates nothing earlier than it has heard from another, but for one that is a day ahead", () => {
  const clock = { now: () => 1_000, wall: () => 5_000_000 };
  const dates = datingClock(clock);
  expect(dates.steady()).toBe(5_000_000);
  dates.follow(5_300_000);
  expect([dates.date(), dates.steady()]).toEqual([5_300_000, 5_300_000]);
  dates.follow(5_100_000);
  expect(dates.date()).toBe(5_300_000);
  dates.follow(5_000_000 + 25 * 3_600_000);
  expect(dates.date()).toBe(5_300_000);
});

it("[BUS-28] with each beat a relay says how it dates", async () => {
  const { shared, here } = await two();
  const inAnHour = Date.now() + 3_600_000;
  const body = Uint8Array.from(varUint(inAnHour));
  shared.publish("cp1:beat", encodeMessage({ kind: "beat", relay: "r_ahead", room: "", seq: 0, body }));
  const carol = ownClient(here.url, "carol");
  await until("Carol is here", () => carol.lobby.status === "live");
  carol.setStatus("busy");
  await until("her choice is dated", () => (carol.lobby.get("carol")?.sessions[0]?.manual?.at ?? 0) >= inAnHour);
});

it("[BUS-51] a client that goes to another relay and leaves there is seen by nobody, though its old connection seems to be open", async () => {
  const { here, there, alice, bob } = await two();
  const memory = new Map<string, string>();
  const tabStorage = {
    get: (key: string) => memory.get(key) ?? null,
    set: (key: string, value: string) => void memory.set(key, value),
  };
  let isUnplugged = false;
  class Unplugged extends WebSocket {
    override send(data: string | Uint8Array): void {
      if (!isUnplugged) super.send(data);
    }
  }
  const before = ownClient(here.url, "carol", { tabStorage, WebSocket: Unplugged });
  before.join("doc");
  const isSeen = (): boolean => [alice, bob].every(({ lobby }) => lobby.get("carol")?.status === "online");
  await until("all see Carol", isSeen);
  isUnplugged = true;
  const after = ownClient(there.url, "carol", { tabStorage });
  expect(after.session).toBe(before.session);
  const hers = after.join("doc").roster;
  await until("she is there", () => hers.status === "live" && after.lobby.status === "live");
  await until("nobody waits for her", () => hers.get("carol")?.sessions[0]?.reconnecting === false);
  after.destroy();
  await until("nobody sees her", () => [alice, bob].every(({ lobby }) => lobby.users.length === 2), 5_000);
});

it("[BUS-29] a user who left another relay while nothing of it was heard is gone, since that relay says so when it is asked", async () => {
  const { here, there, alice, bob, hers, his } = await two();
  const second = bob.join("other");
  await until("Bob is in a second room", () => second.roster.status === "live");
  // that nobody is in the room any more is said once
  there.bus.loses = ({ kind }) => kind === "bye";
  his.leave();
  await until("the relay has nobody in the room", () => there.relay.room("doc") === undefined);
  there.bus.loses = () => false;
  here.bus.isCut = true;
  await until("the bus is missed", () => hers.roster.status === "stale");
  here.bus.isCut = false;
  await until("all is known again", () => hers.roster.status === "live" && alice.lobby.status === "live");
  await until("Bob is not in the room", () => hers.roster.get("bob") === undefined);
});

it("[BUS-4] that a relay has nobody in a room any more is said twice", async () => {
  const { there, hers, his } = await two();
  let lost = 0;
  there.bus.loses = ({ kind }) => (kind === "states" || kind === "bye") && lost++ >= 0;
  his.leave();
  await until("the relay has nobody in the room", () => there.relay.room("doc") === undefined);
  expect(lost).toBeGreaterThan(0);
  there.bus.loses = () => false;
  await until("Bob is not in the room", () => hers.roster.get("bob") === undefined, 2_500);
});

it("[BUS-30] relays whose first questions were lost find each other all the same", async () => {
  const shared = new MemoryBus();
  const [here, there] = [await relayOn(shared), await relayOn(shared)];
  for (const { bus } of [here, there]) bus.loses = ({ kind }) => kind === "ask";
  const [alice, bob] = [ownClient(here.url, "alice").join("doc"), ownClient(there.url, "bob").join("doc")];
  await until("both are in", () => [alice, bob].every(({ roster }) => roster.status === "live"));
  await until("both have asked", () =>
    [here, there].every(({ bus }) => bus.said.some(({ kind, room }) => kind === "ask" && room === "doc")),
  );
  for (const { bus } of [here, there]) bus.loses = () => false;
  await until("both see both", () => [alice, bob].every(({ roster }) => roster.users.length === 2));
});

it("[BUS-32] what cannot be taken is asked for, not again and again, and an old answer is dropped", async () => {
  const { shared, here, there, alice, his } = await two();
  const before = there.bus.said.filter(({ kind }) => kind === "ask").length;
  // it comes as the next message of Alice's relay, which goes on with the same number
  const seq = Math.max(...here.bus.said.filter(({ room }) => room === "doc").map((message) => message.seq)) + 1;
  const body = Uint8Array.of(1, 7, 0, 0, 9, 9, 9, 0, 0);
  const { relay } = here.bus.said[0] ?? { relay: "" };
  shared.publish("cp1:r:doc", encodeMessage({ kind: "states", relay, room: "doc", seq, body }));
  await until("it is asked for", () => there.bus.said.filter(({ kind }) => kind === "ask").length > before);
  expect(there.errors.map((error) => (error as Error).message)).toEqual(["a message of another relay was not taken"]);
  alice.setMeta({ n: 1 });
  await until("what comes then is seen", () => his.roster.get("alice") !== undefined);
  const incoming = new Incoming();
  expect(incoming.isPast(3)).toBe(false);
  incoming.whole(5);
  expect([incoming.isPast(4), incoming.isPast(5)]).toEqual([true, false]);
  incoming.refuse();
  expect([incoming.isWhole, incoming.isPast(4), incoming.isAskDue(0), incoming.isAskDue(1)]).toEqual([
    false,
    false,
    true,
    false,
  ]);
});

function* varUint(value: number): Generator<number> {
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) yield 128 | (rest % 128);
  yield rest;
}
