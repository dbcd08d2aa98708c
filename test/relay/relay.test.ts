import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { type PresenceEvent, type Relay, createRelay } from "../../src/relay/index.ts";
import { closeOf, ownClient, pause, rawClient, startRelay, stockClient, until } from "../support.ts";
import { rawPeer, stateOf } from "./raw.ts";

const prompt = { tick: 0, lobbyTick: 0 };

/** All events of a relay, by the place that they are of. */
function record(relay: Relay): (roomId: string) => PresenceEvent[] {
  const events: PresenceEvent[] = [];
  relay.on("event", (event) => events.push(event));
  return (roomId) => events.filter((event) => event.roomId === roomId);
}

const kinds = (events: readonly PresenceEvent[]): string[] => events.map(({ type, userId }) => `${type} ${userId}`);

describe("users", () => {
  it("[USER-1] [USER-3] one tab in three rooms is one session, and leaving a room is not leaving", async () => {
    const { relay, url } = await startRelay(prompt);
    const eventsOf = record(relay);
    const alice = ownClient(url, "alice");
    const rooms = ["a", "b", "c"].map((name) => alice.join(name));
    await until("she is in all", () => relay.user("alice")?.rooms.length === 3);
    expect(relay.user("alice")).toMatchObject({ rooms: ["a", "b", "c"], status: "online", name: "Alice" });
    await until("room and lobby know", () => {
      return ["a", "b", "c", "@lobby"].every((name) => relay.room(name)?.users.length === 1);
    });
    expect(relay.room("@lobby")).toMatchObject({ connections: 1, users: [{ id: "alice" }], hasDocument: false });
    expect(relay.user("alice")!.sessions.map((session) => session.id)).toEqual([alice.session]);
    expect(relay.rooms()).toHaveLength(3);
    for (const name of ["a", "b", "c"]) {
      expect(relay.room(name)).toMatchObject({ name, connections: 1, users: [{ id: "alice" }], hasDocument: false });
    }

    const phone = ownClient(url, "alice", { device: "mobile" });
    phone.join("a");
    await until("her phone is there", () => relay.room("a")?.users[0]?.sessions.length === 2);
    await until("in the lobby, too", () => relay.user("alice")?.sessions.length === 2);
    rooms[0]!.leave();
    rooms[1]!.leave();
    await until("she left two", () => relay.user("alice")?.rooms.join() === "a,c");
    await until("the room that nobody is in is freed", () => relay.room("b") === undefined);
    alice.destroy();
    await until("her tab is gone", () => relay.user("alice")?.sessions.length === 1);
    expect(relay.user("alice")).toMatchObject({ rooms: ["a"], device: "mobile" });
    phone.destroy();
    await until("she is gone", () => relay.users().length === 0);
    const withoutUpdates = (roomId: string): string[] =>
      kinds(eventsOf(roomId)).filter((event) => !event.startsWith("update"));
    for (const place of ["@lobby", "a", "b", "c"]) {
      expect(withoutUpdates(place)).toEqual(["join alice", "leave alice"]);
    }
  });

  it("[USER-3] a user of stock tabs counts once, in room and lobby, however many there are", async () => {
    const { relay, url } = await startRelay(prompt);
    const eventsOf = record(relay);
    const tabs = ["doc", "doc", "other"].map((room) => stockClient(url, room, { user: { id: "bob", name: "Bob" } }));
    await until("all tabs are there", () => relay.user("bob")?.sessions.length === 3);
    expect(relay.room("doc")?.users).toMatchObject([{ id: "bob", rooms: ["doc"] }]);
    for (const tab of tabs) tab.destroy();
    await until("he is gone", () => relay.rooms().length === 0 && relay.users().length === 0);
    for (const place of ["@lobby", "doc"]) {
      expect([kinds(eventsOf(place)).at(0), kinds(eventsOf(place)).at(-1)]).toEqual(["join bob", "leave bob"]);
      expect(eventsOf(place).filter((event) => event.type !== "update")).toHaveLength(2);
    }
  });
});

describe("a user who left", () => {
  it("[RUN-4] is known by their id, is listed no more, and is online again when they are back", async () => {
    const { relay, url } = await startRelay(prompt);
    const first = await rawPeer(url, "doc", { trusts: true });
    first.say([1, 1, stateOf("alice", "s_1")]);
    await until("she is there", () => relay.user("alice")?.status === "online");
    const saidAt = Date.now();
    first.say([1, 2, null]);
    await until("she has left", () => relay.users().length === 0);
    expect(relay.user("alice")).toMatchObject({
      id: "alice",
      name: "alice",
      status: "offline",
      sessions: [],
      rooms: [],
    });
    expect(Math.abs(relay.user("alice")!.lastSeen - saidAt)).toBeLessThan(2_000);
    expect([relay.user("bob"), relay.user("alice", "acme")]).toEqual([undefined, undefined]);
    first.say([1, 3, stateOf("alice", "s_1")]);
    await until("she is back", () => relay.user("alice")?.status === "online");
  });

  it("[RUN-4] is not known where nobody is remembered", async () => {
    const { relay, url } = await startRelay({ ...prompt, recentMax: 0 });
    const peer = await rawPeer(url, "doc", { trusts: true });
    peer.say([1, 1, stateOf("alice", "s_1")]);
    await until("she is there", () => relay.user("alice") !== undefined);
    peer.say([1, 2, null]);
    await until("she is forgotten", () => relay.user("alice") === undefined);
  });
});

describe("events", () => {
  it("[ROSTER-2] [ROSTER-3] join, update and leave say all that there is, for room and lobby", async () => {
    const before = Date.now();
    const { relay, url } = await startRelay(prompt);
    const eventsOf = record(relay);
    const typed: string[] = [];
    for (const type of ["join", "update", "leave"] as const) {
      relay.on(type, (event) => typed.push(`${event.roomId} ${event.type === type}`));
    }
    const peer = await rawPeer(url, "doc", { trusts: true });
    const state = (meta: object, status = "online") => stateOf("alice", "s_1", { meta, status });
    peer.say([1, 1, state({ n: 1 })]);
    await until("she is there", () => relay.user("alice") !== undefined);
    peer.say([1, 2, state({ n: 2 }, "away")]);
    await until("she is away", () => relay.user("alice")?.status === "away");
    const saidAt = Date.now();
    peer.say([1, 3, null]);
    await until("she is gone", () => relay.user("alice")?.status === "offline");
    await until("the room is told", () => eventsOf("doc").length === 3);

    for (const roomId of ["doc", "@lobby"]) {
      const [join, update, leave] = eventsOf(roomId);
      const base = {
        id: expect.any(String) as string,
        userId: "alice",
        roomId,
        timestamp: expect.any(Number) as number,
      };
      expect(join).toEqual({ ...base, type: "join", status: "online", metadata: { n: 1 }, user: join!.user });
      expect(join!.user).toMatchObject({ id: "alice", name: "alice", status: "online", meta: { n: 1 }, self: false });
      expect(update).toMatchObject({
        ...base,
        type: "update",
        status: "away",
        metadata: { n: 2 },
        previous: join!.user,
      });
      expect(leave).toMatchObject({ ...base, type: "leave", status: "offline", metadata: { n: 2 } });
      expect(leave!.user).toMatchObject({ id: "alice", name: "alice", status: "offline", sessions: [] });
      expect(leave!.user.lastSeen).toBeGreaterThanOrEqual(saidAt);
      const times = eventsOf(roomId).map((event) => event.timestamp);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(times[0]).toBeGreaterThanOrEqual(before);
      expect(times[2]).toBeLessThanOrEqual(Date.now());
    }
    expect(typed).toHaveLength(6);
    expect(typed.every((line) => line.endsWith("true"))).toBe(true);
  });

  it("[ROSTER-2] a user who joins and leaves often does so in turns", async () => {
    const { relay, url } = await startRelay({ tick: 5, lobbyTick: 5 });
    const eventsOf = record(relay);
    const peer = await rawPeer(url, "doc", { trusts: true });
    for (let n = 1; n <= 60; n++) {
      peer.say([1, n, n % 3 === 0 ? null : stateOf("alice", `s_${n % 2}`, { meta: { n } })]);
      if (n % 4 === 0) await pause(3);
    }
    await peer.settle();
    await until("she is gone", () => relay.users().length === 0 && relay.room("doc")?.users.length === 0);
    for (const place of ["doc", "@lobby"]) {
      const turns = eventsOf(place).filter((event) => event.type !== "update");
      expect(turns.length).toBeGreaterThan(0);
      expect(turns.map((event) => event.type)).toEqual(turns.map((_, i) => (i % 2 === 0 ? "join" : "leave")));
      expect(turns.length % 2).toBe(0);
    }
  });

  it("[ROSTER-2] [LOBBY-7] the last to leave an otherwise empty lobby has left, and is remembered", async () => {
    // looked at every 5 ms, written only every 300
    const { relay, url } = await startRelay({ tick: 300, lobbyTick: 300, pingInterval: 100, pingTimeout: 100 });
    const eventsOf = record(relay);
    const peer = await rawPeer(url, "doc", { trusts: true });
    peer.say([1, 1, stateOf("alice", "s_1")]);
    await until("she is there", () => relay.user("alice") !== undefined);
    peer.socket.close(1000);
    for (const place of ["doc", "@lobby"]) {
      await until("she is said to have left", () => kinds(eventsOf(place)).includes("leave alice"), 1_000);
    }
    const reader = await rawPeer(url, "@lobby");
    await reader.settle();
    expect(reader.doc.getMap("shards").toJSON()).toMatchObject({ [relay.shard]: { alice: { sessions: {} } } });
  });

  it("the undo of a subscription ends it", async () => {
    const { relay, url } = await startRelay(prompt);
    let heard = 0;
    const undo = relay.on("join", () => heard++);
    const peer = await rawPeer(url, "doc");
    peer.say([1, 1, { user: { id: "alice" } }]);
    await until("it is heard, of room and lobby", () => heard === 2);
    undo();
    peer.say([2, 1, { user: { id: "bob" } }]);
    await until("Bob is there", () => relay.user("bob") !== undefined);
    expect(heard).toBe(2);
  });
});

describe("serving", () => {
  it.each(["/healthz", "/metrics"])("[HTTP-1] [HTTP-2] %s is answered whatever a probe adds to it", async (page) => {
    const { url, port } = await startRelay();
    const base = url.replace("ws:", "http:");
    const [first = ""] = (await (await fetch(base + page)).text()).split("\n");
    for (const path of [page, `${page}/`, `${page}//`, `${page}?probe=1`, `${page}/?x=/y`]) {
      const response = await fetch(base + path);
      expect([response.status, (await response.text()).split("\n")[0]]).toEqual([200, first]);
      const head = await fetch(base + path, { method: "HEAD" });
      expect([head.status, await head.text()]).toEqual([200, ""]);
    }
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
      const response = await fetch(`${base}${page}?x`, { method });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    }
    // as a proxy asks
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write(`GET http://relay.example${page}?x HTTP/1.1\r\nHost: relay.example\r\n\r\n`);
    expect((await once(socket, "data")).toString()).toMatch(/^HTTP\/1\.1 200 OK/);
    for (const path of [`${page}x`, `${page}/x`, `/x${page}`, `/${page}`]) {
      expect((await fetch(base + path)).status).toBe(426);
    }
  });

  it("[WIRE-6] GET /healthz answers 200, and anything else says what is served here", async () => {
    const { url } = await startRelay();
    const base = url.replace("ws:", "http:");
    for (const method of ["GET", "HEAD"]) {
      const response = await fetch(`${base}/healthz`, { method });
      expect([response.status, await response.text()]).toEqual([200, method === "GET" ? "ok\n" : ""]);
    }
    for (const [path, method] of [
      ["/", "GET"],
      ["/doc", "GET"],
      ["/", "POST"],
      ["/healthzz", "GET"],
    ] as const) {
      const response = await fetch(`${base}${path}`, { method });
      expect(response.status).toBe(426);
      expect(response.headers.get("upgrade")).toBe("websocket");
      expect(await response.text()).toContain("WebSocket");
    }
  });

  it("refuses a port that is taken, and can still be closed or listen elsewhere", async () => {
    const { port } = await startRelay();
    const relay = createRelay();
    onTestFinished(() => relay.close());
    await expect(relay.listen(port, "127.0.0.1")).rejects.toMatchObject({ code: "EADDRINUSE" });
    const address = await relay.listen(0, "127.0.0.1");
    expect(address).toEqual({ host: "127.0.0.1", port: address.port, url: `ws://127.0.0.1:${address.port}` });
    await rawClient(address.url, "doc");
  });

  it("names an IPv6 address as a URL does", async () => {
    const relay = createRelay();
    onTestFinished(() => relay.close());
    const { url, port } = await relay.listen(0, "::1");
    expect(url).toBe(`ws://[::1]:${port}`);
    await rawClient(url, "doc");
  });

  /** An app with HTTP of its own, and perhaps with WebSockets. */
  async function app(): Promise<{ server: ReturnType<typeof createServer>; url: string }> {
    const server = createServer((request, response) => response.end(`app: ${request.url}`));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  it("attaches to an app's server, whose own handler goes on answering", async () => {
    const { server, url } = await app();
    const relay = createRelay();
    onTestFinished(() => relay.close());
    const undo = relay.attach(server);
    const alice = stockClient(url, "doc", { user: { id: "alice" } });
    await until("Alice is there", () => alice.synced && relay.user("alice") !== undefined);
    for (const path of ["/", "/healthz", "/doc"]) {
      expect(await (await fetch(url.replace("ws:", "http:") + path)).text()).toBe(`app: ${path}`);
    }
    undo();
    const late = new WebSocket(`${url}/doc`);
    await expect(new Promise((resolve, reject) => late.on("open", resolve).on("error", reject))).rejects.toThrow("200");
    expect(alice.wsconnected).toBe(true);
  });

  it.each(["/ws", "/ws/", "/a/b"])("attaches below %s, and leaves the rest to others", async (path) => {
    const { server, url } = await app();
    const relay = createRelay();
    onTestFinished(() => relay.close());
    relay.attach(server, { path });
    const others: (string | undefined)[] = [];
    server.on("upgrade", (request, socket) => {
      if (relay.rooms().length > 0) return;
      others.push(request.url);
      socket.end("HTTP/1.1 418 I'm a teapot\r\nConnection: close\r\n\r\n");
    });
    const mount = path.replace(/\/$/, "");
    for (const target of ["/doc", `${mount}x/doc`, mount]) {
      const socket = new WebSocket(url + target);
      await expect(new Promise((_, reject) => socket.on("error", reject))).rejects.toThrow("418");
    }
    expect(others).toEqual(["/doc", `${mount}x/doc`, mount]);
    const alice = stockClient(`${url}${mount}`, "doc", { user: { id: "alice" }, params: { lobby: "acme" } });
    await until("Alice is there", () => alice.synced && relay.user("alice", "acme") !== undefined);
    expect(relay.rooms().map((room) => room.name)).toEqual(["doc"]);
    const refused = await rawPeer(`${url}${mount}`, "%ff");
    expect(await refused.closed).toMatchObject({ code: 4400 });
  });

  it("answers what is nobody's, and keeps no socket of it", async () => {
    const { server, url } = await app();
    const relay = createRelay();
    onTestFinished(() => relay.close());
    relay.attach(server, { path: "/ws" });
    const socket = new WebSocket(`${url}/elsewhere`);
    await expect(new Promise((_, reject) => socket.on("error", reject))).rejects.toThrow("404");
    const open = (): Promise<number> =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
      });
    await until("nothing is left open", async () => (await open()) === 0);

    // one that is reset while it is answered, and one that never closes its end
    const upgrade = "GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    const port = Number(new URL(url).port);
    for (let i = 0; i < 20; i++) {
      const reset = connect(port, "127.0.0.1");
      await new Promise((resolve) => reset.once("connect", resolve));
      reset.write(upgrade, () => reset.resetAndDestroy());
    }
    const half = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    onTestFinished(() => void half.destroy());
    half.write(upgrade);
    await new Promise((resolve) => half.once("data", resolve));
    await until("nothing is left open", async () => (await open()) === 0);
  });

  it("leaves what is another relay's to that relay, and what is neither's is answered once", async () => {
    const { server, url } = await app();
    const [one, two] = [createRelay(), createRelay()];
    onTestFinished(() => one.close());
    onTestFinished(() => two.close());
    const undo = one.attach(server, { path: "/one" });
    two.attach(server, { path: "/two" });
    for (const [path, relay] of [["one", one] as const, ["two", two] as const]) {
      const peer = await rawPeer(`${url}/${path}`, "doc");
      expect(relay.rooms().map(({ connections }) => connections)).toEqual([1]);
      peer.socket.close();
    }
    const refused = (path: string): Promise<unknown> =>
      new Promise((_, reject) => new WebSocket(`${url}/${path}`).on("error", reject));
    await expect(refused("three/doc")).rejects.toThrow("404");
    undo();
    await expect(refused("one/doc")).rejects.toThrow("404");
  });
});

describe("closing", () => {
  it("[RUN-3] tells all to come back (1012), frees everything, and says so when it is done", async () => {
    const { relay, url, port } = await startRelay();
    const [raw, lobby, refused] = [
      await rawPeer(url, "doc", { trusts: true }),
      await rawPeer(url, "@lobby"),
      await rawPeer(url, "@x"),
    ];
    raw.say([1, 1, stateOf("alice", "s_1")]);
    await until("she is there", () => relay.user("alice") !== undefined);
    // an HTTP connection that says nothing, one that is kept alive, and one that died in silence
    const idle = connect(port, "127.0.0.1");
    await new Promise((resolve) => idle.once("connect", resolve));
    onTestFinished(() => void idle.destroy());
    await fetch(url.replace("ws:", "http:") + "/healthz");
    const dead = await rawClient(url, "doc");
    dead.pause();
    const closes = Promise.all([raw.closed, lobby.closed, refused.closed]);
    const startedAt = performance.now();
    const [first, second] = [relay.close(), relay.close()];
    await Promise.all([first, second]);
    expect(performance.now() - startedAt).toBeLessThan(2_500);
    expect((await closes).map(({ code }) => code)).toEqual([1012, 1012, 4403]);
    expect([relay.users(), relay.rooms(), relay.room("@lobby")]).toEqual([[], [], undefined]);
    await expect(rawClient(url, "doc")).rejects.toThrow("ECONNREFUSED");
    expect(() => relay.attach(createServer())).toThrow("this relay is closed");
    await expect(relay.listen(0, "127.0.0.1")).rejects.toThrow("this relay is closed");
  });

  it("[ROSTER-5] says nothing of anybody: to lose the relay is nobody's leave, nor a lost connection of theirs", async () => {
    const { relay, url } = await startRelay(prompt);
    const people = ["alice", "bob", "carol"].map((id) => ownClient(url, id));
    const rosters = people.flatMap((presence) => [presence.lobby, presence.join("doc").roster]);
    await until("all see all", () => rosters.every((roster) => roster.users.length === 3));
    await until("in the room, too", () => people.every(({ lobby }) => lobby.usersIn("doc").length === 3));
    const log: string[] = [];
    relay.on("event", ({ type, userId }) => log.push(`relay: ${type} ${userId}`));
    for (const roster of rosters) roster.on("event", ({ type, userId }) => log.push(`${type} ${userId}`));
    await relay.close();
    await until("all know", () => rosters.every((roster) => roster.status === "stale"));
    expect(log).toEqual([]);
  });

  it("[RUN-3] while it is about to listen means that it does not", async () => {
    const relay = createRelay();
    const outcomes = await Promise.allSettled([relay.listen(0, "localhost"), relay.close()]);
    expect(outcomes[0]).toMatchObject({ status: "rejected", reason: { message: "this relay is closed" } });
  });

  it("[RUN-3] leaves an app's server running, without its connections", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    onTestFinished(() => void server.close());
    const relay = createRelay();
    relay.attach(server);
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const clients = [await rawClient(url, "doc"), await rawClient(url, "@lobby")];
    // this one does not answer the close
    const dead = await rawClient(url, "doc");
    dead.pause();
    const closes = clients.map(closeOf);
    await relay.close();
    expect(server.listenerCount("upgrade")).toBe(0);
    expect(await new Promise((resolve) => server.getConnections((_, count) => resolve(count)))).toBe(0);
    expect(server.listening).toBe(true);
    expect((await Promise.all(closes)).map(({ code }) => code)).toEqual([1012, 1012]);
  });
});
