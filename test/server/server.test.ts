/** The caller of the HTTP API for backends, against a real relay. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
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
