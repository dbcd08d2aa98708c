import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import {
  type Presence,
  type PresenceEvent,
  type Roster,
  type RosterSnapshot,
  createPresence,
} from "../../../src/client/index.ts";
import { ownClient, pause, startRelay, until } from "../../support.ts";
import { type Tab, openTab } from "../../tab.ts";

const quick = { tick: 0, lobbyTick: 0, leaveGrace: 100 };

/** Both rosters of a client: each test is of both. */
const places = [
  { place: "a room", roomId: "doc", rosterOf: (presence: Presence): Roster => presence.join("doc").roster },
  { place: "the lobby", roomId: "@lobby", rosterOf: (presence: Presence): Roster => presence.lobby },
];

/** Somebody who is in that room, and in the lobby. */
function come(url: string, id: string): Tab {
  const tab = openTab(url, id);
  tab.presence.join("doc");
  return tab;
}

const ids = ({ users }: { readonly users: Roster["users"] }): string[] => users.map(({ id }) => id);

/** All that a roster tells of, as words. */
function record(roster: Roster): string[] {
  const log: string[] = [];
  roster.on("event", ({ type, userId }) => log.push(`${type} ${userId}`));
  roster.on("synced", (snapshot) => log.push(`synced ${ids(snapshot).join(" ")}`));
  roster.on("status", (status) => log.push(status));
  return log;
}

describe.for(places)("the roster of $place", ({ roomId, rosterOf }) => {
  it("[ROSTER-1] [ROSTER-5] announces who is there as one `synced`, and what comes after one by one", async () => {
    const { url, relay } = await startRelay(quick);
    const bobs = [come(url, "bob"), come(url, "bob")];
    come(url, "carol");
    await until(
      "they are there",
      () => relay.user("bob")?.sessions.length === 2 && relay.room("doc")?.users.length === 2,
    );

    const roster = rosterOf(ownClient(url, "alice"));
    const log = record(roster);
    const before = roster.getSnapshot();
    expect(before).toMatchObject({
      status: "connecting",
      synced: false,
      users: [{ id: "alice" }],
      self: { id: "alice" },
    });
    await until("it is live", () => roster.status === "live");
    expect(log).toEqual(["synced alice bob carol", "live"]);
    expect(roster.getSnapshot()).toMatchObject({ status: "live", synced: true });

    const dave = come(url, "dave");
    await until("Dave joins", () => log.includes("join dave"));
    bobs[0]?.presence.destroy();
    await until("Bob has one session", () => roster.get("bob")?.sessions.length === 1);
    dave.presence.destroy();
    await until("Dave leaves", () => log.includes("leave dave"));
    await pause(30);
    // in the lobby Dave may be seen before he is in the room
    expect(log.slice(2).filter((entry) => entry !== "update dave")).toEqual(["join dave", "update bob", "leave dave"]);
  });

  it("[ROSTER-3] says who, what and where in each event", async () => {
    const { url } = await startRelay(quick);
    const roster = rosterOf(ownClient(url, "alice"));
    await until("it is live", () => roster.status === "live");
    const events: PresenceEvent[] = [];
    for (const type of ["join", "leave", "update"] as const) roster.on(type, (event) => events.push(event));
    const all: PresenceEvent[] = [];
    roster.on("event", (event) => all.push(event));
    const started = Date.now();
    const bob = createPresence(url, { user: { id: "bob", name: "Bob" }, meta: { doing: "reading" }, WebSocket });
    const room = bob.join("doc", { meta: { doing: "reading" } });
    await until("Bob joins", () => roster.get("bob")?.rooms.includes("doc") === true);
    const entered = roster.get("bob");
    events.splice(0, events.length - 1);
    room.setMeta({ doing: "writing" });
    bob.setMeta({ doing: "writing" });
    await until("Bob changes", () => roster.get("bob")?.meta["doing"] === "writing");
    const changed = roster.get("bob");
    bob.destroy();
    await until("Bob leaves", () => events.at(-1)?.type === "leave");

    expect(events.map(({ type }) => type)).toEqual([expect.stringMatching(/join|update/), "update", "leave"]);
    const base = { userId: "bob", roomId, status: "online" };
    expect(events[0]).toMatchObject({ ...base, metadata: { doing: "reading" } });
    expect(events[1]).toMatchObject({ ...base, type: "update", metadata: { doing: "writing" } });
    expect(events[2]).toMatchObject({ ...base, type: "leave", status: "offline", metadata: { doing: "writing" } });
    expect(events[0]?.user).toBe(entered);
    expect(events[1]).toMatchObject({ user: changed, previous: entered });
    expect(events[2]?.user).toMatchObject({ id: "bob", name: "Bob", status: "offline", sessions: [], rooms: [] });
    for (const { timestamp, user } of events) {
      expect(timestamp).toBeGreaterThanOrEqual(started);
      expect(timestamp).toBeLessThanOrEqual(Date.now());
      expect(user.lastSeen).toBeGreaterThanOrEqual(started);
    }
    expect(all.slice(-events.length)).toEqual(events);
    const keys = ["type", "userId", "status", "metadata", "roomId", "timestamp", "user"];
    expect(new Set(Object.keys(events[2]!))).toEqual(new Set(keys));
    expect(new Set(Object.keys(events[1]!))).toEqual(new Set([...keys, "previous"]));
  });

  it("[ROSTER-2] lets joins and leaves alternate, whatever becomes of the sessions", async () => {
    const { url } = await startRelay({ ...quick, leaveGrace: 30 });
    const roster = rosterOf(ownClient(url, "alice"));
    await until("it is live", () => roster.status === "live");
    const log: string[] = [];
    roster.on("join", ({ userId }) => log.push(`join ${userId}`));
    roster.on("leave", ({ userId }) => log.push(`leave ${userId}`));
    // how many sessions Bob has after each step; those that end do so in all ways
    let tabs: Tab[] = [];
    for (const [step, count] of [1, 3, 2, 0, 2, 1, 3, 0, 1, 0].entries()) {
      while (tabs.length < count) tabs = [...tabs, come(url, "bob")];
      for (const tab of tabs.slice(count)) {
        if (step % 3 === 0) tab.presence.destroy();
        else tab.end(step % 3 === 1 ? "killed" : "unloaded");
      }
      tabs = tabs.slice(0, count);
      await until(`Bob has ${count}`, () => (roster.get("bob")?.sessions.length ?? 0) === count);
    }
    const each = ["join bob", "leave bob"];
    expect(log).toEqual([...each, ...each, ...each]);
  });

  it("[ROSTER-4] keeps its snapshot, and everyone in it, until something about them changes", async () => {
    const { url, relay } = await startRelay(quick);
    const alice = ownClient(url, "alice", { timing: { backoffMs: 20, maxBackoffMs: 20 } });
    const roster = rosterOf(alice);
    const [bob, carol] = [come(url, "bob"), come(url, "carol")];
    const theirs = bob.presence.join("doc");
    const settled = ({ users }: Roster): boolean =>
      users.length === 3 && users.every(({ id, rooms }) => id === "alice" || rooms.length === 1);
    await until("all are there", () => settled(roster));
    let calls = 0;
    const undo = roster.subscribe(() => calls++);
    const before = roster.getSnapshot();
    expect(roster.users).toBe(before.users);
    expect(roster.self).toBe(before.self);
    expect(roster.get("bob")).toBe(before.users[1]);

    // what says nothing new is nothing: renewals, an equal value, an editor's cursor
    theirs.awareness.setLocalState(theirs.awareness.getLocalState());
    theirs.awareness.setLocalStateField("cursor", { anchor: 1 });
    bob.presence.setMeta({});
    bob.presence.setUser({ name: "Bob" });
    alice.setMeta({});
    await pause(60);
    expect(roster.getSnapshot()).toBe(before);
    expect(calls).toBe(0);

    carol.presence.setUser({ color: "#30bced" });
    await until("Carol changes", () => roster.get("carol")?.color === "#30bced");
    const after = roster.getSnapshot();
    expect([calls, after === before, after.users === before.users]).toEqual([1, false, false]);
    expect(after.users.map((user, i) => user === before.users[i])).toEqual([true, true, false]);

    // that the connection is down changes what is known of nobody
    await relay.close();
    await until("it is stale", () => roster.status === "stale");
    expect(roster.getSnapshot()).not.toBe(after);
    expect(roster.users).toBe(after.users);
    expect(calls).toBe(2);
    undo();
    carol.presence.destroy();
    alice.setUser({ name: "Al" });
    expect(roster.self?.name).toBe("Al");
    expect(calls).toBe(2);
  });

  it("[ROSTER-7] has oneself in it from the beginning, and tells of oneself as updates only", async () => {
    const { url } = await startRelay(quick);
    const alice = ownClient(url, "alice");
    const roster = rosterOf(alice);
    const log = record(roster);
    expect([ids(roster), roster.self?.self]).toEqual([["alice"], true]);
    await until("it is live", () => roster.status === "live");
    // the lobby tells of the room that is joined while it connects
    log.length = 0;
    alice.setUser({ name: "Al" });
    const second = come(url, "alice");
    await until("she has two tabs", () => roster.self?.sessions.length === 2);
    second.presence.destroy();
    await until("she has one", () => roster.self?.sessions.length === 1);
    alice.setStatus("invisible");
    alice.setStatus(null);
    expect(new Set(log)).toEqual(new Set(["update alice"]));
    expect(roster.self).toMatchObject({ id: "alice", name: "Al", status: "online", self: true });
  });

  it("is immutable, and sorted by name, then by id", async () => {
    const { url } = await startRelay(quick);
    const roster = rosterOf(ownClient(url, "z1", { user: { id: "z1", name: "Émile" } }));
    for (const [id, name] of [
      ["b2", "bob"],
      ["b1", "Bob"],
      ["b3", "bob"],
      ["zoe", undefined],
      ["x", "Zara"],
      ["y", "anna"],
    ] as const) {
      openTab(url, id, { user: { id, ...(name !== undefined && { name }) } }).presence.join("doc");
    }
    await until("all are there", () => roster.users.length === 7);
    expect(ids(roster)).toEqual(["y", "b2", "b3", "b1", "z1", "x", "zoe"]);
    const snapshot = roster.getSnapshot();
    for (const part of [
      snapshot,
      snapshot.users,
      snapshot.recent,
      ...snapshot.users,
      snapshot.users[0]?.sessions,
      snapshot.users[0]?.devices,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it("is as it is after all events when it tells of the first", async () => {
    const { url, relay } = await startRelay(quick);
    const roster = rosterOf(ownClient(url, "alice"));
    await until("it is live", () => roster.status === "live");
    const seen: [PresenceEvent, RosterSnapshot][] = [];
    roster.on("event", (event) => seen.push([event, roster.getSnapshot()]));
    const tabs = ["bob", "carol"].map((id) => come(url, id));
    await until("both are there", () => roster.users.length === 3 && relay.room("doc")!.users.length >= 2);
    for (const { presence } of tabs) presence.destroy();
    await until("both left", () => roster.users.length === 1);
    for (const [{ type, user }, { users }] of seen)
      expect([type, users.includes(user)]).toEqual([type, type !== "leave"]);
    expect(seen.filter(([{ type }]) => type === "leave")).toHaveLength(2);
  });
});
