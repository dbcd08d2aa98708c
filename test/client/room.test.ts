import { describe, expect, it } from "vitest";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import type { Room } from "../../src/client/index.ts";
import { colorOf, withColor } from "../../src/presence/index.ts";
import { tcpProxy } from "../proxy.ts";
import { ownClient, pause, poll, startRelay, until } from "../support.ts";
import { testPage } from "../tab.ts";

type State = Record<string, unknown>;

const quick = { tick: 0, lobbyTick: 0, leaveGrace: 100 };

/** Alice and Bob in one room, both settled; `seen()` is Alice's state as Bob has it. */
async function pair() {
  const { url } = await startRelay(quick);
  const [alice, bob] = [ownClient(url, "alice"), ownClient(url, "bob")];
  const room = alice.join("doc", { meta: { page: 1 } });
  const other = bob.join("doc");
  const events: string[] = [];
  for (const { roster } of [room, other]) {
    roster.on("join", ({ roomId, userId }) => events.push(`join ${userId} ${roomId}`));
    roster.on("leave", ({ roomId, userId }) => events.push(`leave ${userId} ${roomId}`));
  }
  await until("they see each other", () => room.roster.users.length === 2 && other.roster.users.length === 2);
  events.length = 0;
  const seen = (): State => other.awareness.states.get(room.awareness.clientID) ?? {};
  return { room, other, events, seen };
}

const own = (awareness: Awareness): State => awareness.getLocalState() ?? {};

describe("the local state of a room", () => {
  /** What editor bindings are known to do, and what is left of their own keys. */
  interface Binding {
    readonly act: (awareness: Awareness) => void;
    readonly kept: State;
    readonly user?: State;
  }
  const bindings: [string, Binding][] = [
    [
      "y-codemirror sets a field",
      {
        act: (awareness) => awareness.setLocalStateField("cursor", { anchor: 1, head: 2 }),
        kept: { cursor: { anchor: 1, head: 2 } },
      },
    ],
    [
      "a binding sets a user of its own",
      {
        act: (awareness) => awareness.setLocalStateField("user", { name: "Anonymous", shade: "dark" }),
        kept: {},
        user: { shade: "dark" },
      },
    ],
    [
      "y-prosemirror completes `user` in place",
      {
        act(awareness) {
          const user = own(awareness)["user"] as State;
          user["color"] = "#ffa500";
          user["name"] = "User: 1";
          awareness.setLocalStateField("cursor", { anchor: 3 });
        },
        kept: { cursor: { anchor: 3 } },
      },
    ],
    [
      "a binding changes the state in place and sets it again",
      {
        act(awareness) {
          const state = own(awareness);
          state["user"] = "Mallory";
          state["copresence"] = null;
          state["focusing"] = true;
          awareness.setLocalState(state);
        },
        kept: { focusing: true },
      },
    ],
    [
      "Lexical replaces the whole state",
      {
        act: (awareness) =>
          awareness.setLocalState({ anchorPos: null, focusing: false, name: "Lexical", color: "#123456" }),
        kept: { anchorPos: null, focusing: false, name: "Lexical", color: "#123456" },
      },
    ],
    [
      "Lexical sets null on disconnect",
      {
        act(awareness) {
          awareness.setLocalStateField("cursor", { anchor: 4 });
          awareness.setLocalState(null);
        },
        kept: {},
      },
    ],
    [
      "Lexical sets null and then a state again",
      {
        act(awareness) {
          awareness.setLocalState(null);
          awareness.setLocalState({ focusing: true });
        },
        kept: { focusing: true },
      },
    ],
  ];

  it.for(bindings)("[STATE-5] keeps who we are and the binding's own keys when %s", async ([, { act, kept, user }]) => {
    const { room, other, events, seen } = await pair();
    const { copresence } = own(room.awareness);
    const selves: boolean[] = [];
    room.roster.subscribe(() => selves.push(room.roster.self?.id === "alice"));

    act(room.awareness);

    const state = { ...kept, user: { ...withColor({ id: "alice", name: "Alice" }), ...user }, copresence };
    expect(own(room.awareness)).toEqual(state);
    await expect.poll(seen, poll).toEqual(state);
    await pause(30);
    // [ROSTER-7] also in between: nobody came or went, and Alice never lost herself
    expect(events).toEqual([]);
    expect(selves).not.toContain(false);
    expect(other.roster.users.map(({ id, name }) => [id, name])).toEqual([
      ["alice", "Alice"],
      ["bob", "Bob"],
    ]);
    expect(room.awareness.clientID).toBe(room.doc.clientID);
  });
});

describe("joining and leaving", () => {
  it("joined twice is the same room, and takes two leaves", async () => {
    const { url, relay } = await startRelay(quick);
    const alice = ownClient(url, "alice");
    const room = alice.join("doc", { meta: { page: 1 } });
    expect(alice.join("doc")).toBe(room);
    expect(alice.join("doc", { doc: room.doc, meta: { page: 2 } })).toBe(room);
    expect(room.roster.self?.meta).toEqual({ page: 2 });
    await until("she is in", () => relay.room("doc")?.users.length === 1);

    room.leave();
    room.leave();
    await pause(30);
    expect(relay.room("doc")?.users[0]?.id).toBe("alice");
    room.leave();
    await until("she is out", () => relay.room("doc") === undefined);
    // what becomes of the session is nothing to it any more
    alice.setUser({ name: "Al" });
    expect(room.awareness.getLocalState()).toBeNull();
    // one leave too many is nobody's, and a room that was left is not the one that is joined next
    const next = alice.join("doc");
    expect(next).not.toBe(room);
    room.leave();
    room.setMeta({ page: 3 });
    await until("she is in again", () => relay.room("doc")?.users.length === 1);
    expect(relay.room("doc")?.users[0]?.meta).toEqual({});
  });

  it("joined with another document it throws, and stays joined as it was", async () => {
    const { url, relay } = await startRelay(quick);
    const alice = ownClient(url, "alice");
    const room = alice.join("doc");
    expect(() => alice.join("doc", { doc: new Y.Doc() })).toThrow(/"doc" is joined with another document/);
    expect(() => alice.join("doc", { meta: 7 as never })).toThrow(TypeError);
    await until("she is in", () => relay.room("doc")?.users.length === 1);
    room.leave();
    await until("she is out", () => relay.room("doc") === undefined);
  });

  it("[ROOM-7] is left when its document is destroyed, and leaves no ghost", async () => {
    const { url, relay } = await startRelay(quick);
    const alice = ownClient(url, "alice");
    const doc = new Y.Doc();
    const room = alice.join("doc", { doc });
    await until("she is in", () => relay.room("doc")?.users.length === 1);
    doc.destroy();
    await until("she is out", () => relay.room("doc") === undefined);
    expect(room.awareness.getLocalState()).toBeNull();
    expect(alice.lobby.self?.rooms).toEqual([]);
    room.leave();
    const next = alice.join("doc", { doc: new Y.Doc() });
    expect(next).not.toBe(room);
    await until("she is in again", () => relay.room("doc")?.users.length === 1);
  });

  it.for(["", "@lobby", "@lobby/acme", "@other", ".", "a/../b", "x".repeat(513), "\ud800"])(
    "does not join %j",
    async (name) => {
      const { url } = await startRelay(quick);
      expect(() => ownClient(url, "alice").join(name)).toThrow(RangeError);
    },
  );

  it.for(["a/b", "ü 1?x=1&y#z", "%41"])("joins %j under that very name", async (name) => {
    const { url, relay } = await startRelay(quick);
    ownClient(url, "alice").join(name);
    await until("she is in", () => relay.room(name)?.users.length === 1);
    expect(relay.rooms().map((room) => room.name)).toEqual([name]);
  });

  it.each<[string, (room: Room, then: () => void) => void]>([
    ["its provider says that it is disconnected", ({ provider }, then) => void provider.on("status", then)],
    ["its awareness changes", ({ awareness }, then) => awareness.on("change", then)],
    ["its document is destroyed", ({ doc }, then) => doc.on("destroy", then)],
  ])("[CLIENT-16] is joined anew by who joins when %s, while it is left", async (_, on) => {
    const { url } = await startRelay(quick);
    const [alice, bob] = [ownClient(url, "alice"), ownClient(url, "bob")];
    const [room, other] = [alice.join("doc"), bob.join("doc")];
    await until("they see each other", () => room.roster.users.length === 2 && other.roster.users.length === 2);
    let isLeaving = false;
    let again: Room | undefined;
    on(room, () => {
      if (isLeaving) again ??= alice.join("doc");
    });
    isLeaving = true;
    room.leave();
    isLeaving = false;
    expect(again).toBeDefined();
    expect(again).not.toBe(room);
    await until("both are there", () => again?.roster.status === "live" && again.roster.users.length === 2);
    again?.leave();
    await until("she left", () => other.roster.users.length === 1);
  });

  it("destroys a document of its own, and not one that it was given", async () => {
    const { url } = await startRelay(quick);
    const alice = ownClient(url, "alice");
    const doc = new Y.Doc();
    const ended: string[] = [];
    const given = alice.join("given", { doc });
    const hers = alice.join("own");
    given.doc.on("destroy", () => ended.push("given"));
    hers.doc.on("destroy", () => ended.push("own"));
    expect(given.doc).toBe(doc);
    const clientId = doc.clientID;
    given.leave();
    hers.leave();
    const again = alice.join("given", { doc });
    alice.destroy();
    expect(ended).toEqual(["own"]);
    expect([doc.clientID, again.awareness.clientID]).toEqual([clientId, clientId]);
    doc.getMap().set("still", "good");
    expect(doc.getMap().toJSON()).toEqual({ still: "good" });
  });

  it("gives its metadata by value or by what it was", async () => {
    const { room, other, events } = await pair();
    const updates: unknown[] = [];
    other.roster.on("update", ({ userId, metadata, previous }) => updates.push([userId, metadata, previous.meta]));
    room.setMeta({ page: 2 });
    await until("Bob sees it", () => updates.length === 1);
    room.setMeta((previous) => ({ ...previous, line: 7 }));
    await until("Bob sees it too", () => updates.length === 2);
    expect(updates).toEqual([
      ["alice", { page: 2 }, { page: 1 }],
      ["alice", { page: 2, line: 7 }, { page: 2 }],
    ]);
    // an object of the application's, changed and set again
    const meta = { page: 3 };
    room.setMeta(meta);
    meta.page = 4;
    room.setMeta(meta);
    await until("Bob sees page 4", () => other.roster.get("alice")?.meta["page"] === 4);
    expect(events).toEqual([]);
  });
});

describe("an outage that is longer than the grace", () => {
  it("[ROSTER-6] [LIVE-2] of all at once, under a relay that ran all the while, is nobody's leave", async () => {
    const { url, port, relay } = await startRelay({ ...quick, leaveGrace: 100 });
    const proxy = await tcpProxy(port);
    const timing = { backoffMs: 10, maxBackoffMs: 200 };
    const [alice, bob, carol] = ["alice", "bob", "carol"].map((id) => ownClient(proxy.url, id, { timing }));
    const outside = ownClient(url, "dave");
    const rooms = [alice, bob, carol].map((client) => client!.join("doc"));
    const rosters = [...rooms.map((room) => room.roster), alice!.lobby, bob!.lobby];
    await until(
      "all see all",
      () => rosters.every(({ users }) => users.length >= 3) && outside.lobby.users.length === 4,
    );
    const events: string[] = [];
    for (const roster of rosters) roster.on("join", ({ userId }) => events.push(`join ${userId}`));
    for (const roster of rosters) roster.on("leave", ({ userId, roomId }) => events.push(`leave ${userId} ${roomId}`));
    proxy.cut();
    await until("the relay gave them up", () => relay.rooms().length === 0 && outside.lobby.users.length === 1);
    expect(rosters.map(({ status }) => status)).toEqual(rosters.map(() => "stale"));
    carol!.destroy();
    proxy.restore();
    await until("all are live", () =>
      rosters.every(({ status, roomId }, i) => i === 2 || (status === "live" && roomId)),
    );
    await until("those who did not return have left", () => events.length === 4);
    expect(events.toSorted()).toEqual([
      "leave carol @lobby",
      "leave carol @lobby",
      "leave carol doc",
      "leave carol doc",
    ]);
    expect(rooms[0]?.roster.get("bob")).toMatchObject({ reconnecting: false });
  });
});

describe("the cursor of a room", () => {
  it("[STATE-9] is cleared for bindings that leave it there, and the person stays", async () => {
    const { room, seen, events } = await pair();
    room.awareness.setLocalState({ ...own(room.awareness), cursor: { anchor: 1 }, selection: [1, 2] });
    await until("Bob sees it", () => seen()["cursor"] !== undefined && seen()["selection"] !== undefined);
    room.clearCursor();
    await until("Bob sees that it is gone", () => Object.keys(seen()).length === 2);
    expect(Object.keys(seen()).toSorted()).toEqual(["copresence", "user"]);
    expect(events).toEqual([]);
    room.awareness.setLocalStateField("cursor", { anchor: 2 });
    await until("it is back", () => seen()["cursor"] !== undefined);
  });

  it("[STATE-10] goes at once when the page is left, and comes back with the page; the person keeps the grace", async () => {
    const { url } = await startRelay({ ...quick, leaveGrace: 60_000 });
    const page = testPage();
    const room = ownClient(url, "alice", { page }).join("doc");
    const { awareness, roster } = ownClient(url, "bob").join("doc");
    const seen = (): State => awareness.states.get(room.awareness.clientID) ?? {};
    room.awareness.setLocalStateField("cursor", { anchor: 1 });
    await until("Bob sees it", () => seen()["cursor"] !== undefined);
    // said a moment before: a timer would send what follows, and a page that is left has none
    room.awareness.setLocalStateField("cursor", { anchor: 2 });
    page.signal("suspend");
    await until("it is gone", () => seen()["cursor"] === undefined);
    await until("she may return", () => roster.get("alice")?.reconnecting === true);
    page.signal("wake");
    room.awareness.setLocalStateField("cursor", { anchor: 3 });
    await until("both are back", () => seen()["cursor"] !== undefined && roster.get("alice")?.reconnecting === false);
  });
});

describe("two people without a colour", () => {
  it("[STATE-7] have different ones in the eyes of all, and of editor bindings", async () => {
    const { room, other } = await pair();
    const colors = [room, other].map(({ roster }) => ["alice", "bob"].map((id) => roster.get(id)?.color));
    expect(colors[0]).toEqual(colors[1]);
    expect(colors[0]).toEqual([colorOf("alice"), colorOf("bob")]);
    expect((own(room.awareness)["user"] as State)["colorLight"]).toBe(`${colorOf("alice")}33`);
  });
});
