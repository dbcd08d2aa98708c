/** Relays on a bus that fails, with clients of both kinds. */
import { describe, expect, it, onTestFinished } from "vitest";
import * as Y from "yjs";
import type { Presence, Room } from "../../../src/client/index.ts";
import { encodeMessage } from "../../../src/relay/cluster/message.ts";
import { RemoteRelay } from "../../../src/relay/cluster/room/remote-relay.ts";
import { LinkedHub } from "../../../src/relay/wiring/linked-hub.ts";
import { resolveOptions } from "../../../src/relay/options.ts";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { MemoryDocumentStore } from "../../../src/relay/store/memory.ts";
import type { RelayConfig } from "../../../src/relay/index.ts";
import { ownClient, pause, startRelay, stockClient, until } from "../../support.ts";
import { FaultyBus } from "./faulty-bus.ts";

async function relays(count: number, options: RelayConfig = {}) {
  const shared = new MemoryBus();
  return Promise.all(
    Array.from({ length: count }, async () => {
      const bus = new FaultyBus(shared);
      const errors: unknown[] = [];
      return { bus, errors, ...(await startRelay({ bus, onError: (error) => errors.push(error), ...options })) };
    }),
  );
}

/** Two relays, with Alice on the first and Bob on the second in one room. */
async function two(options: RelayConfig = {}) {
  const [here, there] = await relays(2, options);
  if (here === undefined || there === undefined) throw new Error("unreachable");
  const [alice, bob] = [ownClient(here.url, "alice"), ownClient(there.url, "bob")];
  const [hers, his] = [alice.join("doc"), bob.join("doc")];
  await until("both see both", () =>
    [hers.roster, his.roster, alice.lobby, bob.lobby].every(({ users }) => users.length === 2),
  );
  return { here, there, alice, bob, hers, his };
}

/** Who has left in the eyes of a client, in the lobby and in its rooms. */
function leavesOf(presence: Presence, room: Room): string[] {
  const leaves: string[] = [];
  presence.lobby.on("leave", ({ userId }) => leaves.push(userId));
  room.roster.on("leave", ({ userId }) => leaves.push(userId));
  return leaves;
}

it("[BUS-1] [BUS-10] people of two relays are one world, and an empty room costs nothing", async () => {
  const { here, there } = await two();
  expect(
    here.relay
      .room("doc")
      ?.users.map(({ id }) => id)
      .toSorted(),
  ).toEqual(["alice", "bob"]);
  expect(here.relay.room("doc")?.connections).toBe(1);
  const before = here.bus.said.length;
  const carol = ownClient(here.url, "carol").join("alone");
  await until("Carol is here", () => here.relay.room("alone")?.users.length === 1);
  carol.setMeta({ a: 1 });
  await until("that is known", () => here.relay.room("alone")?.users[0]?.meta["a"] === 1);
  const said = here.bus.said.slice(before).filter(({ room }) => room === "alone");
  expect([...new Set(said.map(({ kind }) => kind))]).toEqual(["ask"]);
  expect(
    there.relay
      .users()
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual(["alice", "bob", "carol"]);
});

it("[BUS-5] of a state another relay is told all fields once, and then those that changed", async () => {
  const { here, hers, his } = await two();
  hers.doc.getText("t").insert(0, "x");
  const before = here.bus.said.length;
  for (let i = 0; i < 5; i++) {
    hers.awareness.setLocalStateField("cursor", { i });
    await until(
      "Bob sees it",
      () => (his.awareness.getStates().get(hers.doc.clientID) as { cursor?: { i: number } })?.cursor?.i === i,
    );
  }
  const states = here.bus.said.slice(before).filter(({ kind }) => kind === "states");
  expect(states.length).toBeGreaterThan(0);
  for (const { body } of states) expect(body.length).toBeLessThan(80);
});

describe("what the bus loses", () => {
  it("[BUS-3] is asked for when the next message shows the gap", async () => {
    const { here, there, hers, his } = await two();
    let lost = 0;
    here.bus.loses = ({ kind }) => kind === "states" && lost++ === 0;
    hers.setMeta({ n: 1 });
    await until("it is lost", () => lost > 0);
    expect(his.roster.get("alice")?.meta).toEqual({});
    hers.awareness.setLocalStateField("cursor", { x: 1 });
    await until("Bob has it all the same", () => his.roster.get("alice")?.meta["n"] === 1, 900);
    expect(there.errors).toEqual([]);
  });

  it("[BUS-4] is asked for after a second when nothing else comes", async () => {
    const { here, hers, his } = await two();
    let lost = 0;
    here.bus.loses = ({ kind }) => (kind === "states" || kind === "doc") && lost++ < 2;
    hers.setMeta({ n: 1 });
    hers.doc.getText("t").insert(0, "hers");
    await until(
      "Bob has it",
      () => his.roster.get("alice")?.meta["n"] === 1 && his.doc.getText("t").toJSON() === "hers",
      2_500,
    );
  });
});

it("[BUS-6] [BUS-7] a stock client that comes back through another relay sees all and is seen at once", async () => {
  const { here, there } = await two();
  const carol = stockClient(here.url, "doc", { user: { id: "carol", name: "Carol" } });
  const dave = stockClient(there.url, "doc", { user: { id: "dave", name: "Dave" } });
  await until("all see all", () => [carol, dave].every(({ awareness }) => awareness.getStates().size === 4));
  for (let i = 0; i < 3; i++) dave.awareness.setLocalStateField("cursor", i);
  await until("Carol sees Dave", () => carol.awareness.getStates().get(dave.awareness.clientID)?.["cursor"] === 2);
  for (const [from, to] of [
    [here, there],
    [there, here],
  ] as const) {
    expect(from).not.toBe(to);
    carol.disconnect();
    await until("she sees nobody", () => carol.awareness.getStates().size <= 1);
    carol.serverUrl = to.url;
    carol.awareness.setLocalState(carol.awareness.getLocalState() ?? { user: { id: "carol", name: "Carol" } });
    carol.connect();
    await until("she sees all again", () => carol.awareness.getStates().size === 4, 1_500);
    await until("she is seen", () => dave.awareness.getStates().has(carol.awareness.clientID), 1_500);
  }
});

it("[BUS-8] a relay that passed on a higher clock than the home relay gives out has it raised", async () => {
  const { here, hers } = await two();
  const id = hers.doc.clientID;
  const body = Uint8Array.from([...varUint(id), ...varUint(2 ** 45)]);
  here.bus.publish(
    `cp1:i:${here.relay.shard}`,
    encodeMessage({ kind: "raise", relay: "r_other", room: "doc", seq: 0, body }),
  );
  const stock = stockClient(here.url, "doc");
  await until("it goes on above that", () => (stock.awareness.meta.get(id)?.clock ?? 0) > 2 ** 45);
});

it("[BUS-9] a session that speaks through another relay takes over everywhere, and the old connection is told", async () => {
  const [here, there] = await relays(2);
  const memory = new Map<string, string>();
  const storage = {
    get: (key: string) => memory.get(key) ?? null,
    set: (key: string, value: string) => void memory.set(key, value),
  };
  const witness = ownClient(here!.url, "witness").join("doc");
  const first = ownClient(here!.url, "alice", { tabStorage: storage });
  first.join("doc");
  await until("she is here", () => witness.roster.get("alice")?.sessions.length === 1);
  const session = first.session;
  const second = ownClient(there!.url, "alice", { tabStorage: storage });
  const room = second.join("doc");
  expect(second.session).toBe(session);
  await until("she is there", () => room.roster.get("witness") !== undefined);
  // the first lives: it is a duplicated tab, and takes a session of its own
  await until("the first is another session", () => first.session !== session);
  await until("both are seen", () => witness.roster.get("alice")?.sessions.length === 2);
  await until("in both relays", () => room.roster.get("alice")?.sessions.length === 2);
});

describe("documents", () => {
  it("[BUS-11] an update is stored once, by the relay of its author", async () => {
    const store = new MemoryDocumentStore();
    const counts: number[] = [];
    const counting = (i: number) => ({
      load: (room: string, signal: AbortSignal) => store.load(room, signal),
      compact: (room: string, snapshot: Uint8Array, upTo: string) => store.compact(room, snapshot, upTo),
      append: (room: string, updates: readonly Uint8Array[]) => {
        counts[i] = (counts[i] ?? 0) + 1;
        return store.append(room, updates);
      },
    });
    const shared = new MemoryBus();
    const here = await startRelay({ bus: new FaultyBus(shared), store: counting(0) });
    const there = await startRelay({ bus: new FaultyBus(shared), store: counting(1) });
    const [hers, his] = [ownClient(here.url, "alice").join("doc"), ownClient(there.url, "bob").join("doc")];
    await until("both see both", () => hers.roster.users.length === 2 && his.roster.users.length === 2);
    hers.doc.getText("t").insert(0, "hers");
    await until("Bob has it", () => his.doc.getText("t").toJSON() === "hers");
    await until("it is stored", () => counts[0] === 1);
    await pause(300);
    expect(counts).toEqual([1]);
  });

  it("[BUS-12] a client is not told that a document is empty which another relay has", async () => {
    const [here, there] = await relays(2);
    const hers = ownClient(here!.url, "alice").join("doc");
    hers.doc.getText("t").insert(0, "hers");
    await until("the relay has it", () => here!.relay.room("doc")?.hasDocument === true);
    // what is said to the other relay alone takes its time
    const late: (() => void)[] = [];
    const publish = here!.bus.publish.bind(here!.bus);
    here!.bus.publish = (topic, bytes) => {
      if (topic.includes(":i:")) late.push(() => publish(topic, bytes));
      else publish(topic, bytes);
    };
    const bob = stockClient(there!.url, "doc");
    let textWhenSynced: string | undefined;
    bob.on("sync", () => (textWhenSynced ??= bob.doc.getText("t").toJSON()));
    const timer = setInterval(() => late.shift()?.(), 30);
    await until("he is in sync", () => textWhenSynced !== undefined);
    clearInterval(timer);
    expect(textWhenSynced).toBe("hers");
  });

  it("[BUS-13] what a lost relay may not have stored is stored by the others", async () => {
    const store = new MemoryDocumentStore();
    const failing = {
      load: () => Promise.resolve(null),
      append: () => Promise.reject(new Error("away")),
      compact: () => Promise.resolve(false),
    };
    const shared = new MemoryBus();
    const doomed = new FaultyBus(shared);
    const here = await startRelay({ bus: doomed, store: failing, onError: () => {} });
    const there = await startRelay({ bus: new FaultyBus(shared), store });
    const [hers, his] = [ownClient(here.url, "alice").join("doc"), ownClient(there.url, "bob").join("doc")];
    await until("both see both", () => hers.roster.users.length === 2 && his.roster.users.length === 2);
    hers.doc.getText("t").insert(0, "hers");
    await until("Bob has it", () => his.doc.getText("t").toJSON() === "hers");
    doomed.cannotSpeak = true;
    await until("it is stored", async () => {
      const stored = await store.load("doc", new AbortController().signal);
      if (stored === null) return false;
      const doc = new Y.Doc();
      for (const update of stored.updates) Y.applyUpdate(doc, update);
      return doc.getText("t").toJSON() === "hers";
    });
  });
});

describe("lobbies", () => {
  it("[BUS-14] a relay counts the people of the others with its own", async () => {
    const { here, there, alice } = await two();
    const ids = (): string[] => [...here.relay.users(), ...there.relay.users()].map(({ id }) => id).toSorted();
    await until("each knows both", () => ids().join() === "alice,alice,bob,bob");
    const second = ownClient(there.url, "alice");
    await until("her second session is counted", () => here.relay.user("alice")?.sessions.length === 2);
    second.destroy();
    await until("and is gone", () => here.relay.user("alice")?.sessions.length === 1);
    expect(alice.lobby.users).toHaveLength(2);
  });

  it("[BUS-15] who is invisible on one relay is shown on none, with tabs on both", async () => {
    const { here, there, bob, hers } = await two();
    const second = ownClient(here.url, "bob");
    const room = second.join("doc");
    await until("both of his tabs are seen", () => hers.roster.get("bob")?.sessions.length === 2);
    bob.setStatus("invisible");
    await until("neither is seen by Alice", () => hers.roster.get("bob") === undefined);
    await until("nor by the servers", () =>
      [here, there].every(({ relay }) => relay.users().every(({ id }) => id !== "bob")),
    );
    await until("his other tab knows", () => room.roster.self?.manual === "invisible");
    second.setStatus(null);
    await until("he is seen again", () => hers.roster.get("bob")?.sessions.length === 2);
  });
});

describe("a relay that is lost", () => {
  it("[BUS-16] [BUS-17] [BUS-18] its people are reconnecting, then gone, everywhere", async () => {
    const { here, there, alice, hers } = await two({ leaveGrace: 1_000 });
    there.bus.isCut = true;
    await until("Bob is reconnecting in the room", () => hers.roster.get("bob")?.reconnecting === true);
    await until("and in the lobby", () => alice.lobby.get("bob")?.reconnecting === true);
    expect(here.relay.user("bob")?.reconnecting).toBe(true);
    await until("then he is gone", () => hers.roster.get("bob") === undefined && alice.lobby.get("bob") === undefined);
    await until("for the server too", () => here.relay.users().length === 1);
    there.bus.isCut = false;
    await until(
      "and back when it is heard again",
      () => hers.roster.get("bob") !== undefined && alice.lobby.get("bob") !== undefined,
    );
  });

  it("[BUS-22] one that stops says so: who comes back elsewhere was never gone", async () => {
    const { here, there, alice, hers } = await two();
    const leaves = leavesOf(alice, hers);
    await there.relay.close();
    await until("Bob is reconnecting", () => hers.roster.get("bob")?.reconnecting === true, 900);
    const again = ownClient(here.url, "bob");
    again.join("doc");
    await until("he is back", () => hers.roster.get("bob")?.reconnecting === false);
    await pause(3_300);
    expect(leaves).toEqual([]);
  });

  it("[DRAIN-7] who is sent elsewhere and comes back after the grace, but soon, was never gone; who does not, leaves", async () => {
    const { here, there, alice, hers } = await two({ leaveGrace: 400, drainTime: 2_500 });
    const carol = ownClient(there.url, "carol");
    carol.join("doc");
    await until(
      "Carol is seen",
      () => hers.roster.get("carol") !== undefined && alice.lobby.get("carol") !== undefined,
    );
    const leaves = leavesOf(alice, hers);
    await there.relay.close();
    await until("Bob is reconnecting", () => hers.roster.get("bob")?.reconnecting === true);
    await pause(1_000);
    const again = ownClient(here.url, "bob");
    again.join("doc");
    await until("he is back", () => hers.roster.get("bob")?.reconnecting === false);
    await until("Carol has left", () => leaves.filter((id) => id === "carol").length === 2);
    expect(leaves.filter((id) => id !== "carol")).toEqual([]);
  });
});

it("[BUS-19] [BUS-20] without a bus rosters are stale and nobody leaves; when it is back they are live", async () => {
  const { here, there, alice, bob, hers, his } = await two({ leaveGrace: 500 });
  const leaves = [leavesOf(alice, hers), leavesOf(bob, his)];
  const alone = alice.join("alone");
  await until("she is alone", () => alone.roster.status === "live");
  here.bus.isCut = there.bus.isCut = true;
  const shown = [hers.roster, his.roster, alice.lobby, bob.lobby];
  await until("all that is shared is stale", () => shown.every(({ status }) => status === "stale"), 3_500);
  expect(alone.roster.status).toBe("live");
  const late = ownClient(here.url, "late");
  await until("who comes now is told, too", () => late.lobby.status === "stale");
  his.doc.getText("t").insert(0, "his");
  hers.doc.getText("t").insert(0, "hers ");
  await until("the bus is begun anew", () => here.bus.reconnects > 0, 8_000);
  expect(shown.every(({ users }) => users.length >= 2)).toBe(true);
  here.bus.isCut = there.bus.isCut = false;
  await until("all is live", () => [...shown, late.lobby].every(({ status }) => status === "live"));
  await until("edits of both sides are merged", () => [hers, his].every(({ doc }) => doc.getText("t").length === 8));
  await until("who came meanwhile is seen", () => bob.lobby.get("late") !== undefined);
  expect(leaves).toEqual([[], []]);
});

it("[BUS-21] when the bus is back, rooms are asked for some at a time", async () => {
  const bus = new FaultyBus(new MemoryBus());
  const hub = new LinkedHub(resolveOptions({}), () => {}, { bus });
  onTestFinished(() => hub.close());
  const member = Object.assign(new RemoteRelay("client", "@lobby", 0), { kind: "stock" as const });
  for (let i = 0; i < 600; i++) hub.core.join(Object.create(member) as RemoteRelay, `room ${i}`);
  bus.isCut = true;
  await until("the bus is lost", () => hub.cluster?.isUp === false);
  const before = bus.said.length;
  const at: number[] = [];
  const publish = bus.publish.bind(bus);
  bus.publish = (topic, bytes) => {
    if (topic.startsWith("cp1:r:")) at.push(performance.now());
    publish(topic, bytes);
  };
  bus.isCut = false;
  await until("all are asked for", () => at.length >= 600);
  expect(bus.said.slice(before).filter(({ kind, room }) => kind === "ask" && room.startsWith("room "))).toHaveLength(
    600,
  );
  const [first = 0, last = 0] = [at[0], at.at(-1)];
  expect(last - first).toBeGreaterThan(90);
});

function varUint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return [...bytes, left];
}
