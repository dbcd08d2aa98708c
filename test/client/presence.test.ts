import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type PresenceEvent, type PresenceOptions, createPresence } from "../../src/client/index.ts";
import { ownClient, pause, poll, startRelay, until } from "../support.ts";
import { memory, openTab, testPage } from "../tab.ts";

const quick = { tick: 0, lobbyTick: 0 };

/** The joins and leaves of a user that a source of events tells of from now on. */
function comings(
  userId: string,
  source: { on(type: "join" | "leave", listener: (event: PresenceEvent) => void): unknown },
): string[] {
  const log: string[] = [];
  const note = (event: PresenceEvent): unknown => event.userId === userId && log.push(`${event.type} ${event.roomId}`);
  source.on("join", note);
  source.on("leave", note);
  return log;
}

describe("createPresence", () => {
  it.for([
    undefined,
    {},
    { id: "" },
    { id: 7 },
    { name: "Alice" },
    { id: "guest:7" },
    { id: "x".repeat(257) },
    { id: "😀"[0] },
  ])("[STATE-13] throws for the user %j", (user) => {
    const options = { user, WebSocket } as unknown as PresenceOptions;
    expect(() => createPresence("ws://127.0.0.1:1", options)).toThrow(
      new TypeError('createPresence: user.id must be a text of 1 to 256 characters that does not begin with "guest:"'),
    );
  });

  it("throws on a page without a WebSocket, and takes the page's where there is one", async () => {
    const { url, relay } = await startRelay(quick);
    onTestFinished(() => void vi.unstubAllGlobals());
    vi.stubGlobal("window", {});
    vi.stubGlobal("WebSocket", undefined);
    expect(() => createPresence(url, { user: { id: "alice" } })).toThrow(
      /^createPresence: there is no global WebSocket/,
    );
    vi.stubGlobal("WebSocket", WebSocket);
    const alice = createPresence(url, { user: { id: "alice" } });
    onTestFinished(() => alice.destroy());
    await until("she is there", () => relay.user("alice") !== undefined);
  });

  it("throws for an address that is none, and leaves nothing behind", () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const page = testPage();
    expect(() => createPresence("nowhere", { user: { id: "alice" }, WebSocket, page })).toThrow(SyntaxError);
    const bad = { user: { id: "alice" }, WebSocket, page, lobby: "\ud800" };
    expect(() => createPresence("ws://localhost:1", bad)).toThrow(RangeError);
    expect([vi.getTimerCount(), page.listeners]).toEqual([0, 0]);
  });

  it("[LINK-1] dials once for the lobby and all rooms, with the parameters it was given", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    onTestFinished(() => server.close());
    await once(server, "listening");
    const dialed: (string | undefined)[] = [];
    server.on("connection", (socket, { url }) => {
      dialed.push(`${socket.protocol} ${url}`);
      socket.on("error", () => {});
    });
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}//`;
    ownClient(url, "alice").join("a/b");
    ownClient(url, "bob", { lobby: "acme", params: { token: "t&t" } }).join("ü?");
    await until("all are dialed", () => dialed.length === 2);
    expect(new Set(dialed)).toEqual(
      new Set(["copresence.v3 /@link", "copresence.v3 /@link?token=t%26t&lobby=%40lobby%2Facme"]),
    );
  });
});

describe("a user of several sessions", () => {
  it("[USER-1] [USER-5] is one user with three sessions and two devices, until the last one is closed", async () => {
    const { url, relay } = await startRelay({ ...quick, leaveGrace: 100 });
    const carol = ownClient(url, "carol");
    const room = carol.join("doc");
    const tabs = (["desktop", "desktop", "mobile"] as const).map((device) => openTab(url, "alice", { device }));
    for (const { presence } of tabs) presence.join("doc");
    const views = [
      (): unknown => room.roster.get("alice"),
      (): unknown => carol.lobby.get("alice"),
      (): unknown => carol.lobby.usersIn("doc").find(({ id }) => id === "alice"),
      (): unknown => relay.user("alice"),
      (): unknown => relay.room("doc")?.users.find(({ id }) => id === "alice"),
    ];
    const logs = [room.roster, carol.lobby, relay].map((source) => comings("alice", source));
    const sees = async (sessions: number, devices: readonly string[]): Promise<void> => {
      for (const view of views) {
        await expect.poll(view, poll).toMatchObject({ id: "alice", status: "online", sessions: { length: sessions } });
        expect(new Set((view() as { devices: string[] }).devices)).toEqual(new Set(devices));
      }
    };
    await sees(3, ["desktop", "mobile"]);
    for (const roster of [room.roster, carol.lobby])
      expect(roster.users.map(({ id }) => id)).toEqual(["alice", "carol"]);
    for (const { length } of logs) expect(length).toBeGreaterThan(0);
    for (const log of logs) log.length = 0;

    tabs[0]?.presence.destroy();
    await sees(2, ["desktop", "mobile"]);
    tabs[1]?.end("unloaded");
    await sees(1, ["mobile"]);
    expect(logs).toEqual([[], [], []]);
    tabs[2]?.presence.destroy();
    await until("all know", () => logs[0]!.length > 0 && logs[1]!.length > 0 && logs[2]!.length > 1);
    await pause(50);
    expect(logs[0]).toEqual(["leave doc"]);
    expect(logs[1]).toEqual(["leave @lobby"]);
    expect(logs[2]?.toSorted()).toEqual(["leave @lobby", "leave doc"]);
    expect([relay.user("alice")?.status, room.roster.get("alice")]).toEqual(["offline", undefined]);
  });

  it("[USER-3] is one session in three rooms, and leaving one of them is not leaving the lobby", async () => {
    const { url, relay } = await startRelay(quick);
    const bob = ownClient(url, "bob");
    const alice = ownClient(url, "alice");
    const names = ["a", "b", "c"];
    const [a, b, c] = names.map((name) => alice.join(name));
    const watched = bob.join("b");
    const seen = (): unknown => bob.lobby.get("alice")?.sessions.map(({ id, rooms }) => [id, rooms]);
    await expect.poll(seen, poll).toEqual([[alice.session, names]]);
    expect(alice.lobby.self?.sessions).toMatchObject([{ id: alice.session, rooms: names }]);
    await until("Bob sees her in the room", () => watched.roster.get("alice") !== undefined);
    const logs = [bob.lobby, watched.roster, relay].map((source) => comings("alice", source));

    b?.leave();
    await expect.poll(seen, poll).toEqual([[alice.session, ["a", "c"]]]);
    await until("Bob sees it in the room", () => watched.roster.get("alice") === undefined);
    a?.leave();
    c?.leave();
    await expect.poll(seen, poll).toEqual([[alice.session, []]]);
    expect(alice.lobby.self?.rooms).toEqual([]);
    await until("all rooms know", () => logs[2]?.length === 3);
    expect(logs[0]).toEqual([]);
    expect(logs[1]).toEqual(["leave b"]);
    expect(logs[2]?.toSorted()).toEqual(["leave a", "leave b", "leave c"]);
    expect(relay.user("alice")?.status).toBe("online");
  });
});

describe("what a user says of themselves", () => {
  it("is changed everywhere by setUser, but for the id", async () => {
    const { url } = await startRelay(quick);
    const [alice, bob] = [ownClient(url, "alice"), ownClient(url, "bob")];
    alice.join("doc");
    const room = bob.join("doc");
    const views = [(): unknown => room.roster.get("alice"), (): unknown => bob.lobby.get("alice")];
    for (const view of views) await expect.poll(view, poll).toMatchObject({ name: "Alice" });
    const logs = [room.roster, bob.lobby].map((roster) => comings("alice", roster));
    alice.setUser({ name: "Al", color: "#30bced" });
    alice.setUser({ avatar: "https://example.org/a.png", id: "mallory" } as object);
    const user = { id: "alice", name: "Al", color: "#30bced", avatar: "https://example.org/a.png" };
    expect(alice.user).toEqual(user);
    expect(alice.lobby.self).toMatchObject(user);
    for (const view of views) await expect.poll(view, poll).toMatchObject(user);
    expect(logs).toEqual([[], []]);
  });

  it("is its metadata in the lobby, by value or by what it was, and apart from a room's", async () => {
    const { url } = await startRelay(quick);
    const alice = ownClient<{ ticket?: number; note?: string }>(url, "alice", { meta: { ticket: 1 } });
    alice.join("doc", { meta: { line: 5 } });
    const bob = ownClient(url, "bob");
    const room = bob.join("doc");
    const metas = (): unknown[] => [bob.lobby.get("alice")?.meta, room.roster.get("alice")?.meta];
    await expect.poll(metas, poll).toEqual([{ ticket: 1 }, { line: 5 }]);
    const updates: unknown[] = [];
    bob.lobby.on("update", ({ metadata, previous }) => updates.push([previous.meta, metadata]));
    alice.setMeta({ ticket: 2 });
    alice.setMeta((previous) => ({ ...previous, note: "hot" }));
    expect(alice.lobby.self?.meta).toEqual({ ticket: 2, note: "hot" });
    await expect.poll(metas, poll).toEqual([{ ticket: 2, note: "hot" }, { line: 5 }]);
    // two changes in one turn are one
    expect(updates).toEqual([[{ ticket: 1 }, { ticket: 2, note: "hot" }]]);
  });

  it.for(["mobile", "tablet", "desktop", undefined] as const)("is its device: %s", async (device) => {
    const { url } = await startRelay(quick);
    const bob = ownClient(url, "bob");
    ownClient(url, "alice", { ...(device !== undefined && { device }) });
    await until("Bob sees her", () => bob.lobby.get("alice") !== undefined);
    expect(bob.lobby.get("alice")).toMatchObject({ device: device ?? "desktop", devices: [device ?? "desktop"] });
  });
});

describe("the end of a client", () => {
  it("[LIVE-1] is seen at once, and is the end of everything", async () => {
    const { url, relay } = await startRelay({ ...quick, leaveGrace: 60_000 });
    const bob = ownClient(url, "bob");
    const room = bob.join("doc");
    const { presence: alice, page, sockets } = openTab(url, "alice", { tabStorage: memory() });
    const hers = alice.join("doc");
    await until("Bob sees her", () => room.roster.users.length === 2 && bob.lobby.users.length === 2);
    const logs = [room.roster, bob.lobby].map((roster) => comings("alice", roster));
    const told: string[] = [];
    hers.roster.subscribe(() => told.push("room"));
    alice.lobby.subscribe(() => told.push("lobby"));
    alice.subscribe(() => told.push("presence"));

    alice.destroy();
    alice.destroy();
    await until("Bob sees her leave", () => logs.every((log) => log.length === 1));
    expect(logs).toEqual([["leave doc"], ["leave @lobby"]]);
    await until("her sockets are closed", () => sockets.every(({ readyState }) => readyState === WebSocket.CLOSED));
    expect(page.listeners).toBe(0);
    // what is said after the end is said to nobody
    expect(() => alice.join("doc")).toThrow("destroyed");
    hers.leave();
    hers.setMeta({ late: true });
    alice.setMeta({ late: true });
    alice.setStatus("dnd");
    hers.provider.connect();
    await pause(50);
    expect([sockets.length, relay.user("alice")?.status, told]).toEqual([1, "offline", []]);
  });
});

describe("a page that is left", () => {
  it("[LIVE-11] was never gone when it is restored within the grace, and joins anew when it is later", async () => {
    const { url } = await startRelay({ ...quick, leaveGrace: 400 });
    const bob = ownClient(url, "bob");
    const room = bob.join("doc");
    const { presence: alice, page, sockets } = openTab(url, "alice");
    const hers = alice.join("doc");
    await until("Bob sees her", () => room.roster.users.length === 2 && bob.lobby.usersIn("doc").length === 2);
    const logs = [room.roster, bob.lobby].map((roster) => comings("alice", roster));
    const isReconnecting = (): boolean => room.roster.get("alice")?.reconnecting === true;

    page.signal("suspend");
    await until("she may come back", isReconnecting);
    expect(hers.roster.status).toBe("stale");
    page.signal("wake");
    await until("she has", () => !isReconnecting() && hers.roster.status === "live");
    expect(logs).toEqual([[], []]);

    page.signal("suspend");
    await until("she has left", () => logs.every((log) => log.length === 1));
    // nothing is tried meanwhile
    await pause(300);
    expect(sockets).toHaveLength(2);
    page.signal("wake");
    await until("she is back", () => logs.every((log) => log.length === 2));
    expect(logs).toEqual([
      ["leave doc", "join doc"],
      ["leave @lobby", "join @lobby"],
    ]);
  });
});
