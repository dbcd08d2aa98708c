/** Documents of rooms over HTTP. */
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { MemoryDocumentStore } from "../../../src/relay/index.ts";
import { stockClient, until } from "../../support.ts";
import { SECRET, tokenFor } from "../tokens.ts";
import { startCalledRelay } from "./caller.ts";
import { hosts, untilIn } from "./hosts.ts";

const PATH = "/rooms/doc-1/document";

function updateWith(text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText("text").insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

function textIn(update: Uint8Array): string {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  return doc.getText("text").toString();
}

/** A store that remembers what it was to delete. */
class DeletingStore extends MemoryDocumentStore {
  readonly deleted: string[] = [];

  override delete(room: string): Promise<boolean> {
    this.deleted.push(room);
    return super.delete(room);
  }
}

describe.each(hosts)("documents by %s [API-37]", (_host, start) => {
  it("[API-20] [API-21] are read and written, while somebody is in the room and while nobody is", async () => {
    const { dial, api } = await start();
    expect((await api.get(PATH)).body.error.code).toBe("no_document");
    expect((await api.get("/rooms")).body.rooms).toEqual([]);
    expect((await api.put(PATH, updateWith("hello "))).status).toBe(204);
    expect(textIn((await api.get(PATH)).bytes)).toBe("hello ");
    const alice = stockClient(dial(), "doc-1");
    await until("she has it", () => alice.doc.getText("text").toString() === "hello ");
    const change = updateWith("world");
    expect((await api.put(PATH, change)).status).toBe(204);
    expect((await api.put(PATH, change)).status).toBe(204);
    await until("she has that at once", () => alice.doc.getText("text").toString().includes("world"));
    expect(alice.doc.getText("text").toString()).toHaveLength(11);
    alice.doc.getText("text").insert(0, "> ");
    await until("the backend has hers", async () => textIn((await api.get(PATH)).bytes).startsWith("> "));
    expect(alice.wsconnected).toBe(true);
  });

  it("[API-21] what is no update is refused whole, and harms nobody", async () => {
    const { dial, api } = await start({ maxMessage: 10_000 });
    const alice = stockClient(dial(), "doc-1");
    alice.doc.getText("text").insert(0, "hers");
    await until("it is there", async () => (await api.get(PATH)).status === 200);
    for (const bad of [new Uint8Array(), new Uint8Array([1, 2, 3]), updateWith("x").subarray(0, 5)]) {
      expect((await api.put(PATH, bad)).status).toBe(400);
    }
    expect((await api.put(PATH, new Uint8Array(20_000))).status).toBe(413);
    expect((await api.put("/rooms/%40lobby/document", updateWith("x"))).status).toBe(400);
    expect(textIn((await api.get(PATH)).bytes)).toBe("hers");
    expect(alice.wsconnected).toBe(true);
  });

  it("[API-3] [API-10] [API-22] take a key that grants them", async () => {
    const { api } = await start({ jwtSecret: SECRET });
    await api.put(PATH, updateWith("text"));
    const key = async (claim: unknown) => api.with(await tokenFor({ sub: "backend", api: claim }));
    const read = await key("read");
    expect((await read.get(PATH)).status).toBe(200);
    expect((await read.put(PATH, updateWith("x"))).status).toBe(403);
    const write = await key("write");
    expect((await write.put(PATH, updateWith("x"))).status).toBe(204);
    expect((await write.delete(PATH)).status).toBe(403);
    expect((await (await key({ access: "admin", lobby: "acme" })).get(PATH)).status).toBe(403);
    expect((await (await key({ access: "read", lobby: "acme", rooms: ["doc-*"] })).get(PATH)).status).toBe(200);
    expect((await (await key({ access: "read", rooms: ["other"] })).get(PATH)).status).toBe(403);
    // not before what was written is stored
    await until("it is deleted", async () => (await api.delete(PATH)).status === 204);
  });

  it("[API-22] are deleted where nobody is in the room", async () => {
    const { dial, api } = await start();
    const alice = stockClient(dial(), "doc-1", { user: { id: "alice" } });
    alice.doc.getText("text").insert(0, "hers");
    await until("it is there", async () => (await api.get(PATH)).status === 200);
    await untilIn(api, "doc-1", ["alice"]);
    expect((await api.delete(PATH)).body.error.code).toBe("in_use");
    alice.destroy();
    await until("nobody is there", async () => (await api.delete(PATH)).status !== 409);
    await until("it is gone", async () => (await api.get(PATH)).status === 404);
    const bob = stockClient(dial(), "doc-1");
    await until("Bob is told what there is", () => bob.synced);
    expect(bob.doc.getText("text").toString()).toBe("");
  });
});

describe("documents", () => {
  it("[API-22] are deleted where nobody is in the room, from the store too", async () => {
    const store = new DeletingStore();
    const { url, api } = await startCalledRelay({ store });
    const alice = stockClient(url, "doc-1");
    alice.doc.getText("text").insert(0, "hers");
    await until("it is there", async () => (await api.get(PATH)).status === 200);
    expect((await api.delete(PATH)).body.error.code).toBe("in_use");
    alice.destroy();
    await until("it can be deleted once she is gone", async () => (await api.delete(PATH)).status === 204);
    expect(store.deleted).toEqual(["doc-1"]);
    expect((await api.get(PATH)).status).toBe(404);
    await api.put(PATH, updateWith("anew"));
    expect(textIn((await api.get(PATH)).bytes)).toBe("anew");
    const bob = stockClient(url, "doc-1");
    await until("Bob has the new one", () => bob.doc.getText("text").toString() === "anew");
  });

  it("[API-20] [API-22] come from the store and go there; one that cannot delete says so", async () => {
    const store = new MemoryDocumentStore();
    Object.defineProperty(store, "delete", { value: undefined });
    await store.append("doc-1", [updateWith("stored")]);
    const { api } = await startCalledRelay({ store });
    expect(textIn((await api.get(PATH)).bytes)).toBe("stored");
    await api.put("/rooms/doc-2/document", updateWith("new"));
    await until("it is stored", async () => (await store.load("doc-2", new AbortController().signal)) !== null);
    expect((await api.delete(PATH)).status).toBe(501);
  });
});
