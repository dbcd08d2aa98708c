import { describe, expect, it, onTestFinished } from "vitest";
import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import type { Lobby, Presence } from "../../../src/client/index.ts";
import { LobbyReader } from "../../../src/client/rosters/lobby.ts";
import { Union, shardsOf } from "../../../src/lobby/index.ts";
import { tcpProxy } from "../../proxy.ts";
import { ownClient, pause, poll, startRelay, until } from "../../support.ts";
import { openTab } from "../../tab.ts";

const quick = { tick: 0, lobbyTick: 0, leaveGrace: 100 };

const ids = (users: readonly { readonly id: string }[]): string[] => users.map(({ id }) => id);
const roomsOf = ({ rooms }: Lobby): unknown => rooms.map(({ name, users, count }) => [name, ids(users), count]);

async function live(...presences: readonly Presence[]): Promise<void> {
  await until("all are live", () => presences.every(({ lobby }) => lobby.status === "live"));
}

describe("the rooms of a lobby", () => {
  it("are those that somebody is in, with who and how many", async () => {
    const { url } = await startRelay(quick);
    const [alice, bob, carol] = [ownClient(url, "alice"), ownClient(url, "bob"), ownClient(url, "carol")];
    const phone = openTab(url, "bob").presence;
    await live(alice, bob, carol, phone);
    expect([alice.lobby.rooms, alice.lobby.usersIn("b")]).toEqual([[], []]);
    bob.join("b");
    phone.join("b");
    const left = phone.join("a");
    carol.join("b");
    // the own rooms are known at once
    alice.join("c");
    expect(roomsOf(alice.lobby)).toEqual([["c", ["alice"], 1]]);
    for (const { lobby } of [alice, carol]) {
      await expect
        .poll(() => roomsOf(lobby), poll)
        .toEqual([
          ["a", ["bob"], 1],
          ["b", ["bob", "carol"], 2],
          ["c", ["alice"], 1],
        ]);
      expect(ids(lobby.usersIn("b"))).toEqual(["bob", "carol"]);
      expect(lobby.usersIn("b")[0]).toBe(lobby.get("bob"));
      expect(lobby.usersIn("nowhere")).toEqual([]);
    }
    const { rooms } = alice.lobby;
    expect(Object.isFrozen(rooms[0]?.users)).toBe(true);
    await pause(30);
    expect(alice.lobby.rooms).toBe(rooms);
    // what changes in one room changes nothing about another
    left.leave();
    await expect
      .poll(() => roomsOf(alice.lobby), poll)
      .toEqual([
        ["b", ["bob", "carol"], 2],
        ["c", ["alice"], 1],
      ]);
    expect(alice.lobby.rooms.at(-1)).toBe(rooms.at(-1));
  });

  it("[STATUS-5] [STATUS-6] do not show who is invisible, not even to themselves", async () => {
    const { url } = await startRelay(quick);
    const [alice, bob] = [ownClient(url, "alice"), ownClient(url, "bob")];
    alice.join("a");
    await until("Bob sees her", () => bob.lobby.usersIn("a").length === 1);
    alice.setStatus("invisible");
    await until("Bob does not", () => bob.lobby.get("alice")?.status !== "online");
    for (const { lobby } of [alice, bob]) expect(lobby.rooms).toEqual([]);
    expect(alice.lobby.self?.rooms).toEqual(["a"]);
  });
});

describe("a lobby that is not read", () => {
  it("shows its client to others, tells it of its own status elsewhere, and of nobody", async () => {
    const { url, port } = await startRelay(quick);
    const proxy = await tcpProxy(port);
    const alice = ownClient(proxy.url, "alice", { observeLobby: false, timing: { backoffMs: 10, maxBackoffMs: 10 } });
    const bob = ownClient(url, "bob");
    await until("Bob sees her", () => bob.lobby.get("alice") !== undefined);
    openTab(url, "alice").presence.setStatus("dnd");
    await until("she hears of it", () => alice.status.manual === "dnd");
    await pause(30);
    const { carried } = proxy;
    bob.setMeta({ note: "x".repeat(1_000) });
    bob.join("doc");
    await until("he is in", () => bob.lobby.usersIn("doc").length === 1);
    await pause(50);
    expect(proxy.carried).toBe(carried);
    expect([ids(alice.lobby.users), alice.lobby.status]).toEqual([["alice"], "live"]);
    proxy.cut(true);
    await until(
      "she is back",
      () => bob.lobby.get("alice")?.sessions.every(({ reconnecting }) => !reconnecting) === true,
    );
    expect([ids(alice.lobby.users), alice.lobby.status]).toEqual([["alice"], "live"]);
  });
});

describe("those who left lately", () => {
  it("[LOBBY-7] are known, the last first, until they return, to those who come later too", async () => {
    const { url } = await startRelay(quick);
    const alice = ownClient(url, "alice");
    const tabs = ["bob", "carol"].map((id) => openTab(url, id));
    await until("all are there", () => alice.lobby.users.length === 3);
    expect(alice.lobby.recent).toEqual([]);
    for (const { presence } of tabs) {
      const { users } = alice.lobby;
      presence.destroy();
      await until("they are gone", () => alice.lobby.users.length < users.length);
      // the clock tells them apart
      await pause(5);
    }
    const later = ownClient(url, "dave");
    await live(later);
    for (const { lobby } of [alice, later]) {
      await expect.poll(() => ids(lobby.recent), poll).toEqual(["carol", "bob"]);
      expect(ids(lobby.users)).not.toContain("bob");
      expect(lobby.get("bob")).toBe(lobby.recent[1]);
      expect(lobby.get("bob")).toMatchObject({ id: "bob", name: "Bob", status: "offline", sessions: [], rooms: [] });
      expect(lobby.getSnapshot().recent).toBe(lobby.recent);
    }
    const { recent } = alice.lobby;
    tabs[0]?.reload();
    await until("Bob is back", () => alice.lobby.get("bob")?.status === "online");
    expect(ids(alice.lobby.recent)).toEqual(["carol"]);
    expect(ids(recent)).toEqual(["carol", "bob"]);
  });

  it("[USER-7] were last seen when they were last alive, not when that was noticed", async () => {
    const { url, port } = await startRelay({ ...quick, pingInterval: 200, pingTimeout: 200, leaveGrace: 200 });
    const proxy = await tcpProxy(port);
    const alice = ownClient(url, "alice");
    const room = alice.join("doc");
    ownClient(proxy.url, "bob").join("doc");
    await until("Bob is there", () => room.roster.users.length === 2 && alice.lobby.usersIn("doc").length === 2);
    // while he is here, he is seen now
    expect(Math.abs((alice.lobby.get("bob")?.lastSeen ?? 0) - Date.now())).toBeLessThan(50);
    const left: number[] = [];
    for (const roster of [room.roster, alice.lobby]) roster.on("leave", ({ user }) => left.push(user.lastSeen));
    proxy.blackHole();
    const lost = Date.now();
    await until("he is given up", () => left.length === 2);
    expect(Date.now() - lost).toBeGreaterThan(250);
    const known = alice.lobby.get("bob")?.lastSeen ?? 0;
    for (const lastSeen of [...left, known]) {
      expect(lastSeen).toBeLessThanOrEqual(lost + 200);
      expect(lastSeen).toBeGreaterThan(lost - 1_000);
    }
  });
});

describe("several lobbies", () => {
  it("[LOBBY-8] know nothing of each other, though their people meet in a room", async () => {
    const { url, relay } = await startRelay(quick);
    const acme = ownClient(url, "alice", { lobby: "acme" });
    const same = ownClient(url, "bob", { lobby: "@lobby/acme" });
    const globex = ownClient(url, "carol", { lobby: "globex" });
    const main = ownClient(url, "dave");
    const presences = [acme, same, globex, main];
    const rooms = presences.map((presence) => presence.join("doc"));
    const everyone = ["alice", "bob", "carol", "dave"];
    for (const { roster } of rooms) await expect.poll(() => ids(roster.users), poll).toEqual(everyone);
    const seen = (): unknown =>
      presences.map(({ lobby }) => [lobby.roomId, ids(lobby.users), ids(lobby.usersIn("doc"))]);
    const both = ["alice", "bob"];
    await expect.poll(seen, poll).toEqual([
      ["@lobby/acme", both, both],
      ["@lobby/acme", both, both],
      ["@lobby/globex", ["carol"], ["carol"]],
      ["@lobby", ["dave"], ["dave"]],
    ]);
    expect([relay.users("acme"), relay.users("globex"), relay.users()].map(ids)).toEqual([both, ["carol"], ["dave"]]);
    const told: string[] = [];
    for (const { lobby } of [globex, main]) lobby.on("event", ({ userId }) => told.push(userId));
    // the same id is another person in another lobby
    const other = ownClient(url, "alice", { lobby: "globex", user: { id: "alice", name: "Another" } });
    await until("she is there", () => globex.lobby.get("alice") !== undefined);
    acme.setStatus("busy");
    await until("Bob sees it", () => same.lobby.get("alice")?.status === "busy");
    expect([other.status.manual, globex.lobby.get("alice")?.status]).toEqual([null, "online"]);
    acme.destroy();
    await until("Bob sees her leave", () => same.lobby.get("alice")?.status === "offline");
    expect(globex.lobby.get("alice")).toMatchObject({ name: "Another", status: "online" });
    expect(told).toEqual(["alice"]);
  });
});

describe("a lobby of several relays", () => {
  interface Said {
    readonly user?: object;
    readonly sessions?: Record<string, object>;
    readonly lastSeen?: number;
  }

  /** A lobby as its reader gets it: shards, and the relays that vouch for them. */
  function read() {
    const doc = new Y.Doc();
    const relays = new Awareness(doc);
    onTestFinished(() => relays.destroy());
    const held = new Set<number>();
    const provider = { isHeld: (id: number) => held.has(id), holds: false, lostContactAt: 0 };
    const reader = new LobbyReader<object>("@lobby", "me", { people: new Union(doc), awareness: relays, provider });
    reader.flush("live");
    const log: string[] = [];
    reader.on("event", ({ type, userId }) => log.push(`${type} ${userId}`));
    const write = (shard: string, people: Record<string, unknown>): void => {
      shardsOf(doc).set(shard, new Y.Map(Object.entries(people)) as never);
    };
    /** Which relays are there, by client id. */
    const vouch = (shards: Record<number, string>): void => {
      const known = [...relays.states.keys()];
      relays.states.clear();
      for (const [id, shard] of Object.entries(shards))
        relays.states.set(Number(id), { copresence: { relay: { shard, startedAt: 1 } } });
      relays.emit("change", [{ added: [...relays.states.keys()], updated: [], removed: known }, "test"]);
    };
    return { reader, log, write, vouch, held, provider };
  }

  const session = (more: object = {}): object => ({
    status: "online",
    device: "desktop",
    since: 5,
    rooms: ["doc"],
    meta: {},
    ...more,
  });
  const bob = (more: Said = {}): Said => ({ user: { name: "Bob" }, sessions: { s1: session() }, lastSeen: 7, ...more });

  it("[LOBBY-2] counts a shard only while a relay vouches for it", () => {
    const { reader, log, write, vouch } = read();
    write("r1", { bob: bob() });
    expect(reader.users).toEqual([]);
    expect(reader.vouched).toBe(false);
    vouch({ 1: "r1" });
    expect(reader.vouched).toBe(true);
    expect(reader.users).toMatchObject([{ id: "bob", name: "Bob", status: "online", rooms: ["doc"] }]);
    vouch({});
    expect([reader.users, reader.recent]).toEqual([[], []]);
    vouch({ 1: "another" });
    expect(reader.users).toEqual([]);
    vouch({ 1: "another", 2: "r1" });
    expect(log).toEqual(["join bob", "leave bob", "join bob"]);
  });

  it("[USER-1] [USER-2] joins what the relays say of a user, the same session once", () => {
    const { reader, log, write, vouch } = read();
    vouch({ 1: "r1", 2: "r2" });
    write("r1", { bob: bob() });
    write("r2", {
      bob: bob({ sessions: { s1: session({ rooms: ["other"] }), s2: session({ device: "mobile", status: "away" }) } }),
    });
    expect(reader.get("bob")).toMatchObject({
      rooms: ["doc", "other"],
      sessions: [{ id: "s1" }, { id: "s2" }],
      devices: ["desktop", "mobile"],
    });
    write("r1", { bob: bob({ sessions: {} }) });
    expect(reader.get("bob")).toMatchObject({ status: "online", rooms: ["doc", "other"] });
    write("r2", { bob: bob({ sessions: {}, lastSeen: 9 }) });
    expect(reader.get("bob")).toMatchObject({ status: "offline", lastSeen: 9 });
    expect(ids(reader.recent)).toEqual(["bob"]);
    expect(log.at(-1)).toBe("leave bob");
    expect(log.filter((entry) => !entry.startsWith("update"))).toEqual(["join bob", "leave bob"]);
    write("r2", {});
    write("r1", {});
    expect([reader.get("bob"), reader.recent]).toEqual([undefined, []]);
  });

  it("[ROSTER-6] holds those who went while the connection was down, until they return or are given up", () => {
    const { reader, log, write, vouch, held, provider } = read();
    vouch({ 1: "r1" });
    write("r1", { bob: bob(), carol: bob(), dave: bob() });
    reader.flush("stale");
    log.length = 0;
    // connected again, to another relay, which has heard of Bob
    Object.assign(provider, { holds: true, lostContactAt: 5_000 });
    held.add(1);
    vouch({ 1: "r1", 2: "r2" });
    for (const id of ["bob", "carol"]) expect(reader.get(id)).toMatchObject({ status: "online", reconnecting: true });
    write("r2", { bob: bob({ sessions: { s1: session({ rooms: ["new"] }) } }) });
    reader.flush("live");
    expect(reader.get("bob")).toMatchObject({ reconnecting: false, rooms: ["new"] });
    expect(reader.get("carol")).toMatchObject({ reconnecting: true });
    // who was back and goes now has left, and who comes back now was never gone
    write("r2", { dave: bob() });
    expect(log.filter((entry) => !entry.startsWith("update"))).toEqual(["leave bob"]);
    expect(reader.get("dave")).toMatchObject({ reconnecting: false });
    provider.holds = false;
    reader.release();
    expect(ids(reader.users)).toEqual(["dave"]);
    expect(log.filter((entry) => !entry.startsWith("update"))).toEqual(["leave bob", "leave carol"]);
  });

  it("[ROSTER-4] keeps everyone as they are when a relay writes its shard anew", () => {
    const { reader, log, write, vouch } = read();
    vouch({ 1: "r1" });
    write("r1", { bob: bob(), carol: bob() });
    const { users } = reader;
    log.length = 0;
    write("r1", { carol: bob(), bob: bob({ lastSeen: 8 }) });
    expect(reader.users).toBe(users);
    expect(log).toEqual([]);
  });

  it.for<[string, unknown]>([
    ["null", null],
    ["a text", "bob"],
    ["no sessions", { user: { name: "Bob" } }],
    ["sessions that are none", bob({ sessions: { s1: 1 as never, s2: null as never } })],
    ["a list", []],
  ])("[STATE-3] is not disturbed by %s in a shard", ([, value]) => {
    const { reader, write, vouch } = read();
    vouch({ 1: "r1" });
    write("r1", { bob: value, carol: bob({ sessions: { ["__proto__"]: session({ rooms: "doc", since: "x" }) } }) });
    expect(ids(reader.users)).toEqual(["carol"]);
    expect(reader.get("carol")).toMatchObject({
      status: "online",
      rooms: [],
      sessions: [{ id: "__proto__", since: 0 }],
    });
  });

  it("[RUN-3] follows nothing after its end", () => {
    const { reader, log, write, vouch } = read();
    vouch({ 1: "r1" });
    reader.destroy();
    write("r1", { bob: bob() });
    vouch({ 1: "r1", 2: "r2" });
    expect([reader.users, log]).toEqual([[], []]);
  });
});
