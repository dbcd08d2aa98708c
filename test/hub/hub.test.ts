/** The hub behind a plain `ws` server, as an application would put it there. */
import { once } from "node:events";
import { type IncomingMessage, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import * as Y from "yjs";
import {
  type Addressing,
  type HubAdmission,
  type HubChannel,
  type HubOptions,
  type HubSocket,
  MemoryEventSink,
  SUBPROTOCOL,
  createHub,
} from "../../src/hub/index.ts";
import {
  EMPTY_STATE_VECTOR,
  FrameError,
  controlFrame,
  decodeFrame,
  statesUpdateFrame,
  syncStep1Frame,
  updateFrame,
} from "../../src/wire/index.ts";
import { chooseProtocol } from "../../src/relay/access/request.ts";
import { ownClient, stockClient, until } from "../support.ts";
import { rawPeer, stateOf, statesFrame } from "../relay/raw.ts";

/** A server that lets in everybody who comes to the room that its path names. */
async function serve(
  options: HubOptions = {},
  admit: (request: IncomingMessage) => Partial<HubAdmission> = () => ({}),
) {
  const hub = createHub({ tick: 0, lobbyTick: 0, ...options });
  const server = createServer();
  const sockets = new WebSocketServer({
    server,
    handleProtocols: (offered) => chooseProtocol(offered) ?? false,
  });
  sockets.on("connection", (socket, request) => {
    const room = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname.slice(1));
    const channel =
      socket.protocol === SUBPROTOCOL
        ? hub.link(socket, { admit: () => ({ identity: null, ...admit(request) }) })
        : hub.accept(socket, { room, identity: null, ...admit(request) });
    socket.on("message", (data: Buffer, isBinary) => channel.message(data, isBinary));
    socket.on("pong", () => channel.alive());
    socket.on("close", (code) => channel.closed(code));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    await hub.close();
    server.closeAllConnections();
    server.close();
  });
  return { hub, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe("behind a server of one's own", () => {
  it("stock clients and ours share rooms, documents and the lobby", async () => {
    const { hub, url } = await serve();
    const events: string[] = [];
    const undo = hub.on("event", ({ type, userId, roomId }) => events.push(`${type} ${userId} ${roomId}`));
    const alice = ownClient(url, "alice");
    const room = alice.join("doc");
    const bob = stockClient(url, "doc", { user: { id: "bob", name: "Bob" } });
    await until("all are seen", () => alice.lobby.users.length === 2 && room.roster.users.length === 2);
    await until("he sees her", () => bob.awareness.getStates().size === 2);
    bob.doc.getText("t").insert(0, "text");
    await until("she has it", () => room.doc.getText("t").toJSON() === "text");
    expect(hub.users().map(({ id }) => id)).toEqual(expect.arrayContaining(["alice", "bob"]));
    expect(hub.room("doc")).toMatchObject({ connections: 2, hasDocument: true });
    expect(events).toEqual(expect.arrayContaining(["join alice doc", "join bob @lobby"]));
    alice.destroy();
    await until("she has left", () => events.includes("leave alice @lobby"));
    expect(hub.user("alice")?.status).toBe("offline");
    undo();
  });

  it("says who somebody is, and what they may do", async () => {
    const rooms = { doc: ["observe", "presence", "read"], "@lobby": ["observe"] } as const;
    const { hub, url } = await serve({}, () => ({ identity: { userId: "alice", name: "Alice", rooms } }));
    const peer = await rawPeer(url, "doc");
    peer.say([1, 1, stateOf("mallory", "s_1")]);
    const doc = new Y.Doc();
    doc.getText("t").insert(0, "not hers to write");
    peer.send(updateFrame(Y.encodeStateAsUpdate(doc)));
    await peer.settle();
    await until("she is here", () => hub.users().length === 1);
    expect(hub.users()[0]).toMatchObject({ id: "alice", name: "Alice" });
    expect(hub.room("doc")?.hasDocument).toBe(false);
  });

  it("takes a newer token, and closes one whose token is somebody else's", async () => {
    const identity = { userId: "alice", expiresAt: Date.now() + 60_000 };
    const { url } = await serve({}, () => ({
      identity,
      renew: (token) => ({ ...identity, userId: token, expiresAt: Date.now() + 120_000 }),
    }));
    const peer = await rawPeer(url, "doc", { trusts: true });
    await peer.settle();
    peer.send(controlFrame({ kind: "token", token: "alice" }));
    await until("it goes on", () => peer.controls.some(({ kind }) => kind === "access"));
    peer.send(controlFrame({ kind: "token", token: "mallory" }));
    expect((await peer.closed).code).toBe(4403);
  });

  it("refuses a room that cannot be, and one in which nothing is granted", () => {
    const hub = createHub();
    const socket: HubSocket = { bufferedAmount: 0, send() {}, close() {} };
    expect(() => hub.accept(socket, { room: "", identity: null })).toThrow(/no name for a room/);
    expect(() => hub.accept(socket, { room: "doc", identity: { userId: "alice", rooms: {} } })).toThrow(/granted/);
    expect(() => createHub({ ping: 1 } as HubOptions)).toThrow(/there is no option "ping"/);
    expect(hub.metrics().connections).toBe(0);
  });

  it("tells sinks of events", async () => {
    const sink = new MemoryEventSink();
    const { url } = await serve({ sinks: [sink] });
    const alice = ownClient(url, "alice");
    alice.join("doc");
    await until("it is told", () => sink.events.some(({ type, roomId }) => type === "join" && roomId === "doc"));
    expect(new Set(sink.events.map(({ id }) => id)).size).toBe(sink.events.length);
  });
});

/** One end of a socket that leads to nothing: what was sent over it, and how it was closed. */
function fakeSocket(protocol = "") {
  const sent: Uint8Array[] = [];
  const closed: number[] = [];
  const pings: number[] = [];
  const socket: HubSocket = {
    protocol,
    bufferedAmount: 0,
    send: (message) => void sent.push(message.slice()),
    ping: () => void pings.push(1),
    close: (code) => void closed.push(code),
  };
  return { socket, sent, closed, pings };
}

/** Channels by one letter before each message; a closed one is a message of the letter in capitals. */
const byLetter: Addressing = {
  split(message) {
    const [letter] = message;
    if (letter === undefined) throw new FrameError("empty message");
    return { channel: String.fromCharCode(letter), frame: message.subarray(1) };
  },
  prefixOf: (channel) => Uint8Array.of(channel.charCodeAt(0)),
  closed: (channel, code) => Uint8Array.of(channel.toUpperCase().charCodeAt(0), code >> 8, code & 255),
};

const letter = (name: string, frame: Uint8Array): Uint8Array => Uint8Array.from([name.charCodeAt(0), ...frame]);

describe("one socket with several rooms", () => {
  function link() {
    const hub = createHub({ tick: 0, lobbyTick: 0, leaveGrace: 0 });
    onTestFinished(() => hub.close());
    const fake = fakeSocket();
    const opened = hub.connect(fake.socket, { address: "10.0.0.1", addressing: byLetter });
    const heard = (name: string): string[] =>
      fake.sent
        .filter(([first]) => first === name.charCodeAt(0))
        .map((message) => decodeFrame(message.subarray(1)).type);
    return { hub, ...fake, link: opened, heard };
  }

  it("is a member of each, and messages go to the room that they are of", async () => {
    const { hub, link: both, heard } = link();
    both.open("a", { room: "atrium", identity: null });
    both.open("b", { room: "bureau", identity: null });
    both.message(letter("a", statesUpdateFrame([{ id: 1, clock: 1, state: null }])));
    both.message(letter("b", syncStep1Frame(EMPTY_STATE_VECTOR)));
    expect(hub.rooms().map(({ name, connections }) => [name, connections])).toEqual([
      ["atrium", 1],
      ["bureau", 1],
    ]);
    // on a busy machine the messages wait for the next turn
    await until("b is answered", () => heard("b").length === 2);
    expect(heard("a")).toEqual(["syncStep1"]);
    expect(heard("b")).toEqual(["syncStep1", "syncStep2"]);
  });

  it("goes on when one of its channels is closed, by itself or by the hub", async () => {
    const { hub, link: both, sent, closed } = link();
    both.open("a", { room: "atrium", identity: null });
    both.open("b", { room: "bureau", identity: null });
    both.message(letter("a", Uint8Array.of(77)));
    await until("a is closed", () => hub.rooms().length === 1);
    expect([...(sent.at(-1) ?? [])]).toEqual([65, 4400 >> 8, 4400 & 255]);
    expect(hub.rooms().map(({ name }) => name)).toEqual(["bureau"]);
    // what was on its way meanwhile harms nobody
    both.message(letter("a", Uint8Array.of(77)));
    expect(closed).toEqual([]);
    both.close("b");
    expect(hub.rooms()).toEqual([]);
    both.open("a", { room: "atrium", identity: null });
    expect(hub.rooms().map(({ name }) => name)).toEqual(["atrium"]);
    both.closed(1006);
    expect([hub.rooms(), hub.metrics().connections]).toEqual([[], 0]);
  });

  it("is closed as a whole for a message that is of no channel in any form", () => {
    const { link: both, closed } = link();
    both.open("a", { room: "atrium", identity: null });
    both.message(new Uint8Array());
    expect(closed).toEqual([4400]);
  });
});

describe("a hub that carries presence alone", () => {
  const said = (channel: HubChannel, id: number, clock: number, state: unknown): void =>
    channel.message(
      statesUpdateFrame([
        { id, clock, state: state === null ? null : new TextEncoder().encode(JSON.stringify(state)) },
      ]),
    );

  it("has no documents, and answers as if there were none", async () => {
    const hub = createHub({ documents: "none", tick: 0 });
    onTestFinished(() => hub.close());
    const { socket, sent } = fakeSocket();
    const channel = hub.accept(socket, { room: "doc", identity: null });
    expect(sent).toEqual([]);
    channel.message(syncStep1Frame(EMPTY_STATE_VECTOR));
    const doc = new Y.Doc();
    doc.getText("t").insert(0, "text");
    channel.message(updateFrame(Y.encodeStateAsUpdate(doc)));
    // a busy process acts on messages in a later turn [COST-8]
    await until("it has answered", () => sent.length > 0);
    expect(sent.map((message) => decodeFrame(message).type)).toEqual(["syncStep2"]);
    expect(hub.room("doc")?.hasDocument).toBe(false);
  });

  it.each([
    ["never", "bob carol"],
    ["always", "bob"],
  ] as const)("takes what a client says of others for what it is, where it echoes %s", async (echoing, here) => {
    const hub = createHub({ documents: "none", tick: 0, leaveGrace: 0 });
    onTestFinished(() => hub.close());
    const [alices, bobs] = [fakeSocket(), fakeSocket()];
    const alice = hub.accept(alices.socket, { room: "doc", identity: null });
    const bob = hub.accept(bobs.socket, { room: "doc", identity: null, echoing });
    said(alice, 1, 5, stateOf("carol", "s_1"));
    alice.closed(1000);
    // he has heard of her, and says so after she has left: or else he means to be her now
    said(bob, 1, 5, stateOf("carol", "s_1"));
    said(bob, 2, 1, stateOf("bob", "s_2"));
    await until("he is here", () => hub.users().some(({ id }) => id === "bob"));
    const ids = hub.users().map(({ id }) => id);
    expect(ids.toSorted().join(" ")).toBe(here);
  });

  it("knows by the map of close codes who may come back", async () => {
    const hub = createHub({ documents: "none", leaveGrace: 60_000, closeCodes: { 4205: 1006, 4000: 1000 } });
    onTestFinished(() => hub.close());
    const [alices, bobs] = [fakeSocket(SUBPROTOCOL), fakeSocket(SUBPROTOCOL)];
    const alice = hub.accept(alices.socket, { room: "doc", identity: null });
    const bob = hub.accept(bobs.socket, { room: "doc", identity: null });
    said(alice, 1, 1, stateOf("alice", "s_1"));
    said(bob, 2, 1, stateOf("bob", "s_2"));
    await until("both are here", () => hub.users().length === 2);
    alice.closed(4205);
    bob.closed(4000);
    await until("he has left, and she may return", () => hub.users().length === 1);
    expect(hub.users()[0]).toMatchObject({ id: "alice", reconnecting: true });
  });
});

it("asks a socket for signs of life, and gives it up without", async () => {
  const hub = createHub({ pingInterval: 40, pingTimeout: 40, leaveGrace: 0 });
  onTestFinished(() => hub.close());
  const [living, dead] = [fakeSocket(), fakeSocket()];
  const alive = hub.accept(
    { ...living.socket, ping: () => queueMicrotask(() => alive.alive()) },
    { room: "doc", identity: null },
  );
  hub.accept(dead.socket, { room: "doc", identity: null });
  await until("the dead one is given up", () => dead.closed.length > 0);
  expect(dead.closed[0]).toBe(4504);
  expect(dead.pings.length).toBeGreaterThan(0);
  expect(living.closed).toEqual([]);
});

it("[API-18] answers the HTTP API, for the server that it is in", async () => {
  const hub = createHub({ apiKey: ["key"] });
  const alice = hub.accept(fakeSocket(SUBPROTOCOL).socket, { room: "doc", identity: null });
  alice.message(statesFrame([1, 1, stateOf("alice", "s_1")]));
  const get = (path: string, key: string): Promise<Response> =>
    hub.api(new Request(`https://app.example/presence/api/v1${path}`, { headers: { authorization: `Bearer ${key}` } }));
  expect((await get("/users", "other")).status).toBe(401);
  const room = (await (await get("/rooms/doc", "key")).json()) as { users: readonly { id: string }[] };
  expect(room.users).toMatchObject([{ id: "alice" }]);
  await hub.close();
  expect((await get("/users", "key")).status).toBe(503);
});
