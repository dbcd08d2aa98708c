/** What the client tells the application, and what the application does to it. */
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import * as Y from "yjs";
import { createPresence } from "../../src/client/index.ts";
import {
  EMPTY_UPDATE,
  KEEP_ALIVE_FRAME,
  LINK_CHANNEL,
  controlFrame,
  decodeEntries,
  encodeStates,
  envelope,
  fieldsOf,
  syncStep1Frame,
  text,
} from "../../src/wire/index.ts";
import { ownClient, pause, startRelay, until } from "../support.ts";
import { greeter } from "./greeting.ts";

const timing = { backoffMs: 20, maxBackoffMs: 100 };
/** What the console was told. */
const said: string[] = [];
beforeEach(() => {
  said.length = 0;
  for (const level of ["warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((...words) => void said.push(words.join(" ")));
  }
  onTestFinished(() => void vi.restoreAllMocks());
});

describe("[CLIENT-1] an application that throws", () => {
  it("keeps nothing from being finished, wherever it listens", async () => {
    const { url } = await startRelay({ tick: 0, lobbyTick: 0 });
    const alice = ownClient(url, "alice").join("doc");
    alice.doc.getText().insert(0, "hello");
    alice.awareness.setLocalStateField("cursor", 1);
    await until("she is in", () => alice.provider.synced);

    const bob = ownClient(url, "bob");
    const doc = new Y.Doc();
    const fail = (): never => {
      throw new Error("binding");
    };
    doc.getText().observe(fail);
    const room = bob.join("doc", { doc });
    const heard: string[] = [];
    for (const type of ["change", "update"] as const) {
      room.awareness.on(type, fail);
      room.awareness.on(type, () => heard.push(`awareness ${type}`));
    }
    for (const type of ["status", "synced", "sync"] as const) {
      room.provider.on(type, fail);
      room.provider.on(type, () => heard.push(type));
    }
    for (const type of ["synced", "status", "join", "update"] as const) {
      room.roster.on(type, fail);
      room.roster.on(type, () => heard.push(`roster ${type}`));
    }
    room.subscribe(fail);
    room.roster.subscribe(fail);
    bob.subscribe(fail);
    bob.lobby.subscribe(fail);
    await until("he is in", () => room.provider.synced && room.roster.status === "live");
    expect([doc.getText().toJSON(), room.roster.get("alice")?.name]).toEqual(["hello", "Alice"]);
    expect(heard).toEqual(expect.arrayContaining(["awareness change", "synced", "sync", "roster synced"]));
    const carol = ownClient(url, "carol").join("doc");
    await until("who comes later is seen", () => room.roster.get("carol") !== undefined);
    // his own listeners fail when he says something, too
    room.awareness.setLocalStateField("cursor", 2);
    await until("others hear of it", () => carol.awareness.states.get(room.awareness.clientID)?.["cursor"] === 2);
    expect(heard).toContain("roster join");
    expect(new Set(said)).toEqual(new Set(["Error: binding"]));
  });
});

describe("[CLIENT-1] a document whose listener throws", () => {
  it.each([
    "update",
    "beforeTransaction",
    "beforeAllTransactions",
    "beforeObserverCalls",
    "afterTransaction",
    "afterTransactionCleanup",
    "afterAllTransactions",
  ] as const)("for %s goes on to be shared, both ways", async (type) => {
    const { url } = await startRelay({ tick: 0, lobbyTick: 0 });
    const [alice, bob] = [ownClient(url, "alice").join("doc"), ownClient(url, "bob").join("doc")];
    await until("both are in", () => alice.provider.synced && bob.provider.synced);
    const [hers, his] = [alice.doc.getText(), bob.doc.getText()];
    bob.doc.on(type, (): never => {
      throw new Error("binding");
    });
    let heard = 0;
    bob.doc.on(type, () => heard++);
    for (const [i, written] of [hers, his, hers, his, his].entries()) written.insert(0, String(i));
    await until("both have all of it", () => hers.length === 5 && his.toJSON() === hers.toJSON());
    expect(heard).toBeGreaterThan(2);
    expect(new Set(said)).toEqual(new Set(["Error: binding"]));
  });
});

describe("[CLIENT-5] a client id that is somebody else's", () => {
  it("is given up for another, and whose it is is seen", async () => {
    const relay = await greeter(() => ({}));
    const doc = new Y.Doc();
    doc.clientID = 42;
    const room = ownClient(relay.url, "bob", { timing }).join("doc", { doc });
    const frames = (): readonly { readonly type: string }[] =>
      relay.heard.filter(({ path }) => path === "/doc").map(({ frame }) => frame);
    await until("he says his state", () => frames().some(({ type }) => type === "awareness"));
    const socket = relay.sockets.find(({ path }) => path === "/doc")!.socket;
    const alice = { user: { id: "alice" } };
    socket.send(encodeStates((writer) => void writer.whole(0, 42, fieldsOf(alice)))!);
    await until("she is not seen under his id", () => room.roster.status === "live");
    expect(room.roster.get("alice")).toBeUndefined();
    relay.heard.length = 0;
    socket.send(controlFrame({ kind: "taken", clientId: 42 }));
    await until("she is seen", () => room.roster.get("alice") !== undefined);
    await until("he says his state anew", () => frames().some(({ type }) => type === "awareness"));
    expect(doc.clientID).not.toBe(42);
    expect(room.awareness.clientID).toBe(doc.clientID);
    expect(room.awareness.getLocalState()?.["user"]).toMatchObject({ id: "bob", name: "Bob" });
    expect(new Set(room.awareness.states.keys())).toEqual(new Set([42, doc.clientID]));
    // what is hers is not taken back
    const ids = relay.heard.flatMap(({ frame, path }) =>
      path === "/doc" && frame.type === "awareness"
        ? decodeEntries(frame.payload, { maxStateBytes: 1e6, maxEntries: 9 }).map(({ id }) => id)
        : [],
    );
    expect(new Set(ids)).toEqual(new Set([doc.clientID]));
  });
});

describe("[CLIENT-3] [CLIENT-2] a relay that says what it takes", () => {
  it("is not sent more, and the application that set it hears of it", async () => {
    const relay = await greeter(() => ({ maxState: 1_000, maxMeta: 100 }));
    const room = ownClient(relay.url, "alice", { timing }).join("doc");
    const errors: string[] = [];
    room.roster.on("error", (error) => errors.push((error as Error).message));
    await until("she is in", () => room.roster.status === "live" && room.provider.synced);
    expect(() => room.setMeta({ m: "x".repeat(100) })).toThrow(RangeError);
    expect(() => room.setMeta({ m: 1n as never })).toThrow(TypeError);
    room.awareness.setLocalStateField("selected", "x".repeat(1_000));
    room.awareness.setLocalStateField("cursor", 7);
    await until("she is told", () => errors.length === 1);
    expect(errors[0]).toMatch(/"selected" of the state in doc is not sent, .* the relay takes 1000/);
    expect([room.provider.wsconnected, said.length]).toEqual([true, 1]);
  });
});

describe("[CLIENT-7] what is wrong", () => {
  const servers: readonly (readonly [string, () => Promise<string>, RegExp])[] = [
    [
      "nobody listens there",
      async () => {
        const server = createTcpServer().listen(0, "127.0.0.1");
        await once(server, "listening");
        const { port } = server.address() as AddressInfo;
        server.close();
        return `ws://127.0.0.1:${port}`;
      },
      /no connection to ws:\/\/127\.0\.0\.1:\d+ \(1006: .*ECONNREFUSED/,
    ],
    [
      "an HTTP server that is no relay",
      async () => {
        const server = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
        onTestFinished(() => void server.close());
        server.on("upgrade", (_, socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
        await once(server, "listening");
        return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
      },
      /no connection to .*Unexpected server response: 200/,
    ],
    [
      "a relay that is full",
      async () => {
        const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
        onTestFinished(() => server.close());
        server.on("connection", (socket) => {
          // a client that is destroyed while it connects resets the connection
          socket.on("error", () => {});
          socket.send(envelope(LINK_CHANNEL, KEEP_ALIVE_FRAME));
          socket.close(4503, "too many connections from one address");
        });
        await once(server, "listening");
        return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
      },
      /closed the connection \(4503: too many connections from one address\)/,
    ],
    [
      "a stock server",
      async () => {
        const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
        onTestFinished(() => {
          for (const client of server.clients) client.terminate();
          server.close();
        });
        server.on("connection", (socket) => socket.send(syncStep1Frame(EMPTY_UPDATE.subarray(0, 1))));
        await once(server, "listening");
        return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
      },
      /is no copresence relay/,
    ],
  ];
  it.each(servers)("[CLIENT-12] is told once, in the roster and the console: %s", async (_what, start, words) => {
    const url = await start();
    const alice = ownClient(url, "alice", { timing });
    const room = alice.join("doc");
    const errors: string[] = [];
    const atLobby: string[] = [];
    room.roster.on("error", (error) => errors.push((error as Error).message));
    alice.lobby.on("error", (error) => atLobby.push((error as Error).message));
    await until("both are told", () => errors.length > 0 && atLobby.length > 0, 8_000);
    await pause(300);
    expect([errors, atLobby]).toEqual([[expect.stringMatching(words)], [expect.stringMatching(words)]]);
    expect(said).toEqual([expect.stringMatching(words)]);
    expect(room.roster.status).toBe("connecting");
  });

  it("[CLIENT-13] is not the address where a relay has greeted before: she is told, also in a room that she opens now, that it is away", async () => {
    const { relay, url } = await startRelay({ tick: 0 });
    const alice = ownClient(url, "alice", { timing });
    const room = alice.join("doc");
    await until("she is in", () => room.roster.status === "live" && alice.lobby.status === "live");
    await relay.close();
    await until("she is cut off", () => room.roster.status === "stale");
    const next = alice.join("another doc");
    const errors: string[] = [];
    for (const { roster } of [room, next]) roster.on("error", (error) => errors.push((error as Error).message));
    await until("she is told in both", () => errors.length === 2, 8_000);
    const words =
      /^copresence: no connection to ws:\/\/127\.0\.0\.1:\d+ \(1006: .*ECONNREFUSED.*\): the relay is away, or/;
    expect(errors).toEqual([expect.stringMatching(words), expect.stringMatching(words)]);
    expect(said).toEqual([expect.stringMatching(words)]);
  });

  it("is nothing unusual when a connection drops", async () => {
    const { relay, url, port } = await startRelay({ tick: 0 });
    const room = ownClient(url, "alice", { timing }).join("doc");
    await until("she is in", () => room.roster.status === "live");
    await relay.close();
    await until("she is cut off", () => room.roster.status === "stale");
    await startRelay({ tick: 0 }, port);
    await until("she is back", () => room.roster.status === "live");
    expect(said).toEqual([]);
  });
});

describe("an address", () => {
  it.each(["?tenant=1", "/?tenant=1", "/presence?tenant=1", "#x"])(
    "[CLIENT-8] with %s is refused where it is given",
    (suffix) => {
      const options = { user: { id: "alice" }, WebSocket };
      expect(() => createPresence(`ws://localhost:1${suffix}`, options)).toThrow(TypeError);
    },
  );

  it.each([undefined, "", null])("[CLIENT-8] that is %j is refused in words", (url) => {
    const create = createPresence as (url: unknown, options: { user: { id: string } }) => unknown;
    expect(() => create(url, { user: { id: "alice" } })).toThrow(/the url is ".*", not ws:\/\/HOST:PORT/);
  });

  it("[CLIENT-10] that the relay refuses is refused for good, in all rooms, until somebody connects again", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    onTestFinished(() => server.close());
    let connections = 0;
    server.on("connection", (socket) => {
      connections++;
      socket.close(4403, "not from here");
    });
    await once(server, "listening");
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const alice = ownClient(url, "alice", { timing });
    const room = alice.join("doc");
    const told: string[] = [];
    alice.subscribe(() => told.push(`${alice.refusal?.code}`));
    await until("both are refused", () => room.roster.status === "refused" && alice.lobby.status === "refused");
    expect(alice.lobby.refusal).toEqual({ code: 4403, reason: "not from here" });
    expect(room.roster.getSnapshot().refusal).toEqual(alice.lobby.refusal);
    expect([alice.refusal, told]).toEqual([alice.lobby.refusal, ["4403"]]);
    await pause(200);
    expect([connections, alice.connection.status]).toEqual([1, "closed"]);
    // told to, it tries again
    room.provider.connect();
    expect([room.roster.status, room.roster.refusal]).toEqual(["connecting", null]);
    await until("it is refused again", () => room.roster.status === "refused");
  });
});

describe("[CLIENT-11] [CLIENT-14] [CLIENT-15] what the relay grants", () => {
  it("is told to the application, as it changes", async () => {
    let grants: ("observe" | "presence" | "read" | "write")[] = ["observe", "presence", "read"];
    const relay = await greeter((path) => (path === "/doc" ? { grants } : { grants: ["presence"] }));
    const alice = ownClient(relay.url, "alice", { timing });
    const room = alice.join("doc");
    const seen: unknown[] = [[room.canWrite, room.grants]];
    room.subscribe(() => seen.push([room.canWrite, room.grants]));
    await until("it is known", () => seen.length === 2);
    await until("the lobby, which she may not observe, is live", () => alice.lobby.status === "live");
    expect(alice.lobby.users.map(({ id }) => id)).toEqual(["alice"]);
    grants = ["observe", "presence", "read", "write"];
    relay.sockets.find(({ path }) => path === "/doc")?.socket.close(1012);
    await until("she may write", () => seen.length === 3);
    expect(seen).toEqual([
      [true, null],
      [false, ["observe", "presence", "read"]],
      [true, ["observe", "presence", "read", "write"]],
    ]);
  });
});

describe("[SYNC-3] a client whose date is wrong", () => {
  it.each([3 * 86_400_000, -6 * 365 * 86_400_000])("by %i ms dates what it says by the relay's clock", async (skew) => {
    const { now } = Date;
    const relay = await greeter(() => ({ now: now() }));
    const spy = vi.spyOn(Date, "now").mockImplementation(() => now() + skew);
    const alice = ownClient(relay.url, "alice", { timing });
    alice.setStatus("invisible");
    spy.mockRestore();
    const start = now();
    await until("it is said", () => relay.heard.some(({ frame }) => frame.type === "awareness"));
    const frame = relay.heard.map((each) => each.frame).find(({ type }) => type === "awareness");
    if (frame?.type !== "awareness") throw new Error("no awareness");
    const [entry] = decodeEntries(frame.payload, { maxStateBytes: 1e6, maxEntries: 9 });
    const state = JSON.parse(text(entry!.state!)) as { copresence: { since: number; manual: { at: number } } };
    for (const at of [state.copresence.since, state.copresence.manual.at]) {
      expect(at).toBeLessThanOrEqual(now());
      expect(Math.abs(at - start)).toBeLessThan(5_000);
    }
    expect(alice.status.manual).toBe("invisible");
  });
});
