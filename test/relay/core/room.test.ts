import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import {
  EMPTY_STATE_VECTOR,
  EMPTY_UPDATE,
  fieldsOf,
  patchFrame,
  syncStep1Frame,
  syncStep2Frame,
  updateFrame,
  writePatch,
} from "../../../src/wire/index.ts";
import { ownClient, pause, startRelay, until } from "../../support.ts";
import { elapse, memory, tellTime, untilTold } from "../../tab.ts";
import { type RawPeer, type Said, rawPeer, stateOf } from "../raw.ts";

const prompt = { tick: 0, lobbyTick: 0 };
const alice = { user: { id: "alice", name: "Alice" } };
const bob = { user: { id: "bob", name: "Bob" } };

/** What a peer was sent of an id since a number of messages, as `clock` and `state`. */
const about = (peer: RawPeer, id: number, since = 0): Said[] =>
  peer.updates.slice(since).flatMap((said) => said.filter((entry) => entry[0] === id));

/** A connection that says back what it hears, as a stock client does; `answer` is what makes it one. */
async function stockPeer(url: string, room: string, own?: Said): Promise<RawPeer> {
  const peer = await rawPeer(url, room);
  if (own !== undefined) peer.say(own);
  peer.send(syncStep2Frame(EMPTY_UPDATE));
  await peer.settle();
  return peer;
}

describe("a connection that the relay closes for good", () => {
  it.each([
    ["[LIVE-1] leaves at once after 4400, and nobody waits for it", { clock: 2 ** 60 }, false],
    ["[LIVE-1] [LIVE-2] may come back after 4413 with less to say", { large: "x".repeat(70_000) }, true],
  ])("%s", async (_, said, isHeld) => {
    const { url, relay } = await startRelay({ ...prompt, leaveGrace: 60_000 });
    const tab = await rawPeer(url, "doc", { trusts: isHeld });
    tab.say([1, 1, stateOf("alice", "s_1")]);
    await until("she is here", () => relay.users().length === 1);
    if ("clock" in said) tab.say([1, said.clock, stateOf("alice", "s_1")]);
    else tab.say([1, 2, stateOf("alice", "s_1", {}, said)]);
    await tab.closed;
    await until("that is told", () => relay.users().length === 0 || relay.users()[0]?.reconnecting === true);
    expect(relay.users().length).toBe(isHeld ? 1 : 0);
  });
});

describe("a newcomer", () => {
  it("[ROOM-4] gets all states and the document at once, and is asked for what it has", async () => {
    const { url } = await startRelay(prompt);
    const a = await rawPeer(url, "doc");
    a.say([1, 1, alice], [2, 1, bob]);
    const doc = new Y.Doc();
    doc.getText("t").insert(0, "text");
    a.send(updateFrame(Y.encodeStateAsUpdate(doc)));
    await a.settle();
    const b = await rawPeer(url, "doc");
    await until("it has the states, though it said nothing", () => b.states.size === 2);
    expect(Object.fromEntries(b.states)).toEqual({ 1: alice, 2: bob });
    expect(b.frames.map((frame) => frame.type)).toEqual(["syncStep1", "awareness"]);
    expect(b.frames[0]).toEqual({ type: "syncStep1", stateVector: Y.encodeStateVector(doc) });
    await b.settle();
    expect(b.doc.getText("t").toJSON()).toBe("text");
  });

  it("[ROOM-4] is answered in an empty room, and in a lobby that takes nothing, as often as it asks", async () => {
    const { url } = await startRelay();
    const a = await rawPeer(url, "doc");
    await a.settle();
    a.send(syncStep1Frame(EMPTY_STATE_VECTOR));
    await a.settle();
    expect(a.frames.map((frame) => frame.type)).toEqual(["syncStep1", "syncStep2", "syncStep2", "syncStep2"]);
    const reader = await rawPeer(url, "@lobby");
    await reader.settle();
    expect(new Set(reader.frames.map((frame) => frame.type))).toEqual(new Set(["awareness", "syncStep2"]));
  });

  it("[ROOM-3] [LIVE-2] finds who waits for the grace, also when everybody else has gone", async () => {
    const { relay, url } = await startRelay({ ...prompt, leaveGrace: 60_000 });
    const a = await rawPeer(url, "doc");
    a.say([1, 1, alice]);
    await a.settle();
    a.socket.terminate();
    await until("it is lost", () => relay.room("doc")?.connections === 0);
    await until("the lobby knows", () => relay.user("alice")?.reconnecting === true);
    const b = await rawPeer(url, "doc", { trusts: true });
    await until("Alice is there", () => b.states.has(1));
    await until("and marked", () => b.controls.some(({ kind }) => kind === "marks"));
    const marks = b.controls.find((control) => control.kind === "marks");
    expect(marks).toMatchObject({ marks: [[1, "reconnecting", expect.any(Number)]] });
  });
});

describe("the flush", () => {
  it("[ROOM-5] is at once in a quiet room, once per tick in a busy one, with each latest state once", async () => {
    const tick = 300;
    const { url } = await startRelay({ tick });
    const [a, b, c] = [await rawPeer(url, "doc"), await rawPeer(url, "doc"), await rawPeer(url, "doc")];
    const times: number[] = [];
    c.socket.on("message", () => times.push(performance.now()));
    const saidAt = performance.now();
    a.say([1, 1, { ...alice, n: 0 }]);
    await until("it is sent", () => c.updates.length === 1);
    expect(times[0]! - saidAt).toBeLessThan(tick / 2);
    for (let n = 1; n <= 10; n++) {
      a.say([1, 1 + n, { ...alice, n }]);
      b.say([2, n, { ...bob, n }]);
    }
    await until("they are sent", () => c.updates.length === 2);
    expect(times[1]! - times[0]!).toBeGreaterThan(tick - 20);
    expect(c.updates[1]!.map(([id, , state]) => [id, state])).toEqual([
      [1, { ...alice, n: 10 }],
      [2, { ...bob, n: 10 }],
    ]);
    a.say([1, 12, { ...alice, n: 10 }]);
    await pause(tick + 100);
    // the same again is nothing to flush
    expect(c.updates).toHaveLength(2);
  });

  it("[ROOM-8] who alone has something to say is not told of it", async () => {
    const { url } = await startRelay(prompt);
    const [a, b] = [await rawPeer(url, "doc"), await rawPeer(url, "doc")];
    // ahead of the relay's own clocks, else it would be nudged
    const clock = 2 * Date.now();
    a.say([1, clock, alice]);
    await until("Bob sees Alice", () => b.states.has(1));
    b.say([2, clock, bob]);
    await until("Alice sees Bob", () => a.states.has(2));
    await a.settle();
    expect(a.updates).toEqual([[[2, clock, bob]]]);
    expect(b.updates).toEqual([[[1, clock, alice]]]);
  });

  it("[ROOM-5] who comes and goes within one tick is gone", async () => {
    const { url } = await startRelay({ tick: 200 });
    const [a, b] = [await rawPeer(url, "doc"), await rawPeer(url, "doc")];
    a.say([1, 1, alice]);
    await until("Bob sees Alice", () => b.states.has(1));
    // leaves, comes back, and leaves again; another is there for a moment only
    a.say([1, 2, null]);
    a.say([1, 3, alice]);
    a.say([2, 1, bob]);
    a.say([1, 4, null], [2, 2, null]);
    await until("Bob sees her gone", () => !b.states.has(1), 1_000);
    expect(b.updates.slice(1).flat()).toEqual([[1, expect.any(Number), null]]);
  });

  it("[ROOM-6] a document update goes to everyone but its sender, as it came", async () => {
    const { url } = await startRelay();
    const [a, b, c] = [await rawPeer(url, "doc"), await rawPeer(url, "doc", { trusts: true }), await rawPeer(url, "x")];
    await Promise.all([a.settle(), b.settle(), c.settle()]);
    const doc = new Y.Doc();
    doc.getText("t").insert(0, "text");
    a.send(updateFrame(Y.encodeStateAsUpdate(doc)));
    await until("Bob has it", () => b.doc.getText("t").toJSON() === "text");
    // an update that brings nothing new is nothing to say
    a.send(updateFrame(Y.encodeStateAsUpdate(doc)));
    a.send(syncStep2Frame(Y.encodeStateAsUpdate(doc)));
    await Promise.all([a.settle(), b.settle(), c.settle()]);
    const updates = [a, b, c].map((peer) => peer.frames.filter((frame) => frame.type === "update").length);
    expect(updates).toEqual([0, 1, 0]);
  });
});

describe("ownership", () => {
  it("[OWN-1] [OWN-2] what Bob says of Alice, in whatever way, changes nothing for anybody", async () => {
    const { relay, url } = await startRelay(prompt);
    const a = await stockPeer(url, "doc", [1, 5, alice]);
    const b = await stockPeer(url, "doc", [2, 5, bob]);
    const reader = await stockPeer(url, "doc");
    const c = await rawPeer(url, "doc");
    await until("all are seen", () => c.states.size === 2);
    const sent = about(c, 1).at(-1)![1];
    const before = c.updates.length;
    const lies: Said[] = [
      [1, 5, null],
      [1, sent + 1, null],
      [1, 5, alice],
      [1, sent, { ...alice, name: "echo" }],
      [1, 6, { ...alice, name: "sibling" }],
      [1, 6, { user: { id: "mallory" } }],
      [1, sent + 9, { user: { id: "mallory" } }],
    ];
    for (const lie of lies) {
      b.say(lie);
      reader.say(lie);
    }
    // what a sibling heard first and says in the same breath as its own
    b.say([1, sent + 9, { ...alice, name: "sibling" }], [2, 6, { ...bob, n: 1 }]);
    await Promise.all([b.settle(), reader.settle()]);
    await until("Carol hears Bob", () => about(c, 2).length > 1);
    expect(about(c, 1, before)).toEqual([]);

    a.say([1, 6, { ...alice, n: 1 }]);
    await until("Alice speaks for herself", () => about(c, 1, before).length === 1);
    expect(c.states.get(1)).toEqual({ ...alice, n: 1 });
    b.socket.terminate();
    reader.socket.terminate();
    a.say([1, 7, null]);
    await until("and leaves by herself", () => !c.states.has(1));
    await until("nobody is left", () => relay.users().every((user) => user.id === "bob"));
  });

  it("[OWN-3] an id moves to the connection that its client returned on, and the old one means nothing", async () => {
    const { relay, url } = await startRelay({ ...prompt, leaveGrace: 0 });
    for (const [id, trusts, clock] of [
      [1, false, 5],
      [2, false, 6],
      [3, true, 6],
    ] as const) {
      const room = `doc${id}`;
      const observer = await rawPeer(url, room);
      const old = await rawPeer(url, room, { trusts });
      const state = stateOf("alice", "s_1");
      old.say([id, 5, state]);
      await until("she is seen", () => observer.states.has(id));
      old.socket.pause();
      const fresh = await rawPeer(url, room, { trusts });
      // a stock client comes back with the clock that it had
      fresh.say([id, clock, state]);
      await fresh.settle();
      old.socket.terminate();
      await until("the old one is gone", () => relay.room(room)?.connections === 2);
      expect(observer.states.get(id)).toEqual(state);
      fresh.say([id, 7, { ...state, n: 1 }]);
      await until(
        "the new one speaks for her",
        () => observer.states.get(id) !== state && about(observer, id).length > 1,
      );
      expect(about(observer, id).map((said) => said[2])).toEqual([state, { ...state, n: 1 }]);
      fresh.socket.terminate();
      await until("she is gone with it", () => !observer.states.has(id));
    }
  });

  it("[OWN-4] after a reload nobody sees two cursors, though the old connection still seems open", async () => {
    const { relay, url } = await startRelay({ ...prompt, leaveGrace: 60_000 });
    const [stock, own] = [await rawPeer(url, "doc"), await rawPeer(url, "doc", { trusts: true })];
    const events: string[] = [];
    relay.on("event", ({ type, userId }) => events.push(`${type} ${userId}`));
    const old = await rawPeer(url, "doc", { trusts: true });
    old.say([1, 1, stateOf("alice", "s_1", {}, { cursor: 1 })]);
    await until("both see her", () => stock.states.has(1) && own.states.has(1));
    old.socket.pause();
    const tab = await rawPeer(url, "doc", { trusts: true });
    tab.say([2, 1, stateOf("alice", "s_1", {}, { cursor: 2 })]);
    await until("both see her new cursor", () => stock.states.has(2) && own.states.has(2));
    for (const observer of [stock, own]) {
      expect([...observer.states.keys()]).toEqual([2]);
      // the new came in the same message in which the old went
      expect(new Map(observer.updates.at(-1)!.map(([id, , state]) => [id, state === null]))).toEqual(
        new Map([
          [1, true],
          [2, false],
        ]),
      );
    }
    tab.say([2, 2, stateOf("alice", "s_1", {}, { cursor: 3 })]);
    await until("she goes on", () => JSON.stringify(own.states.get(2)).includes('"cursor":3'));
    expect(events.filter((event) => event !== "update alice")).toEqual(["join alice", "join alice"]);
  });

  it("[OWN-5] a duplicated tab gets a session of its own, and both stay", async () => {
    const { relay, url } = await startRelay(prompt);
    const bobs = ownClient(url, "bob").join("doc");
    const storage = memory();
    const tabs = [ownClient(url, "alice", { tabStorage: storage })];
    tabs[0]!.join("doc");
    await until("Bob sees her", () => bobs.roster.users.length === 2);
    const session = tabs[0]!.session;
    const log: string[] = [];
    bobs.roster.on("leave", ({ userId }) => log.push(`leave ${userId}`));
    bobs.roster.on("join", ({ userId }) => log.push(`join ${userId}`));
    tabs.push(ownClient(url, "alice", { tabStorage: storage }));
    expect(tabs[1]!.session).toBe(session);
    tabs[1]!.join("doc");
    await until("she has two sessions", () => bobs.roster.get("alice")?.sessions.length === 2);
    await until("in the lobby, too", () => relay.user("alice")?.sessions.length === 2);
    await pause(100);
    expect(
      bobs.roster
        .get("alice")!
        .sessions.map((each) => each.id)
        .toSorted(),
    ).toEqual(tabs.map((tab) => tab.session).toSorted());
    expect(tabs[1]!.session).toBe(session);
    expect(log).toEqual([]);
  });

  it("[OWN-6] the echo of one who left brings back no ghost; she herself is back at once, under a newer clock", async () => {
    const { relay, url } = await startRelay(prompt);
    const observer = await rawPeer(url, "doc");
    const a = await rawPeer(url, "doc");
    a.say([1, 5, alice]);
    await until("she is seen", () => observer.states.has(1));
    const sent = about(observer, 1).at(-1)![1];
    a.socket.close(1000);
    await until("she is gone", () => !observer.states.has(1));
    const b = await stockPeer(url, "doc", [2, 1, bob]);
    const reader = await stockPeer(url, "doc");
    for (const peer of [b, reader]) peer.say([1, 5, alice], [1, sent, alice]);
    await Promise.all([b.settle(), reader.settle()]);
    expect(relay.room("doc")?.users.map((user) => user.id)).toEqual(["bob"]);

    const again = await rawPeer(url, "doc");
    again.say([1, 5, alice]);
    await until("she is seen again", () => observer.states.has(1), 1_000);
    // her clock is behind what observers know, and she is told so
    await until("she is nudged", () => about(again, 1).length > 0);
    expect(about(again, 1)).toEqual([[1, about(observer, 1).at(-1)![1], null]]);
  });
});

describe("leaving", () => {
  it.each<[string, (peer: RawPeer) => void]>([
    ["a null state", (peer) => peer.say([1, 2, null])],
    ["close code 1000", (peer) => peer.socket.close(1000)],
  ])("[LIVE-1] with %s others see at once", async (_, leave) => {
    const { url } = await startRelay({ ...prompt, leaveGrace: 60_000 });
    const [observer, a] = [await rawPeer(url, "doc"), await rawPeer(url, "doc", { trusts: true })];
    a.say([1, 1, stateOf("alice", "s_1")]);
    await until("she is seen", () => observer.states.has(1));
    leave(a);
    await until("she is gone", () => !observer.states.has(1), 1_000);
    expect(observer.updates.at(-1)).toEqual([[1, expect.any(Number), null]]);
  });

  it.each<[string, (peer: RawPeer) => void]>([
    ["1001", (peer) => peer.socket.close(1001)],
    ["1005", (peer) => peer.socket.close()],
    ["1006", (peer) => peer.socket.terminate()],
    ["4000", (peer) => peer.socket.close(4000)],
  ])("[LIVE-2] with %s a session waits for the grace, and if it comes back nobody saw anything", async (_, lose) => {
    const leaveGrace = 300;
    const { relay, url } = await startRelay({ ...prompt, leaveGrace });
    const [stock, own] = [await rawPeer(url, "doc"), await rawPeer(url, "doc", { trusts: true })];
    const events: string[] = [];
    relay.on("event", (event) => {
      events.push(`${event.roomId} ${event.type}${event.user.reconnecting ? " reconnecting" : ""}`);
    });
    const join = async (id: number): Promise<RawPeer> => {
      const peer = await rawPeer(url, "doc", { trusts: true });
      peer.say([id, 1, stateOf("alice", "s_1")]);
      return peer;
    };
    lose(
      await join(1).then(async (peer) => {
        await until("she is seen", () => stock.states.has(1));
        return peer;
      }),
    );
    await until("ours are told that she is lost", () => own.controls.some(({ kind }) => kind === "marks"));
    expect(own.controls.at(-1)).toEqual({ kind: "marks", marks: [[1, "reconnecting", expect.any(Number)]] });
    expect(stock.states.has(1)).toBe(true);
    const tab = await join(2);
    await until("she is back", () => stock.states.has(2));
    await pause(leaveGrace + 50);
    for (const place of ["doc", "@lobby"]) {
      const seen = events.filter((event) => event.startsWith(place)).map((event) => event.slice(place.length + 1));
      expect(seen).toEqual(["join", "update reconnecting", "update"]);
    }
    const lostAt = performance.now();
    lose(tab);
    await until("she is gone", () => !stock.states.has(2));
    expect(performance.now() - lostAt).toBeGreaterThan(leaveGrace - 5);
    await until("she has left", () => events.filter((event) => event.endsWith("leave")).length === 2);
  });
});

describe("time passes", () => {
  it("[LIVE-8] one whose network answers and whose page is silent for 75 s is away, and never gone", async () => {
    tellTime();
    const { relay, url } = await startRelay();
    const presence = ownClient(url, "bob");
    const room = presence.join("doc");
    const frozen = await rawPeer(url, "doc", { trusts: true });
    frozen.say([1, 1, stateOf("alice", "s_1")]);
    await frozen.settle();
    await elapse(1_000);
    expect(room.roster.get("alice")?.status).toBe("online");
    const log: string[] = [];
    for (const roster of [room.roster, presence.lobby]) {
      roster.on("event", ({ type, userId, status, roomId }) => {
        if (userId === "alice") log.push(`${roomId} ${type} ${status}`);
      });
    }
    await elapse(73_000, 1_000);
    expect(log).toEqual([]);
    await elapse(2_500);
    expect(log.toSorted()).toEqual(["@lobby update away", "doc update away"]);
    await elapse(60_000, 1_000);
    expect(relay.room("doc")?.connections).toBe(2);
    log.length = 0;
    frozen.say([1, 2, stateOf("alice", "s_1")]);
    await frozen.settle();
    await elapse(500);
    expect(log.toSorted()).toEqual(["@lobby update online", "doc update online"]);
  });

  it("[LIVE-3] a frozen stock tab is thawed, which closes its connection (1001), and comes back: nobody left", async () => {
    tellTime();
    const { relay, url } = await startRelay();
    const state = { user: { id: "alice", name: "Alice" } };
    const frozen = await rawPeer(url, "doc");
    frozen.say([1, 1, state]);
    await frozen.settle();
    await elapse(76_000, 1_000);
    expect(relay.user("alice")?.status).toBe("away");
    const leaves: string[] = [];
    relay.on("leave", ({ roomId }) => leaves.push(roomId));
    frozen.socket.close(1001);
    await untilTold("the relay knows", () => relay.user("alice")?.reconnecting === true);
    const thawed = await rawPeer(url, "doc");
    thawed.say([1, 1, state]);
    await thawed.settle();
    await elapse(5_000);
    expect(relay.user("alice")).toMatchObject({ status: "online", reconnecting: false });
    expect(leaves).toEqual([]);
    // closed in the midst of life, it is a departure
    thawed.socket.close(1001);
    await untilTold("she is gone", () => leaves.length === 2);
    await elapse(500);
    expect(leaves.toSorted()).toEqual(["@lobby", "doc"]);
  });

  it("[LIVE-9] [LIVE-21] stock observers are sent each state again within 25 s, trusting ones never", async () => {
    tellTime();
    const { url } = await startRelay();
    const [stock, own] = [await rawPeer(url, "doc"), await rawPeer(url, "doc", { trusts: true })];
    const [silent, renewing] = [await rawPeer(url, "doc"), await rawPeer(url, "doc", { trusts: true })];
    silent.say([1, 1, alice]);
    renewing.say([2, 1, bob]);
    await Promise.all([silent.settle(), renewing.settle()]);
    await elapse(1_000);
    const before = own.updates.length;
    const times = new Map<number, number[]>([
      [1, [Date.now()]],
      [2, [Date.now()]],
    ]);
    let seen = stock.updates.length;
    for (let ms = 0; ms < 120_000; ms += 1_000) {
      if (ms % 15_000 === 0) renewing.say([2, 2 + ms / 15_000, bob]);
      await elapse(1_000, 1_000);
      for (const [id] of stock.updates.slice(seen).flat()) times.get(id)!.push(Date.now());
      seen = stock.updates.length;
    }
    for (const [id, at] of times) {
      const gaps = at.slice(1).map((time, i) => time - at[i]!);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(25_000);
      expect(gaps.length).toBeGreaterThan(3);
      const clocks = about(stock, id).map((said) => said[1]);
      expect(clocks).toEqual([...new Set(clocks)].toSorted((a, b) => a - b));
    }
    // what is no news is nothing to those who trust the relay
    expect(own.updates.slice(before)).toEqual([]);
    // and no client hears of itself but that it should catch up
    expect(about(silent, 1).every(([, , state]) => state === null)).toBe(true);
  });
});

describe("a client id that is somebody else's", () => {
  it("[OWN-9] is refused to a second client of ours, who is told so, and the first notices nothing", async () => {
    const { url } = await startRelay(prompt);
    const [a, b, c] = [
      await rawPeer(url, "doc", { trusts: true }),
      await rawPeer(url, "doc", { trusts: true }),
      await rawPeer(url, "doc"),
    ];
    a.say([42, 7, stateOf("alice", "s_a")]);
    await until("all see Alice", () => c.states.has(42) && b.states.has(42));
    b.say([42, 1, stateOf("bob", "s_b")]);
    await b.settle();
    expect(b.controls).toContainEqual({ kind: "taken", clientId: 42 });
    b.say([43, 1, stateOf("bob", "s_b")]);
    await until("all see both", () => a.states.has(43) && c.states.has(43));
    expect(c.states.get(42)).toMatchObject({ user: { id: "alice" } });
    expect(a.controls.filter(({ kind }) => kind === "taken" || kind === "superseded")).toEqual([]);
  });
});

describe("a state of many fields", () => {
  it("[WIRE-7] may have 256 of them, be it said whole or by patches", async () => {
    const { url } = await startRelay(prompt);
    const stateOfFields = (count: number): object =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, i]));
    const [a, b] = [await rawPeer(url, "doc", { trusts: true }), await rawPeer(url, "doc")];
    a.say([1, 1, stateOfFields(256)]);
    await until("it is taken", () => b.states.has(1));
    const before = fieldsOf(stateOfFields(256));
    a.send(patchFrame(1, 2, (encoder) => writePatch(encoder, before, fieldsOf(stateOfFields(257), before))));
    expect(await a.closed).toEqual({ code: 4413, reason: "awareness state of more than 256 fields" });
    b.say([2, 1, stateOfFields(257)]);
    expect(await b.closed).toMatchObject({ code: 4413 });
  });
});
