import { describe, expect, it } from "vitest";
import { type LobbyUser, vouchedShard } from "../../../../src/lobby/index.ts";
import { PATCH_SUBPROTOCOL, QUERY_FRAME } from "../../../../src/wire/index.ts";
import { ownClient, pause, startRelay, until } from "../../../support.ts";
import { RawPeer, mentions, rawPeer, stateOf, statesFrame } from "../../raw.ts";

const prompt = { tick: 0, lobbyTick: 0 };
type Users = Record<string, LobbyUser>;

/** What a reader knows of a relay's shard. */
const shardIn = (reader: RawPeer, shard: string): Users =>
  (reader.doc.getMap("shards").toJSON()[shard] as Users | undefined) ?? {};

/** A raw reader of the default lobby that has what there is. */
async function lobbyReader(url: string, trusts = false): Promise<RawPeer> {
  const reader = await rawPeer(url, "@lobby", { trusts });
  await reader.settle();
  return reader;
}

describe("an invisible user", () => {
  /** Observers of all kinds, in the room and in the lobby. */
  async function watch(url: string): Promise<RawPeer[]> {
    const places = [false, true].flatMap((trusts) => [rawPeer(url, "doc", { trusts }), lobbyReader(url, trusts)]);
    const observers = await Promise.all(places);
    await Promise.all(observers.map((observer) => observer.settle()));
    return observers;
  }

  /** All that the observers hear until they have heard of Carol, who comes after what is to be kept from them. */
  async function heardUntilCarol(url: string, observers: readonly RawPeer[], from: readonly number[]) {
    const carol = await rawPeer(url, "doc");
    carol.say([99, 1, { user: { id: "carol", name: "Carol" } }]);
    const heard = (): Uint8Array[][] => observers.map((observer, i) => observer.received.slice(from[i]));
    await until("all hear of Carol", () => heard().every((messages) => mentions(messages, "Carol")));
    return heard().flat();
  }

  const manual = { status: "invisible", at: 1_000 };
  /** All words by which Ina could be told. */
  const traces = ["ina", "Ina", "s_tab", "s_phone", "secret", "invisible"];

  it("[STATUS-5] who arrives invisible is in nothing that others are sent", async () => {
    const { relay, url } = await startRelay({ ...prompt, leaveGrace: 400 });
    const events: string[] = [];
    relay.on("event", ({ type, userId, roomId }) => events.push(`${type} ${userId} ${roomId}`));
    const observers = await watch(url);
    const lobby = await rawPeer(url, "@lobby", { trusts: true });
    lobby.say([1, 1, stateOf("ina", "s_tab", { manual, meta: { x: "secret" } })]);
    await lobby.settle();
    // a phone that has not heard of it, and a stock client that cannot
    const phone = await rawPeer(url, "doc", { trusts: true });
    phone.say([2, 1, stateOf("ina", "s_phone", { meta: { x: "secret" } }, { cursor: "secret" })]);
    const stock = await rawPeer(url, "doc");
    stock.say([3, 1, { user: { id: "ina" }, cursor: "secret" }]);
    await Promise.all([phone.settle(), stock.settle()]);
    phone.say([2, 2, stateOf("ina", "s_phone", { status: "away" }, { cursor: "secret" })]);
    await phone.settle();
    // neither are they told of a connection that is lost, nor those who come then, nor when it is given up
    for (const peer of [stock, phone]) peer.socket.terminate();
    await until("they are lost", () => relay.room("doc")?.connections === 2);
    const late = await watch(url);
    await pause(450);
    const heard = await heardUntilCarol(url, [...observers, ...late], Array(8).fill(0) as number[]);
    expect(traces.filter((trace) => mentions(heard, trace))).toEqual([]);
    expect(observers.concat(late).every((observer) => [1, 2, 3].every((id) => !observer.states.has(id)))).toBe(true);
    expect([...observers, ...late].flatMap(({ controls }) => controls.map(({ kind }) => kind))).toEqual(
      Array(4).fill("hello"),
    );
    for (const users of [relay.users(), relay.room("doc")!.users]) {
      expect(users.map((user) => user.id)).toEqual(["carol"]);
    }
    expect(events.toSorted()).toEqual(["join carol @lobby", "join carol doc"]);
  });

  it("[STATUS-5] who turns invisible is gone for others, from all sessions, and then in nothing that they are sent", async () => {
    const { relay, url } = await startRelay({ ...prompt, leaveGrace: 50 });
    const observers = await watch(url);
    const phone = await rawPeer(url, "doc", { trusts: true });
    phone.say([2, 1, stateOf("ina", "s_phone")]);
    const tab = await rawPeer(url, "doc", { trusts: true });
    tab.say([1, 1, stateOf("ina", "s_tab")]);
    const [room, lobby, ownRoom, ownLobby] = observers as [RawPeer, RawPeer, RawPeer, RawPeer];
    const shardOf = (reader: RawPeer): LobbyUser | undefined => shardIn(reader, relay.shard)["ina"];
    await until("all see both sessions", () => {
      return (
        [room, ownRoom].every((observer) => observer.states.has(1) && observer.states.has(2)) &&
        [lobby, ownLobby].every((reader) => Object.keys(shardOf(reader)?.sessions ?? {}).length === 2)
      );
    });
    tab.say([1, 2, stateOf("ina", "s_tab", { manual, meta: { x: "secret" } })]);
    await until("all see her go", () => {
      return (
        [room, ownRoom].every((observer) => observer.states.size === 0) &&
        [lobby, ownLobby].every((reader) => Object.keys(shardOf(reader)!.sessions).length === 0)
      );
    });
    expect(relay.user("ina")?.status).toBe("offline");
    expect(relay.room("doc")?.users).toEqual([]);
    expect(
      mentions(
        observers.flatMap((observer) => observer.received),
        "secret",
      ),
    ).toBe(false);
    const from = observers.map((observer) => observer.received.length);

    tab.say([1, 3, stateOf("ina", "s_tab", { manual, status: "away" }, { cursor: "secret" })]);
    phone.say([2, 2, stateOf("ina", "s_phone", { meta: { x: "secret" } })]);
    await Promise.all([tab.settle(), phone.settle()]);
    phone.socket.terminate();
    await until("it is lost", () => relay.room("doc")?.connections === 3);
    await pause(100);
    tab.say([1, 4, null]);
    await tab.settle();
    const heard = await heardUntilCarol(url, observers, from);
    expect(traces.filter((trace) => mentions(heard, trace))).toEqual([]);
    // of her phone they were sent one state and one end
    for (const observer of [room, ownRoom]) {
      expect(observer.updates.flat().filter(([id]) => id === 2)).toHaveLength(2);
    }
  });

  it("[STATUS-5] [PATCH-1] is told to nobody who asks, however often, nor to those who take patches", async () => {
    const { url } = await startRelay(prompt);
    const patched = new RawPeer(url, "doc", [PATCH_SUBPROTOCOL]);
    const stock = await rawPeer(url, "doc");
    const tab = await rawPeer(url, "doc", { trusts: true });
    tab.say([1, 1, stateOf("ina", "s_tab", { manual, meta: { x: "secret" } }, { cursor: "secret" })]);
    await tab.settle();
    for (const clock of [2, 3, 4]) {
      for (const peer of [patched, stock]) peer.send(QUERY_FRAME);
      tab.say([1, clock, stateOf("ina", "s_tab", { manual, meta: { x: "secret" } }, { cursor: `secret ${clock}` })]);
      await Promise.all([tab.settle(), patched.settle(), stock.settle()]);
    }
    const late = new RawPeer(url, "doc", [PATCH_SUBPROTOCOL]);
    await until("it is let in", () => late.received.length > 0);
    const heard = await heardUntilCarol(url, [patched, stock, late], [0, 0, 0]);
    expect(traces.filter((trace) => mentions(heard, trace))).toEqual([]);
  });

  it("[STATUS-5] [LIVE-2] who is seen again while a connection is lost is seen as lost", async () => {
    const { url } = await startRelay({ ...prompt, leaveGrace: 60_000 });
    const observer = await rawPeer(url, "doc", { trusts: true });
    const [tab, phone] = [await rawPeer(url, "@lobby", { trusts: true }), await rawPeer(url, "doc", { trusts: true })];
    tab.say([1, 1, stateOf("ina", "s_tab", { manual })]);
    await tab.settle();
    phone.say([2, 1, stateOf("ina", "s_phone")]);
    await phone.settle();
    phone.socket.close(1001);
    await phone.closed;
    await observer.settle();
    expect(observer.controls.map(({ kind }) => kind)).toEqual(["hello"]);
    tab.say([1, 2, stateOf("ina", "s_tab", { manual: { status: null, at: 2_000 } })]);
    await until("her phone is seen", () => observer.states.has(2));
    expect(observer.controls.at(-1)).toEqual({ kind: "marks", marks: [[2, "reconnecting", expect.any(Number)]] });
  });

  it("[STATUS-5] a tab that signs in as somebody else takes its choice along", async () => {
    const { relay, url } = await startRelay(prompt);
    const observer = await rawPeer(url, "doc");
    const [tab, phone] = [await rawPeer(url, "doc", { trusts: true }), await rawPeer(url, "doc", { trusts: true })];
    tab.say([1, 1, stateOf("ina", "s_tab", { manual })]);
    await tab.settle();
    phone.say([2, 1, stateOf("ina", "s_phone")]);
    await phone.settle();
    expect(relay.user("ina")).toBeUndefined();
    tab.say([1, 2, stateOf("bob", "s_tab")]);
    await until("both are seen", () => observer.states.has(1) && observer.states.has(2));
    await until("in the lobby, too", () => relay.user("ina") !== undefined && relay.user("bob") !== undefined);
  });

  it("[STATUS-4] [STATUS-5] the choice reaches the other sessions, and with it undone all are seen again", async () => {
    const { relay, url } = await startRelay({ tick: 0, lobbyTick: 0 });
    const [a, b] = [ownClient(url, "ina"), ownClient(url, "ina")];
    b.join("doc").awareness.setLocalStateField("cursor", 1);
    const watcher = ownClient(url, "bob");
    const room = watcher.join("doc");
    await until("Bob sees her", () => room.roster.get("ina") !== undefined && watcher.lobby.get("ina") !== undefined);
    a.setStatus("invisible");
    await until("her other tab knows", () => b.status.manual === "invisible");
    await until(
      "Bob sees her gone",
      () => room.roster.get("ina") === undefined && relay.user("ina")?.status === "offline",
    );
    await until("everywhere", () => watcher.lobby.get("ina")?.status === "offline");
    b.setStatus(null);
    await until("Bob sees her again", () => room.roster.get("ina") !== undefined);
    await until("everywhere, with both sessions", () => watcher.lobby.get("ina")?.sessions.length === 2);
    expect([...room.awareness.states.values()].some((state) => state["cursor"] === 1)).toBe(true);
    expect(a.status.manual).toBeNull();
  });
});

describe("who left", () => {
  /** Comes, is seen, and leaves. */
  async function visit(url: string, reader: RawPeer, shard: string, id: number, state: object, userId: string) {
    const peer = await rawPeer(url, "doc");
    peer.say([id, 1, state]);
    await until(`${userId} is seen`, () => Object.keys(shardIn(reader, shard)[userId]?.sessions ?? {}).length === 1);
    peer.say([id, 2, null]);
    await until(`${userId} is seen to leave`, () => {
      const user = shardIn(reader, shard)[userId];
      return user === undefined || Object.keys(user.sessions).length === 0;
    });
  }

  it("[LOBBY-7] is remembered without sessions, up to a number, and guests are not", async () => {
    const { relay, url } = await startRelay({ ...prompt, recentMax: 2 });
    const reader = await lobbyReader(url);
    const leftAt: number[] = [];
    for (const [i, name] of ["alice", "bob", "carol", "alice"].entries()) {
      await visit(url, reader, relay.shard, i, { user: { id: name, name: name.toUpperCase() } }, name);
      leftAt.push(Date.now());
      await pause(2);
    }
    await visit(url, reader, relay.shard, 9, { user: { name: "Guest" } }, "guest:9");
    const users = shardIn(reader, relay.shard);
    expect(Object.keys(users).toSorted()).toEqual(["alice", "carol"]);
    expect(users["alice"]).toEqual({ user: { name: "ALICE" }, sessions: {}, lastSeen: expect.any(Number) });
    expect(users["alice"]!.lastSeen).toBeGreaterThan(leftAt[2]!);
    expect(users["alice"]!.lastSeen).toBeLessThanOrEqual(leftAt[3]!);
    expect(relay.users()).toEqual([]);
    // one who comes late reads it too
    expect(Object.keys(shardIn(await lobbyReader(url), relay.shard))).toHaveLength(2);
  });

  it("[USER-7] was last seen when it last spoke, of whatever, and not when its leave was noticed", async () => {
    const { relay, url } = await startRelay(prompt);
    const seen: number[] = [];
    relay.on("leave", ({ user }) => seen.push(user.lastSeen));
    const peer = await rawPeer(url, "doc");
    peer.say([1, 1, { user: { id: "alice" } }]);
    await until("she is there", () => relay.user("alice") !== undefined);
    await pause(20);
    const spokeAt = Date.now();
    await peer.settle();
    const answeredAt = Date.now();
    await pause(20);
    peer.socket.close(1000);
    await until("room and lobby say that she left", () => seen.length === 2);
    for (const lastSeen of seen) {
      expect(lastSeen).toBeGreaterThanOrEqual(spokeAt);
      expect(lastSeen).toBeLessThanOrEqual(answeredAt);
    }
  });

  it("[LOBBY-7] is forgotten in time", async () => {
    const { relay, url } = await startRelay({ ...prompt, recentTtl: 300 });
    const reader = await lobbyReader(url);
    await visit(url, reader, relay.shard, 1, { user: { id: "alice" } }, "alice");
    expect(shardIn(reader, relay.shard)["alice"]).toBeDefined();
    await until("she is forgotten", () => shardIn(reader, relay.shard)["alice"] === undefined, 1_500);
  });
});

it("[LOBBY-5] a lobby is written once per lobby tick, and only when something changed", async () => {
  const lobbyTick = 300;
  const { relay, url } = await startRelay({ tick: 0, lobbyTick });
  const reader = await lobbyReader(url);
  const updates = (): number => reader.frames.filter((frame) => frame.type === "update").length;
  const peer = await rawPeer(url, "doc", { trusts: true });
  peer.say([1, 1, stateOf("alice", "s_1")]);
  await until("it is written", () => updates() === 1, lobbyTick / 2);
  for (let n = 1; n <= 10; n++) {
    peer.say([1, 1 + n, stateOf("alice", "s_1", { meta: { n } })]);
    await pause(5);
  }
  await until("it is written again", () => updates() === 2);
  expect(shardIn(reader, relay.shard)["alice"]!.sessions["s_1"]!.meta).toEqual({ n: 10 });
  // cursors, renewals and the like are not for lobbies
  peer.say([1, 20, stateOf("alice", "s_1", { meta: { n: 10 } }, { cursor: 1 })]);
  await peer.settle();
  await pause(lobbyTick + 100);
  expect(updates()).toBe(2);
});

it("[LOBBY-2] a lobby that was given up and is made anew is vouched for under another shard", async () => {
  const { relay, url } = await startRelay(prompt);
  const vouchedBy = (reader: RawPeer): (string | null)[] => [...reader.states.values()].map(vouchedShard);
  const first = await lobbyReader(url);
  const [before] = vouchedBy(first);
  first.socket.close(1000);
  await until("it is given up", () => relay.room("@lobby") === undefined);
  const second = await lobbyReader(url);
  const [after] = vouchedBy(second);
  // a reader that kept the old document would be in two minds about a shard of the same name
  expect(before).toMatch(/^r_/);
  expect(after).toMatch(/^r_/);
  expect(after).not.toBe(before);
  expect([...second.doc.getMap("shards").keys()]).toEqual([after]);
});

describe("where people are", () => {
  it("[PRIV-2] is not in the lobby when it is not to be, nor when they go elsewhere; the server knows", async () => {
    const { relay, url } = await startRelay({ ...prompt, lobby: { rooms: false } });
    const alice = ownClient(url, "alice");
    const room = alice.join("a secret place");
    await until("the server knows", () => relay.user("alice")?.rooms[0] === "a secret place");
    const reader = await lobbyReader(url);
    await until("she is in the lobby", () => shardIn(reader, relay.shard)["alice"] !== undefined);
    const before = reader.received.length;
    alice.join("another secret");
    room.leave();
    await until("the server knows", () => relay.user("alice")?.rooms[0] === "another secret");
    const bob = ownClient(url, "bob");
    await until("Bob is in the lobby", () => shardIn(reader, relay.shard)["bob"] !== undefined);
    expect(bob.lobby.usersIn("another secret")).toEqual([]);
    expect(mentions(reader.received, "secret")).toBe(false);
    expect(mentions(reader.received.slice(before), "alice")).toBe(false);
    const { sessions } = shardIn(reader, relay.shard)["alice"]!;
    expect(Object.values(sessions).map(({ rooms }) => rooms)).toEqual([[]]);
  });
});

describe("what one user costs a lobby", () => {
  const meta = (letter: string): object => ({ m: letter.repeat(15_000) });

  it("[LOBBY-9] is bounded: of many sessions with much metadata the most present keep theirs", async () => {
    const { relay, url } = await startRelay(prompt);
    const reader = await lobbyReader(url);
    const tabs = [await rawPeer(url, "doc"), await rawPeer(url, "doc")];
    for (const [i, tab] of tabs.entries()) {
      for (let n = 0; n < 40; n++) {
        const id = 100 * i + n;
        tab.say([id, 1, stateOf("alice", `s_${id}`, { meta: meta("x") })]);
      }
      await tab.settle();
    }
    await until("all sessions count", () => relay.user("alice")?.sessions.length === 80);
    const entry = (): LobbyUser | undefined => shardIn(reader, relay.shard)["alice"];
    await until("as many are listed as may be", () => Object.keys(entry()?.sessions ?? {}).length === 64);
    expect(JSON.stringify(entry()).length).toBeLessThan(70_000);
    const kept = Object.values(entry()!.sessions).filter((session) => "m" in session.meta);
    expect(kept.length).toBeGreaterThanOrEqual(3);
  });

  it("[LOBBY-10] a large entry that changes all the time is not written all the time, and others are not held up", async () => {
    const { url, relay } = await startRelay(prompt);
    const tab = await rawPeer(url, "doc");
    for (let id = 1; id <= 4; id++) tab.say([id, 1, stateOf("alice", `s_${id}`, { meta: meta("x") })]);
    await tab.settle();
    const reader = await lobbyReader(url);
    await until(
      "she is written",
      () => Object.keys(shardIn(reader, relay.shard)["alice"]?.sessions ?? {}).length === 4,
    );
    const bytes = (): number => reader.received.reduce((sum, { length }) => sum + length, 0);
    const before = bytes();
    const startedAt = performance.now();
    const bob = await rawPeer(url, "doc");
    for (let n = 2; n < 60; n++) {
      tab.say([1, n, stateOf("alice", "s_1", { status: n % 2 === 0 ? "away" : "online", meta: meta("x") })]);
      await tab.settle();
      if (n === 30) bob.say([9, 1, stateOf("bob", "s_b")]);
    }
    await until("Bob is written", () => "bob" in shardIn(reader, relay.shard));
    const seconds = (performance.now() - startedAt) / 1_000;
    // one entry may be on its way already
    expect(bytes() - before).toBeLessThan(64 * 1024 * (seconds + 2));
    tab.send(statesFrame([1, 99, null], [2, 99, null], [3, 99, null], [4, 99, null]));
    await until("that she left is not held back", () => shardIn(reader, relay.shard)["alice"]?.lastSeen !== undefined);
    await until(
      "she is written to have left",
      () => Object.keys(shardIn(reader, relay.shard)["alice"]!.sessions).length === 0,
    );
  });

  it("[LOBBY-11] one address brings so many people and no more, in whatever lobbies and connections", async () => {
    const { url, relay } = await startRelay({ ...prompt, maxAddressUsers: 5 });
    const tabs = await Promise.all([1, 2, 3].map((i) => rawPeer(url, `doc-${i}?lobby=l${i}`)));
    for (const [i, tab] of tabs.entries()) {
      tab.say([1, 1, { user: { id: `a${i}` } }]);
      tab.say([2, 1, { user: { id: `b${i}` } }]);
      await Promise.race([tab.settle(), tab.closed]);
    }
    expect(tabs.map(({ close }) => close)).toEqual([
      undefined,
      undefined,
      { code: 4503, reason: "too many people from your address" },
    ]);
    tabs[0]!.say([1, 2, null]);
    await until("there is room again", () => relay.users("l1").length === 1);
    const late = await rawPeer(url, "doc-4");
    late.say([1, 1, { user: { id: "late" } }]);
    await late.settle();
    await until("they are there", () => relay.user("late") !== undefined);
  });

  it("[LOBBY-11] one address brings so many client ids, though all of them are one user's", async () => {
    const { url } = await startRelay({ ...prompt, maxAddressUsers: 5 });
    const tab = await rawPeer(url, "doc");
    tab.say(...Array.from({ length: 8 }, (_, i): [number, number, object] => [i + 1, 1, stateOf("alice", "s_1")]));
    expect(await tab.closed).toEqual({ code: 4503, reason: "too many people from your address" });
  });

  it("[LOBBY-12] one user has so many sessions and no more", async () => {
    const { url, relay } = await startRelay({ ...prompt, maxUserSessions: 2 });
    const tab = await rawPeer(url, "doc");
    tab.say([1, 1, stateOf("alice", "s_1")], [2, 1, stateOf("alice", "s_2")]);
    await tab.settle();
    const third = await rawPeer(url, "doc");
    third.say([3, 1, stateOf("alice", "s_3")]);
    expect(await third.closed).toEqual({ code: 4503, reason: "this user has too many sessions" });
    expect(relay.user("alice")?.sessions).toHaveLength(2);
    // one that it has already may be in as many rooms as it likes
    const elsewhere = await rawPeer(url, "doc-2");
    elsewhere.say([4, 1, stateOf("alice", "s_2")]);
    await elsewhere.settle();
    await until("Alice is in both rooms", () => relay.user("alice")?.rooms.length === 2);
    const many = await rawPeer(url, "doc");
    many.say(...[5, 6, 7].map((id) => [id, 1, stateOf("bob", `s_${id}`)] as const));
    expect(await many.closed).toEqual({ code: 4503, reason: "this user has too many sessions" });
    expect(relay.user("bob")).toBeUndefined();
  });
});
