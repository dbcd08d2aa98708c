import { describe, expect, it } from "vitest";
import type { Lobby, Presence, Watch } from "../../../src/client/index.ts";
import { tcpProxy } from "../../proxy.ts";
import { ownClient, pause, startRelay, until } from "../../support.ts";
import { openTab } from "../../tab.ts";

const quick = { tick: 0, lobbyTick: 0, leaveGrace: 100 };
const fast = { timing: { backoffMs: 10, maxBackoffMs: 20 } };

const ids = (users: readonly { readonly id: string }[]): string[] => users.map(({ id }) => id);

/** The events of a watch or lobby, as words. */
function logOf(roster: Watch | Lobby): string[] {
  const log: string[] = [];
  roster.on("event", ({ type, userId, status }) => log.push(`${type} ${userId} ${status}`));
  roster.on("synced", ({ users }) => log.push(`synced ${ids(users).join()}`));
  return log;
}

async function synced(...watches: readonly Watch[]): Promise<void> {
  await until("the watches know", () => watches.every((watch) => watch.synced));
}

describe.each([true, "counts", false] as const)("a watch of some people, with observeLobby: %s", (observeLobby) => {
  const watcher = (url: string): Presence => ownClient(url, "alice", { observeLobby, ...fast });

  it("[WATCH-3] shows them and nobody else, wherever they are, and tells who comes, changes and goes", async () => {
    const { url } = await startRelay(quick);
    const bob = ownClient(url, "bob");
    bob.join("doc");
    ownClient(url, "carol");
    const alice = watcher(url);
    const watch = alice.watch(["bob", "dave"]);
    const log = logOf(watch);
    await synced(watch);
    await until("Bob is in the room", () => watch.get("bob")?.rooms.join() === "doc");
    expect([watch.status, ids(watch.users), watch.count, watch.has("dave"), watch.roomId]).toEqual([
      "live",
      ["bob"],
      1,
      false,
      "@lobby",
    ]);
    bob.setStatus("busy");
    await until("Bob is busy", () => watch.get("bob")?.status === "busy");
    const dave = ownClient(url, "dave");
    await until("Dave is here", () => watch.has("dave"));
    bob.destroy();
    await until("Bob left", () => !watch.has("bob"));
    expect(watch.get("bob")).toMatchObject({ id: "bob", name: "Bob", status: "offline", sessions: [] });
    expect(ids(watch.getSnapshot().recent)).toEqual(["bob"]);
    expect(log.filter((line) => !line.startsWith("update bob online"))).toEqual([
      "synced bob",
      "update bob busy",
      "join dave online",
      "leave bob offline",
    ]);
    expect(watch.ids).toEqual(["bob", "dave"]);
    const everybody = ["alice", "carol", "dave"];
    expect(ids(alice.lobby.users)).toEqual(everybody.filter((id) => observeLobby === true || id !== "carol"));
    dave.destroy();
  });

  it("[WATCH-3] says of nobody that they join or leave because one begins or ends to watch them", async () => {
    const { url } = await startRelay(quick);
    for (const id of ["bob", "carol"]) ownClient(url, id);
    const alice = watcher(url);
    const watch = alice.watch(["bob"]);
    const [log, lobbyLog] = [logOf(watch), logOf(alice.lobby)];
    await until("Bob is seen", () => watch.synced && watch.has("bob"));
    log.length = 0;
    const other = alice.watch(["carol"]);
    await until("Carol is seen", () => other.has("carol"));
    watch.set(["carol"]);
    await until("she is seen here, too", () => ids(watch.users).join() === "carol");
    other.stop();
    other.stop();
    expect([log, ids(other.users), other.ids]).toEqual([[], [], []]);
    expect(lobbyLog.filter((line) => !/synced|alice|update/.test(line))).toEqual(
      observeLobby === true ? lobbyLog.filter((line) => /^join (bob|carol)/.test(line)) : [],
    );
    const everybody = ["alice", "bob", "carol"];
    expect(ids(alice.lobby.users)).toEqual(everybody.filter((id) => observeLobby === true || id !== "bob"));
  });

  it("[WATCH-3] is stale while there is no connection, and nobody leaves because of that", async () => {
    const { url, port } = await startRelay({ ...quick, leaveGrace: 600 });
    const proxy = await tcpProxy(port);
    const [bob, carol] = [ownClient(url, "bob"), openTab(url, "carol")];
    const watch = watcher(proxy.url).watch(["bob", "carol"]);
    const log = logOf(watch);
    await until("both are seen", () => watch.count === 2);
    log.length = 0;
    proxy.cut();
    await until("it is stale", () => watch.status === "stale");
    expect(ids(watch.users)).toEqual(["bob", "carol"]);
    bob.setStatus("dnd");
    carol.end("unloaded");
    proxy.restore();
    await until("it is live again", () => watch.status === "live");
    await until("Bob's status is known", () => watch.get("bob")?.status === "dnd");
    await until("Carol has left", () => !watch.has("carol"));
    expect(log.filter((line) => !line.startsWith("update"))).toEqual(["leave carol offline"]);
  });

  it("[WATCH-3] [ROSTER-6] a restart of the relay is neither a leave nor a join", async () => {
    const first = await startRelay(quick);
    ownClient(first.url, "bob", fast);
    const watch = watcher(first.url).watch(["bob"]);
    await until("Bob is seen", () => watch.has("bob"));
    const log = logOf(watch);
    await first.relay.close();
    await until("it is stale", () => watch.status === "stale");
    await startRelay(quick, first.port);
    await until("all is well again", () => watch.status === "live" && watch.get("bob")?.reconnecting === false);
    await pause(300);
    expect(log.filter((line) => !line.startsWith("update"))).toEqual([]);
  });

  it("[WATCH-4] refuses too many people, and what are no ids, and stays as it was", async () => {
    const { url } = await startRelay(quick);
    const alice = watcher(url);
    const many = Array.from({ length: 999 }, (_, i) => `user-${i}`);
    const watch = alice.watch(many);
    await synced(watch);
    const two = alice.watch(["user-0", "bob"]);
    expect(() => watch.set([...many, "carol"])).toThrow(RangeError);
    expect(() => alice.watch(["dave"])).toThrow(RangeError);
    for (const bad of ["bob", [""], [7]]) expect(() => alice.watch(bad as string[])).toThrow(TypeError);
    expect([watch.ids.length, two.ids]).toEqual([999, ["user-0", "bob"]]);
    two.stop();
    alice.watch(["dave"]);
    await synced(alice.watch([]));
    expect(alice.lobby.status).toBe("live");
  });

  it("[WATCH-3] shows oneself as one is, if one is among them", async () => {
    const { url } = await startRelay(quick);
    const alice = watcher(url);
    const watch = alice.watch(["alice"]);
    await until("she sees herself", () => watch.self?.self === true);
    alice.setStatus("invisible");
    await until("as she is", () => watch.self?.manual === "invisible");
    expect(ids(watch.users)).toEqual(["alice"]);
  });
});

describe("a lobby of which only numbers are read", () => {
  it("[WATCH-8] knows how many there are, where, and with which status", async () => {
    const { url } = await startRelay(quick);
    const alice = ownClient(url, "alice", { observeLobby: "counts" });
    const changes: number[] = [];
    alice.lobby.subscribe(() => changes.push(alice.lobby.count));
    const [bob, carol] = [ownClient(url, "bob"), ownClient(url, "carol")];
    for (const each of [bob, carol]) each.join("doc");
    carol.join("another");
    await until("all are counted", () => alice.lobby.count === 3 && alice.lobby.countIn("another") === 1);
    bob.setStatus("busy");
    await until("Bob is busy", () => alice.lobby.counts.busy === 1);
    const { lobby } = alice;
    expect([lobby.counts, lobby.roomCount, lobby.countIn("doc"), lobby.countIn("nowhere")]).toEqual([
      { online: 2, busy: 1 },
      2,
      2,
      0,
    ]);
    expect(lobby.rooms).toEqual([
      { name: "another", users: [], count: 1 },
      { name: "doc", users: [], count: 2 },
    ]);
    expect(ids(lobby.users)).toEqual(["alice"]);
    const before = lobby.rooms;
    carol.destroy();
    await until("Carol is not counted", () => lobby.count === 2 && lobby.roomCount === 1);
    expect(lobby.rooms).toEqual([{ name: "doc", users: [], count: 1 }]);
    expect(before).toHaveLength(2);
    expect(changes.at(-1)).toBe(2);
    alice.watch(["bob"]);
    await until("Bob is known", () => ids(lobby.usersIn("doc")).join() === "bob");
    await until("and listed", () => ids(lobby.rooms[0]?.users ?? []).join() === "bob");
  });

  it("[WATCH-8] has the numbers of the relay that it is connected to next", async () => {
    const first = await startRelay(quick);
    const alice = ownClient(first.url, "alice", { observeLobby: "counts", ...fast });
    const bob = ownClient(first.url, "bob");
    bob.join("doc");
    await until("both are counted", () => alice.lobby.count === 2 && alice.lobby.countIn("doc") === 1);
    bob.destroy();
    await first.relay.close();
    await until("she knows that it is away", () => alice.lobby.status === "stale");
    await startRelay(quick, first.port);
    await until("she is alone there", () => alice.lobby.status === "live" && alice.lobby.count === 1);
    expect([alice.lobby.roomCount, alice.lobby.rooms]).toEqual([0, []]);
  });
});
