/** What is said of a store, and how large a document may be. */
import { expect, it, vi } from "vitest";
import * as Y from "yjs";
import { StoreHealth } from "../../../../src/relay/documents/stored/health.ts";
import { DamagedDocumentError } from "../../../../src/relay/ports/stores/document-store.ts";
import { MemoryDocumentStore } from "../../../../src/relay/store/memory.ts";
import { updateFrame } from "../../../../src/wire/index.ts";
import { ownClient, startRelay, stockClient, until } from "../../../support.ts";
import { rawPeer } from "../../raw.ts";

const page = async (url: string, path: string): Promise<{ status: number; text: string }> => {
  const response = await fetch(`${url.replace("ws:", "http:")}${path}`);
  return { status: response.status, text: await response.text() };
};

it("[STORE-14] nobody makes a document larger than it may be, and everybody else goes on", async () => {
  const { url } = await startRelay({ maxDocument: 20_000 });
  const [alice, bob] = [stockClient(url, "doc"), stockClient(url, "doc")];
  await until("both are in sync", () => alice.synced && bob.synced);
  alice.doc.getText("t").insert(0, "text ".repeat(3_000));
  await until("he has it", () => bob.doc.getText("t").length === 15_000);
  const mallory = await rawPeer(url, "doc");
  const large = new Y.Doc();
  large.getText("t").insert(0, "x".repeat(10_000));
  mallory.send(updateFrame(Y.encodeStateAsUpdate(large)));
  expect(await mallory.closed).toEqual({ code: 4413, reason: "document is larger than 20000 bytes" });
  // what deletes makes room
  bob.doc.getText("t").delete(0, 10_000);
  await until("it is deleted", () => alice.doc.getText("t").length === 5_000);
  bob.doc.getText("t").insert(0, "y".repeat(10_000));
  await until("there is room again", () => alice.doc.getText("t").length === 15_000);
  expect(bob.wsconnected && alice.wsconnected).toBe(true);
});

it("[STORE-15] a relay whose store fails is not ready, and is again when it is back", async () => {
  const store = new MemoryDocumentStore();
  const { url, relay } = await startRelay({ store, onError: () => {} });
  const alice = stockClient(url, "doc");
  await until("she is in sync", () => alice.synced);
  expect(await page(url, "/readyz")).toEqual({ status: 200, text: "ready\n" });
  const append = vi.spyOn(store, "append").mockRejectedValue(new Error("the disk is full"));
  alice.doc.getText("t").insert(0, "text");
  await until("it is not ready", async () => (await page(url, "/readyz")).status === 503);
  expect((await page(url, "/readyz?now")).text).toBe("the store fails\n");
  expect((await page(url, "/healthz")).status).toBe(200);
  append.mockRestore();
  await until("it is ready again", async () => (await page(url, "/readyz")).status === 200);
  const save = vi.spyOn(store.people, "save").mockRejectedValue(new Error("the disk is full"));
  const bob = ownClient(url, "bob");
  await until("people cannot be stored", () => relay.trouble === "the store fails");
  save.mockRestore();
  await until("they are", () => relay.trouble === null);
  bob.destroy();
  const closing = relay.close();
  expect(relay.trouble).toBe("the relay is stopping");
  await closing;
});

it("[STORE-15] a store that hangs is one that fails", async () => {
  let now = 0;
  const health = new StoreHealth({ now: () => now, wall: () => now }, () => {});
  let answer = (): void => {};
  const asked = health.ask("load", "doc", () => new Promise<void>((resolve) => (answer = resolve)));
  now = 10_000;
  expect(health.isFailing).toBe(false);
  now = 10_001;
  expect(health.isFailing).toBe(true);
  answer();
  await asked;
  await expect(health.ask("load", "b", () => Promise.reject(new DamagedDocumentError("damaged")))).rejects.toThrow(
    "damaged",
  );
  expect(health.isFailing).toBe(false);
  expect(health.load).toEqual({ count: 1, seconds: 10.001 });
});

it("[STORE-16] of a disk that is full the first document is reported, until it is full again", async () => {
  const store = new MemoryDocumentStore();
  const errors: string[] = [];
  const { url } = await startRelay({ store, onError: (error) => errors.push(String(error)) });
  const clients = ["a", "b", "c"].map((room) => stockClient(url, room));
  await until("all are in sync", () => clients.every(({ synced }) => synced));
  for (let round = 1; round <= 2; round++) {
    const append = vi.spyOn(store, "append").mockRejectedValue(new Error("the disk is full"));
    for (const { doc } of clients) doc.getText("t").insert(0, "text");
    await until("each was tried", () => new Set(append.mock.calls.map(([room]) => room)).size === 3);
    append.mockRestore();
    await until("all is stored", async () => (await page(url, "/readyz")).status === 200);
    expect(errors).toHaveLength(round);
  }
  expect(errors[0]).toMatch(/the document of [abc] cannot be stored/);
});

it("[STORE-17] /metrics says what the store holds and does", async () => {
  const store = new MemoryDocumentStore();
  const { url } = await startRelay({ store });
  const alice = stockClient(url, "doc");
  await until("she is in sync", () => alice.synced);
  for (let i = 0; i < 20; i++) alice.doc.getText("t").insert(0, "text ".repeat(1_000));
  const value = (text: string, name: string): number =>
    Number(new RegExp(`^copresence_${name} (.*)$`, "m").exec(text)?.[1]);
  await until(
    "it is compacted",
    async () => value((await page(url, "/metrics")).text, "store_compactions_total") === 1,
  );
  const { text } = await page(url, "/metrics");
  expect(value(text, "store_documents")).toBe(1);
  expect(value(text, "store_snapshot_bytes")).toBeGreaterThan(60_000);
  expect(value(text, "store_log_updates")).toBeLessThan(20);
  expect(value(text, "store_failing")).toBe(0);
  expect(value(text, "store_load_seconds_count")).toBe(1);
  expect(value(text, "store_append_seconds_count")).toBeGreaterThan(0);
  expect(value(text, "store_append_seconds_sum")).toBeGreaterThanOrEqual(0);
  const { url: without } = await startRelay();
  expect((await page(without, "/metrics")).text).not.toContain("copresence_store");
});
