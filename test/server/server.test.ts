/** The caller of the HTTP API for backends, against a real relay. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import * as Y from "yjs";
import { type ServerEvent, ServerError, createServerClient } from "../../src/server/index.ts";
import { ownClient, startRelay, until } from "../support.ts";

const KEY = "a-key-for-tests-alone";

async function start() {
  const { relay, url, port } = await startRelay({ apiKey: KEY, tick: 0, lobbyTick: 0 });
  return { relay, url, port, server: createServerClient({ url, key: KEY }) };
}

describe("a backend", () => {
  it("[API-35] asks who is here: one, some, all, and how many", async () => {
    const { relay, url, server } = await start();
    ownClient(url, "alice").join("team/a b");
    ownClient(url, "bob");
    await until("both are there", () => relay.users().length === 2 && relay.room("team/a b")?.users.length === 1);
    expect((await server.users()).items.map(({ id }) => id)).toEqual(["alice", "bob"]);
    const first = await server.users({ limit: 1, status: ["online"] });
    expect(first.items).toMatchObject([{ id: "alice" }]);
    expect((await server.users({ limit: 1, cursor: first.cursor })).items).toMatchObject([{ id: "bob" }]);
    expect(await server.user("alice")).toMatchObject({ name: "Alice", rooms: ["team/a b"] });
    expect(await server.user("nobody")).toBeNull();
    expect((await server.rooms({ prefix: "team/" })).items).toMatchObject([{ name: "team/a b", counts: { users: 1 } }]);
    expect(await server.room("team/a b")).toMatchObject({ users: [{ id: "alice" }] });
    expect(await server.room("team/a b", { people: false })).not.toHaveProperty("users");
    expect(await server.batch.users(["bob", "nobody"])).toMatchObject([{ status: "online" }, { lastSeen: null }]);
    expect(await server.batch.rooms(["x", "team/a b"])).toMatchObject([
      { counts: { users: 0 } },
      { counts: { users: 1 } },
    ]);
  });

  it("[API-35] acts: sets members, writes documents, throws users out", async () => {
    const { relay, url, server } = await start();
    const alice = ownClient(url, "alice", { token: async () => "" });
    alice.join("doc-1");
    await until("she is there", () => relay.room("doc-1")?.users.length === 1);
    const set = await server.setMember("doc-1", "s/1", { user: { id: "robot" }, ttlMs: 30_000, onBehalfOf: "alice" });
    expect(set).toMatchObject({ room: "doc-1", session: "s/1" });
    expect(relay.user("robot") ?? relay.room("doc-1")?.users.find(({ id }) => id === "robot")).toBeDefined();
    expect(await server.removeMember("doc-1", "s/1")).toBe(true);
    expect(await server.removeMember("doc-1", "s/1")).toBe(false);
    const doc = new Y.Doc();
    doc.getText("text").insert(0, "hello");
    expect(await server.document.get("doc-2")).toBeNull();
    await server.document.put("doc-2", Y.encodeStateAsUpdate(doc));
    const copy = new Y.Doc();
    Y.applyUpdate(copy, (await server.document.get("doc-2"))!);
    expect(copy.getText("text").toString()).toBe("hello");
    expect(await server.document.delete("doc-2")).toBe(true);
    expect(await server.document.delete("doc-2")).toBe(false);
    const heard: unknown[] = [];
    alice.join("doc-1").on("message", ({ type, payload, from }) => heard.push([type, payload, from]));
    expect(await server.broadcast("doc-1", "look", { at: "§4" })).toEqual({ connections: 1 });
    await until("she hears it", () => heard.length === 1);
    expect(heard).toEqual([["look", { at: "§4" }, null]]);
    await expect(server.broadcast("doc-1", "")).rejects.toMatchObject({ status: 400, code: "invalid" });
    expect(await server.refresh("alice")).toEqual({ connections: 0 });
    expect(await server.disconnect("alice", { forMs: 60_000, reason: "out" })).toMatchObject({ connections: 2 });
    await until("she is told", () => alice.refusal?.reason === "out");
  });

  it("[API-35] is told in an error what is wrong", async () => {
    const { url, server } = await start();
    const failure = await createServerClient({ url, key: "wrong" })
      .users()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ServerError);
    expect(failure).toMatchObject({ status: 401, code: "bad_key", retryAfterMs: null });
    await expect(server.users({ limit: 0 })).rejects.toMatchObject({ status: 400, code: "invalid" });
    expect(() => createServerClient({ url, key: undefined })).toThrow("there is no key");
    expect(() => createServerClient({ url: "localhost", key: KEY })).toThrow("not http://HOST:PORT");
    const other = createServer((_request, response) => void response.writeHead(502).end("<html>"));
    onTestFinished(() => void other.close());
    await new Promise<void>((resolve) => void other.listen(0, "127.0.0.1", resolve));
    const elsewhere = createServerClient({
      url: `http://127.0.0.1:${(other.address() as AddressInfo).port}`,
      key: KEY,
    });
    await expect(elsewhere.users()).rejects.toMatchObject({ status: 502, code: "not_the_api" });
    const wrong = createServerClient({ url, key: "wrong" }).events();
    await expect(wrong[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "bad_key" });
  });
});

it("[API-36] a backend listens on through a restart of the relay, and its loop ends with its signal", async () => {
  const { relay, url, port, server } = await start();
  const abort = new AbortController();
  const heard: ServerEvent[] = [];
  const loop = (async () => {
    for await (const event of server.events({ room: "doc-1", signal: abort.signal })) heard.push(event);
  })();
  const said = (): string[] =>
    heard.map((event) => (event.type === "reset" ? "reset" : `${event.type} ${event.userId}`));
  await until("it listens", () => heard.length === 1);
  const alice = ownClient(url, "alice");
  alice.join("doc-1");
  await until("it hears of her", () => said().includes("join alice"));
  await relay.close();
  const again = await startRelay({ apiKey: KEY, tick: 0 }, port);
  await until("it is told anew how things are", () => said().filter((each) => each === "reset").length === 2, 15_000);
  await until("she is back", () => again.relay.room("doc-1")?.users.length === 1, 15_000);
  alice.destroy();
  await until("it hears that she left", () => said().at(-1) === "leave alice", 15_000);
  abort.abort();
  await loop;
  const once = server.events({ room: "doc-1" });
  for await (const event of once) {
    expect(event.type).toBe("reset");
    break;
  }
});

describe("what no request can ask for", () => {
  it.each([
    ["localhost:1234", "not http://HOST:PORT"],
    ["ftp://localhost", "not http://HOST:PORT"],
    ["http://localhost/?room=x", "not http://HOST:PORT"],
    ["http://me:secret@localhost", "not http://HOST:PORT"],
  ])("[API-35] the address %s is refused", (url, message) => {
    expect(() => createServerClient({ url, key: KEY })).toThrow(message);
  });

  it("[API-35] a key that no header can carry is refused, and the line end of a file is none of it", async () => {
    const { url } = await start();
    expect(() => createServerClient({ url, key: "two words" })).toThrow("a key has no spaces");
    expect(() => createServerClient({ url, key: "schlüssel" })).toThrow("a key has no spaces");
    expect((await createServerClient({ url, key: `${KEY}\n` }).users()).items).toEqual([]);
  });

  it("[API-35] nobody is found among no ids, and an id with a comma is not taken for two", async () => {
    const { server } = await start();
    await server.setMember("doc", "m1", { user: { id: "a,b" }, ttlMs: 60_000 });
    await server.setMember("doc", "m2", { user: { id: "a" }, ttlMs: 60_000 });
    expect(await server.users({ ids: [] })).toEqual({ items: [], cursor: null });
    expect(await server.users({ status: [] })).toEqual({ items: [], cursor: null });
    await expect(server.users({ ids: ["a,b"] })).rejects.toThrow("batch.users");
    expect(await server.batch.users(["a,b"])).toMatchObject([{ id: "a,b", status: "online" }]);
    expect(await server.user("a,b")).toMatchObject({ id: "a,b" });
  });

  it("[API-41] metadata and payloads that JSON cannot hold are refused with the path, before anything is sent", async () => {
    const { server, relay } = await start();
    const meta = { seen: new Date(0) } as never;
    const member = { user: { id: "bot" }, ttlMs: 60_000, meta };
    await expect(server.setMember("doc", "m1", member)).rejects.toThrow("JSON cannot hold meta.seen");
    const payload = { tags: new Set() } as never;
    await expect(server.broadcast("doc", "wave", payload)).rejects.toThrow("JSON cannot hold payload.tags");
    expect(() => relay.broadcast("doc", "wave", payload)).toThrow("JSON cannot hold payload.tags");
    expect((await server.room("doc")).users).toEqual([]);
  });

  it.each(["", ".", ".."])("[API-35] the name %j leads to no other address", async (name) => {
    const { server } = await start();
    await expect(server.user(name)).rejects.toThrow(RangeError);
    await expect(server.room(name)).rejects.toThrow(RangeError);
    await expect(server.disconnect(name)).rejects.toThrow(RangeError);
    await expect(server.removeMember("doc", name)).rejects.toThrow(RangeError);
    await expect(server.document.delete(name)).rejects.toThrow(RangeError);
  });
});

it.each([
  ["7", 7_000],
  ["Wed, 21 Oct 2015 07:28:00 GMT", 0],
  ["soon", null],
  ["", null],
])("[API-35] a proxy that asks for patience by %j is understood", async (after, expected) => {
  const answer = () => Promise.resolve(new Response("busy", { status: 503, headers: { "retry-after": after } }));
  const server = createServerClient({ url: "http://relay", key: KEY, fetch: answer });
  await expect(server.users()).rejects.toMatchObject({ status: 503, retryAfterMs: expected });
});

it("[API-36] a connection over which nothing comes for 45 s is lost, though nobody says so; one that is acted on is not", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const asked: (string | null)[] = [];
  const silent: typeof fetch = (_input, init) => {
    asked.push(new Headers(init?.headers).get("last-event-id"));
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const id = `e${asked.length}`;
        controller.enqueue(new TextEncoder().encode(`id: ${id}\ndata: {"id":"${id}","type":"reset","places":[]}\n\n`));
        init?.signal?.addEventListener("abort", () => controller.error(new Error("aborted")));
      },
    });
    return Promise.resolve(new Response(body));
  };
  const events = createServerClient({ url: "http://relay", key: KEY, fetch: silent }).events()[Symbol.asyncIterator]();
  expect((await events.next()).value).toMatchObject({ id: "e1" });
  // its caller takes its time
  await vi.advanceTimersByTimeAsync(300_000);
  expect(asked).toEqual([null]);
  const next = events.next();
  await vi.advanceTimersByTimeAsync(46_000);
  expect((await next).value).toMatchObject({ id: "e2" });
  expect(asked).toEqual([null, "e1"]);
  await events.return?.(undefined);
});
