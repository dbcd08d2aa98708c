/** What somebody says on the bus who pretends to be a relay. */
import { describe, expect, it } from "vitest";
import * as encoding from "lib0/encoding";
import * as Y from "yjs";
import { type LobbyUser, shardsOf } from "../../../src/lobby/index.ts";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { type MessageKind, encodeMessage } from "../../../src/relay/cluster/message.ts";
import type { RelayConfig } from "../../../src/relay/index.ts";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";

const EVIL = "r_evil";
const MAX = Number.MAX_SAFE_INTEGER;

async function attacked(options: RelayConfig = {}) {
  const bus = new MemoryBus();
  const running = await startRelay({ bus, onError: () => {}, ...options });
  const say = (topic: string, kind: MessageKind, room: string, seq: number, body: Uint8Array, relay = EVIL): void => {
    bus.publish(`cp1:${topic}`, encodeMessage({ kind, relay, room, seq, body }));
  };
  const alice = stockClient(running.url, "doc", { user: { id: "alice", name: "Alice" } });
  const bob = ownClient(running.url, "bob");
  const room = bob.join("doc");
  await until("Alice and Bob see each other", () => {
    return room.roster.get("alice") !== undefined && alice.awareness.states.has(room.doc.clientID);
  });
  const refused = (): number => running.relay.metrics().bus?.refused ?? 0;
  return { ...running, say, alice, bob, room, refused };
}

interface Said {
  readonly id: number;
  readonly clock?: number;
  readonly authorClock?: number;
  readonly heldAt?: number;
  readonly fields?: Record<string, string>;
}

/** A snapshot of states, each whole. */
function snapshot(states: readonly Said[]): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 0);
    encoding.writeVarUint(encoder, states.length);
    for (const { id, clock = 1, authorClock = 1, heldAt = 1, fields = {} } of states) {
      encoding.writeVarUint(encoder, id);
      encoding.writeUint8(encoder, 2);
      for (const each of [0, clock, authorClock, heldAt]) encoding.writeVarUint(encoder, each);
      encoding.writeVarString(encoder, "@lobby");
      encoding.writeVarUint(encoder, Object.keys(fields).length);
      for (const [name, value] of Object.entries(fields)) {
        encoding.writeVarString(encoder, name);
        encoding.writeVarString(encoder, value);
      }
      encoding.writeVarUint(encoder, 0);
    }
  });
}

function shard(update: Uint8Array, name = EVIL, choices: unknown = []): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 0);
    encoding.writeVarString(encoder, name);
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarString(encoder, JSON.stringify(choices));
    encoding.writeVarUint8Array(encoder, update);
  });
}

/** A shard with one user in it. */
function shardDoc(name: string, clientID?: number): Y.Doc {
  const doc = new Y.Doc();
  if (clientID !== undefined) doc.clientID = clientID;
  const users = new Y.Map<LobbyUser>();
  shardsOf(doc).set(name, users);
  const session = { status: "online", device: "desktop", since: 0, rooms: [], meta: {} };
  users.set("mallory", { user: { name: "Mallory" }, sessions: { s1: session }, lastSeen: 0 } as never);
  return doc;
}

describe("[BUS-43] a clock or a date at the end of its range", () => {
  it("shows nothing, and holds no client id: what clients say next is seen", async () => {
    const { say, alice, room } = await attacked();
    const user = { user: '{"id":"mallory"}' };
    const high = [{ clock: MAX }, { authorClock: MAX }, { clock: 2 ** 47 + 1 }];
    say("r:doc", "snapshot", "doc", 0, snapshot(high.map((each, i) => ({ id: 77 + i, fields: user, ...each }))));
    say("r:doc", "snapshot", "doc", 0, snapshot([{ id: 99, heldAt: MAX, fields: { user: '{"id":"oscar"}' } }]));
    await until("what is sound is seen", () => room.roster.get("oscar") !== undefined);
    expect(room.roster.get("mallory")).toBeUndefined();
    const raise = encoding.encode((encoder) => {
      for (const id of [alice.doc.clientID, room.doc.clientID]) {
        encoding.writeVarUint(encoder, id);
        encoding.writeVarUint(encoder, MAX);
      }
    });
    say("r:doc", "raise", "doc", 0, raise);
    alice.awareness.setLocalStateField("cursor", 1);
    room.awareness.setLocalStateField("cursor", 2);
    await until("each sees the other's cursor", () => {
      const [hers, his] = [room, alice].map(({ awareness }) => awareness.getStates());
      return hers?.get(alice.doc.clientID)?.["cursor"] === 1 && his?.get(room.doc.clientID)?.["cursor"] === 2;
    });
    for (const { clock } of alice.awareness.meta.values()) expect(clock).toBeLessThan(2 ** 47);
  });

  it("outranks no choice of status that its user makes next", async () => {
    const { say, bob, relay } = await attacked();
    const poisoned = [["bob", { status: "dnd", at: MAX }]];
    say(`l:@lobby`, "shardWhole", "@lobby", 0, shard(Y.encodeStateAsUpdate(shardDoc(EVIL)), EVIL, poisoned));
    await until("Bob's client is told", () => bob.status.manual === "dnd");
    bob.setStatus("busy");
    await until("his next choice counts", () => relay.user("bob")?.status === "busy");
    // as one that is known, and as one that was given up meanwhile
    say("l:@lobby", "shardWhole", "@lobby", 0, shard(Y.encodeStateAsUpdate(shardDoc(EVIL)), EVIL, poisoned));
    await until("his client is told again", () => bob.status.manual === "dnd");
    bob.setStatus("away");
    await until("and the next", () => relay.user("bob")?.status === "away" && bob.status.manual === "away");
  });
});

describe("[BUS-44] a shard", () => {
  it("of a relay itself is handed to readers", async () => {
    const { say, bob } = await attacked();
    say("l:@lobby", "shardWhole", "@lobby", 0, shard(Y.encodeStateAsUpdate(shardDoc(EVIL))));
    await until("its user is seen", () => bob.lobby.get("mallory") !== undefined);
  });

  it("that is another's, or holds another's, or waits for what was not sent, is not", async () => {
    const { say, bob, relay, refused } = await attacked();
    const own = relay.shard;
    const two = shardDoc(EVIL);
    Y.applyUpdate(two, Y.encodeStateAsUpdate(shardDoc(own)));
    const waiting = shardDoc(EVIL);
    const before = Y.encodeStateVector(waiting);
    shardsOf(waiting)
      .get(EVIL)
      ?.set("oscar", 5 as never);
    const other = shardDoc(EVIL);
    other.getText("t").insert(0, "x");
    const wrong = [
      shard(Y.encodeStateAsUpdate(shardDoc(own)), own),
      shard(Y.encodeStateAsUpdate(two)),
      shard(Y.encodeStateAsUpdate(waiting, before)),
      shard(Y.encodeStateAsUpdate(other)),
    ];
    for (const body of wrong) {
      const count = refused();
      say("l:@lobby", "shardWhole", "@lobby", 0, body);
      await until("it is refused", () => refused() > count);
    }
    bob.setMeta({ page: "home" });
    await until("his own shard is read as before", () => relay.user("bob")?.meta["page"] === "home");
    expect(bob.lobby.get("mallory")).toBeUndefined();
    expect(bob.lobby.get("bob")?.meta).toEqual({ page: "home" });
  });

  it("whose users are none is read as one without them, also when its relay is lost", async () => {
    const { say, bob, relay } = await attacked();
    const doc = shardDoc(EVIL);
    const users = shardsOf(doc).get(EVIL);
    const wrong = [5, null, "x", [], { user: 7, sessions: "x" }, { user: {}, sessions: { s: 1 }, lastSeen: 0 }];
    for (const [i, value] of wrong.entries()) users?.set(`u${i}`, value as never);
    users?.set("__proto__", { user: {}, sessions: {}, lastSeen: 0 } as never);
    say("l:@lobby", "shardWhole", "@lobby", 0, shard(Y.encodeStateAsUpdate(doc)));
    await until("the sound one is seen", () => relay.user("mallory")?.status === "online");
    for (let i = 0; i < wrong.length; i++) expect(relay.user(`u${i}`)).toBeUndefined();
    say("beat", "bye", "", 0, new Uint8Array());
    await until("its people may come back", () => bob.lobby.get("mallory")?.reconnecting === true);
  });
});

describe("[BUS-45] of what pretenders say", () => {
  it("a thousand relays are heard, and no more", async () => {
    const { say, relay } = await attacked();
    for (let i = 0; i < 1_200; i++) say("beat", "beat", "", 0, new Uint8Array(), `r_${i}`);
    await until("many are heard", () => (relay.metrics().bus?.relays ?? 0) >= 1_000);
    expect(relay.metrics().bus?.relays).toBe(1_000);
  });

  it("states take no more memory than all states may", async () => {
    const { say, relay, room, refused } = await attacked({ maxStatesTotal: 200_000 });
    const states = Array.from({ length: 100 }, (_, i) => ({
      id: i + 1,
      fields: { x: JSON.stringify("y".repeat(5_000)) },
    }));
    const count = refused();
    say("r:doc", "snapshot", "doc", 0, snapshot(states));
    await until("they are refused", () => refused() > count);
    expect(relay.metrics().stateBytes).toBeLessThan(200_000);
    expect(room.roster.users.length).toBe(2);
  });

  it("[BUS-2] a state that is no JSON reaches no client", async () => {
    const { say, alice, room, refused } = await attacked();
    for (const value of ["{", '{"a":', "", "\u0000", "[".repeat(100) + "]".repeat(100)]) {
      const count = refused();
      say("r:doc", "snapshot", "doc", 0, snapshot([{ id: 7, fields: { user: value } }]));
      await until("it is refused", () => refused() > count);
    }
    room.awareness.setLocalStateField("cursor", 3);
    await until("Alice's client goes on", () => alice.awareness.getStates().get(room.doc.clientID)?.["cursor"] === 3);
    expect(alice.awareness.getStates().has(7)).toBe(false);
  });
});
