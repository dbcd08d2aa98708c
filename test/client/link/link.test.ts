/** One link for all rooms of a client: with a relay, and with one that says what a test wants. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { EnvelopeReader, LINK_CHANNEL, NO_STATES_FRAME, controlFrame, envelope } from "../../../src/wire/index.ts";
import { tcpProxy } from "../../proxy.ts";
import { ownClient, pause, startRelay, stockClient, until } from "../../support.ts";
import { openTab } from "../../tab.ts";
import { onChannels } from "../channels.ts";
import { greeter } from "../greeting.ts";

const quick = { tick: 0, lobbyTick: 0, leaveGrace: 300 };
const timing = { backoffMs: 20, maxBackoffMs: 100 };

/** A relay that lets in to the rooms whose names do not say otherwise, and what it was asked for. */
async function scripted(refuses: (room: string) => { readonly code: number; readonly reason: string } | null) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  await once(server, "listening");
  const asked: string[] = [];
  const links: WebSocket[] = [];
  server.on("connection", (socket) => links.push(socket));
  onChannels(server, {
    channel(socket) {
      const { channel, room } = socket.request;
      asked.push(room);
      const refusal = refuses(room);
      if (refusal !== null) {
        return socket.link.send(envelope(LINK_CHANNEL, controlFrame({ kind: "refused", channel, ...refusal })));
      }
      socket.send(controlFrame({ kind: "hello", shard: "r", graceMs: 100 }));
      socket.send(NO_STATES_FRAME);
    },
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, links };
}

describe("a client in several rooms", () => {
  it("[LINK-1] [LINK-3] has one socket for all of them and the lobby, and is seen in each", async () => {
    const { url, relay } = await startRelay(quick);
    const tab = openTab(url, "alice");
    const rooms = ["a", "b", "c"].map((name) => tab.presence.join(name));
    const bob = stockClient(url, "b", { user: { id: "bob" } });
    await until("all are live", () =>
      rooms.every(({ roster, provider }) => roster.status === "live" && provider.synced),
    );
    await until("Bob is seen", () => rooms[1]?.roster.get("bob") !== undefined);
    await until("and sees her", () => bob.awareness.getStates().size === 2);
    await until("the lobby has her rooms", () => tab.presence.lobby.usersIn("c").length === 1);
    expect([tab.sockets.length, relay.metrics().connections]).toEqual([1, 5]);
    rooms[1]?.doc.getText().insert(0, "words");
    await until("what she writes in a room is in that room", () => bob.doc.getText().toJSON() === "words");
    expect(rooms.map(({ doc }) => doc.getText().toJSON())).toEqual(["", "words", ""]);
  });

  it("[LINK-3] asks for all its rooms at once, in the order in which they were joined, also when it is back", async () => {
    const { url, asked, links } = await scripted(() => null);
    const alice = ownClient(url, "alice", { timing });
    const names = ["z", "a", "m"];
    const rooms = names.map((name) => alice.join(name));
    await until("all are live", () => rooms.every(({ roster }) => roster.status === "live"));
    expect(asked).toEqual(["@lobby", ...names]);
    links[0]?.terminate();
    await until("it is back", () => asked.length === 8);
    expect(asked.slice(4)).toEqual(["@lobby", ...names]);
  });

  it("[LINK-5] leaves one of them, and is still in the others", async () => {
    const { url, relay } = await startRelay({ ...quick, leaveGrace: 60_000 });
    const tab = openTab(url, "alice");
    const [left, stays] = [tab.presence.join("left"), tab.presence.join("stays")];
    const bob = ownClient(url, "bob");
    const his = [bob.join("left"), bob.join("stays")] as const;
    await until("all see all", () => [left, stays, ...his].every(({ roster }) => roster.users.length === 2));
    const statuses: string[] = [];
    stays.roster.on("status", (status) => statuses.push(status));
    left.leave();
    await until("he sees her leave", () => his[0].roster.users.length === 1);
    expect([his[1].roster.users.length, relay.room("left")?.connections, statuses]).toEqual([2, 1, []]);
    const again = tab.presence.join("left");
    await until("she is back in it", () => again.roster.users.length === 2 && his[0].roster.users.length === 2);
    expect(tab.sockets).toHaveLength(1);
  });

  it("[LINK-4] is refused one room for good, and tries another again, and the rest go on", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(console, "warn").mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    let isFull = true;
    const { url, asked, links } = await scripted((room) => {
      if (room === "secret") return { code: 4403, reason: "nothing is granted to you in this room" };
      return room === "full" && isFull ? { code: 4503, reason: "too many rooms" } : null;
    });
    const alice = ownClient(url, "alice", { timing });
    const [secret, full, open] = [alice.join("secret"), alice.join("full"), alice.join("open")];
    await until("one is refused", () => secret.roster.status === "refused");
    expect(secret.roster.refusal).toEqual({ code: 4403, reason: "nothing is granted to you in this room" });
    await until("one is asked for again", () => asked.filter((room) => room === "full").length >= 3);
    expect([full.roster.status, open.roster.status, links.length]).toEqual(["connecting", "live", 1]);
    isFull = false;
    await until("and live at last", () => full.roster.status === "live");
    expect([links.length, asked.filter((room) => room === "secret").length]).toEqual([1, 1]);
  });

  it("[LINK-6] is out of the room in which it said something malformed, and in no other", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const { url } = await startRelay(quick);
    const tab = openTab(url, "alice");
    const [bad, good] = [tab.presence.join("bad"), tab.presence.join("good")];
    await until("both are live", () => bad.roster.status === "live" && good.roster.status === "live");
    const statuses: string[] = [];
    good.roster.on("status", (status) => statuses.push(status));
    // of the channels, the lobby's is the first
    tab.sockets[0]?.send(envelope(2, Uint8Array.of(77)));
    await until("it is refused", () => bad.roster.status === "refused");
    expect(bad.roster.refusal?.code).toBe(4400);
    await pause(50);
    expect([statuses, tab.sockets.length]).toEqual([[], 1]);
  });

  it("[LINK-7] says once for all rooms that its page lives", async () => {
    const said: string[] = [];
    const { url, links } = await scripted(() => null);
    const alice = ownClient(url, "alice", { timing });
    const rooms = ["a", "b", "c"].map((name) => alice.join(name));
    await until("all are live", () => rooms.every(({ roster }) => roster.status === "live"));
    await pause(100);
    const reader = new EnvelopeReader();
    links[0]?.on("message", (data: Buffer) => said.push(`${reader.read(new Uint8Array(data)).channel}`));
    const later = performance.now() + 15_000;
    vi.spyOn(performance, "now").mockImplementation(() => later);
    onTestFinished(() => void vi.restoreAllMocks());
    // as each does every 15 s
    for (const { awareness } of rooms) awareness.setLocalState(awareness.getLocalState());
    await until("it is said", () => said.length > 0);
    await pause(50);
    expect(said).toEqual(["0"]);
  });

  it("[MSG-9] sends all that is broadcast to a relay that names 0 messages a second, which is any number", async () => {
    const { url } = await greeter((path) => (path === "/doc" ? { messageRate: 0 } : {}));
    const room = ownClient(url, "alice", { timing }).join("doc");
    await until("it is live", () => room.roster.status === "live");
    expect(["a", "b", "c"].map((type) => room.broadcast(type))).toEqual([true, true, true]);
  });

  it("[MSG-9] sends as much at once to a relay that it has just found as to the one before", async () => {
    const { url, sockets } = await greeter(() => ({ messageRate: 100 }));
    const room = ownClient(url, "alice", { timing }).join("doc");
    const isOpen = (count: number) => (): boolean =>
      sockets.filter(({ path }) => path === "/doc").length === count && room.roster.status === "live";
    const flood = (): number => Array.from({ length: 300 }, () => room.broadcast("wave")).filter(Boolean).length;
    await until("it is live", isOpen(1));
    const went = flood();
    for (const { socket } of sockets) socket.terminate();
    await until("it is back", isOpen(2));
    expect(flood()).toBeGreaterThanOrEqual(Math.min(went, 200));
  });

  it("[LINK-10] tells how its connection fares", async () => {
    const { url, relay, port } = await startRelay(quick);
    const alice = ownClient(url, "alice", { timing });
    const { connection } = alice;
    const seen: string[] = [];
    const errors: (typeof connection.lastError)[] = [];
    connection.subscribe(() => {
      seen.push(connection.status);
      errors.push(connection.lastError);
    });
    expect(connection.getSnapshot()).toEqual({ status: "connecting", lastError: null, latencyMs: null });
    await until("it is there, and the relay has answered", () => connection.latencyMs !== null);
    expect(connection.status).toBe("connected");
    expect(connection.latencyMs).toBeLessThan(5_000);
    await relay.close();
    const isStopping = { code: 1012, reason: "the relay is stopping" };
    // the attempts after that fail, too, and each replaces `lastError`
    await until("it is gone, and says why", () => errors.some((error) => isDeepStrictEqual(error, isStopping)));
    await startRelay(quick, port);
    await until("it is back", () => connection.status === "connected");
    expect(new Set(seen)).toEqual(new Set(["connected", "connecting"]));
    alice.destroy();
    expect(connection.status).toBe("closed");
  });

  it("is back in all of them when its link is", async () => {
    const { url, port } = await startRelay({ ...quick, leaveGrace: 5_000 });
    const proxy = await tcpProxy(port);
    const bob = ownClient(url, "bob");
    const names = ["a", "b", "c", "d", "e"];
    const his = names.map((name) => bob.join(name));
    const tab = openTab(proxy.url, "alice", { timing });
    const hers = names.map((name) => tab.presence.join(name));
    await until("all see all", () => [...his, ...hers].every(({ roster }) => roster.users.length === 2));
    const log: string[] = [];
    for (const { roster } of his) roster.on("event", ({ type }) => type !== "update" && log.push(type));
    proxy.cut();
    await until("she is cut off", () => hers.every(({ roster }) => roster.status === "stale"));
    proxy.restore();
    await until("she is back", () => hers.every(({ roster }) => roster.status === "live"));
    await until("for him too", () => his.every(({ roster }) => roster.get("alice")?.reconnecting === false));
    expect(log).toEqual([]);
  });
});
