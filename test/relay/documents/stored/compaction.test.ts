/** Stored documents, compacted while people write them. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import * as Y from "yjs";
import { type DocumentHost, Documents, SharedDocument } from "../../../../src/relay/documents/index.ts";
import { compactDocument } from "../../../../src/relay/documents/stored/compact.ts";
import { DocumentThread } from "../../../../src/relay/documents/stored/thread.ts";
import type { StoredDocument } from "../../../../src/relay/ports/stores/document-store.ts";
import { MemoryDocumentStore } from "../../../../src/relay/store/memory.ts";
import { until } from "../../../support.ts";
import { OPTIONS } from "../relayed.ts";

const NOBODY: DocumentHost = { sendUpdate() {}, taken() {}, scheduleFlush() {}, refuse() {}, charge() {} };
const worker = fileURLToPath(new URL("../../../../dist/relay/documents/stored/worker.js", import.meta.url));

async function stored(store: MemoryDocumentStore): Promise<StoredDocument> {
  return (await store.load("doc", new AbortController().signal))!;
}

function textOf({ snapshot, updates }: StoredDocument): string {
  const doc = new Y.Doc();
  for (const update of snapshot === null ? updates : [snapshot, ...updates]) Y.applyUpdate(doc, update);
  return doc.getText("t").toJSON();
}

/** A relay's documents, without the relay, of which one is open. */
async function opened(store: MemoryDocumentStore, options = OPTIONS) {
  const errors: Error[] = [];
  const documents = new Documents(options, store, (error) => errors.push(error));
  onTestFinished(() => documents.close());
  const shared: SharedDocument = new SharedDocument("doc", documents, NOBODY);
  await new Promise<void>((resolve) => {
    shared.whenReady(resolve);
  });
  const doc = new Y.Doc({ gc: false });
  doc.on("update", (update: Uint8Array) => {
    shared.apply(update, doc);
    shared.settle();
  });
  return { documents, shared, text: doc.getText("t"), errors };
}

describe("[STORE-11] a document", () => {
  it("is compacted when what was appended outweighs its snapshot, and goes on being so", async () => {
    const store = new MemoryDocumentStore();
    const { documents, text } = await opened(store);
    for (let round = 1; round <= 3; round++) {
      for (let i = 0; i < 50; i++) text.insert(text.length, "word ".repeat(500 * round));
      await until("it is compacted", () => documents.storeMetrics?.compactions === round);
    }
    const { snapshot, updates } = await stored(store);
    expect(textOf({ snapshot, updates, position: "" })).toBe(text.toJSON());
    expect(snapshot!.length).toBeLessThan(text.length * 1.01);
    expect(documents.storeMetrics?.snapshotBytes).toBe(snapshot!.length);
  });

  it("loses nothing of what two relays write at the same time", async () => {
    const store = new MemoryDocumentStore();
    const [alice, bob] = [await opened(store), await opened(store)];
    for (let i = 0; i < 300; i++) {
      alice.text.insert(alice.text.length, "a".repeat(1_000));
      bob.text.insert(bob.text.length, "b".repeat(1_000));
      if (i % 20 === 0) await new Promise((resolve) => void setTimeout(resolve, 30));
    }
    for (const { shared } of [alice, bob]) shared.close();
    await until("all is stored", async () => textOf(await stored(store)).length === 600_000);
    const counts = [alice, bob].map(({ documents }) => documents.storeMetrics!.compactions);
    expect(Math.max(...counts)).toBeGreaterThan(0);
    await Promise.all([alice.documents.close(), bob.documents.close()]);
    expect(textOf(await stored(store)).length).toBe(600_000);
    expect([...alice.errors, ...bob.errors]).toEqual([]);
  });

  it("loses nothing when the relay ends between what it reads and what it writes, and reports what fails once", async () => {
    const store = new MemoryDocumentStore();
    const compact = vi.spyOn(store, "compact").mockRejectedValue(new Error("killed"));
    const { text, errors } = await opened(store);
    for (let i = 0; i < 300; i++) {
      text.insert(0, "x".repeat(1_000));
      if (i % 20 === 0) await new Promise((resolve) => void setTimeout(resolve, 30));
    }
    await until("it was tried", () => compact.mock.calls.length > 0);
    await until("all is stored", async () => textOf(await stored(store)).length === 300_000);
    expect(errors.map(String)).toEqual(["Error: the document of doc cannot be compacted"]);
    compact.mockRestore();
    for (let i = 0; i < 300; i++) text.insert(0, "y".repeat(1_000));
    await until("it is compacted", async () => (await stored(store)).snapshot !== null);
    expect(textOf(await stored(store))).toBe(text.toJSON());
  });
});

describe("[STORE-13] what was deleted", () => {
  function history(): Uint8Array[] {
    const doc = new Y.Doc({ gc: false });
    const updates: Uint8Array[] = [];
    doc.on("update", (update) => updates.push(update));
    doc.getText("t").insert(0, "secret ".repeat(1_000));
    doc.getText("t").delete(0, 7_000);
    doc.getText("t").insert(0, "kept");
    return updates;
  }

  it("is forgotten where it may be", () => {
    const snapshot = compactDocument({ snapshot: null, updates: history(), keepsHistory: false });
    expect(snapshot.length).toBeLessThan(100);
    expect(textOf({ snapshot, updates: [], position: "" })).toBe("kept");
  });

  it("is kept where the history is kept, also by a later compaction that does not know of that", () => {
    const first = compactDocument({ snapshot: null, updates: history(), keepsHistory: true });
    expect(first.length).toBeGreaterThan(7_000);
    const doc = new Y.Doc();
    Y.applyUpdate(doc, first);
    const before = Y.encodeStateVector(doc);
    doc.getText("t").insert(4, " and more");
    const updates = [Y.encodeStateAsUpdate(doc, before)];
    const second = compactDocument({ snapshot: first, updates, keepsHistory: false });
    expect(second.length).toBeGreaterThan(7_000);
    expect(textOf({ snapshot: second, updates: [], position: "" })).toBe("kept and more");
  });

  it("is kept from the first compaction on when somebody who keeps it leaves", async () => {
    const store = new MemoryDocumentStore();
    const { shared, text } = await opened(store);
    shared.keepHistory();
    text.insert(0, "secret ".repeat(100));
    text.delete(0, 700);
    shared.close();
    await until("it is compacted", async () => (await stored(store)).snapshot !== null);
    expect((await stored(store)).snapshot!.length).toBeGreaterThan(700);
  });

  it("what builds on something that is missing stays as it is", () => {
    const updates = history();
    const snapshot = compactDocument({ snapshot: null, updates: updates.slice(1), keepsHistory: false });
    const doc = new Y.Doc();
    Y.applyUpdate(doc, snapshot);
    expect(doc.getText("t").toJSON()).toBe("");
    Y.applyUpdate(doc, updates[0]!);
    expect(doc.getText("t").toJSON()).toBe("kept");
  });
});

describe("[STORE-12] the thread", () => {
  it("compacts while everything else goes on, and what it cannot do fails by itself", async () => {
    expect(existsSync(worker), "npm run build makes it").toBe(true);
    const thread = new DocumentThread(worker);
    onTestFinished(() => thread.close());
    const doc = new Y.Doc();
    const text = doc.getText("t");
    for (let i = 0; i < 3_000; i++) text.insert(i % 7, "letters");
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns++;
      if (!isOver) setTimeout(turn, 1);
    };
    turn();
    const input = { snapshot: null, updates: [Y.encodeStateAsUpdate(doc)], keepsHistory: false };
    const [snapshot, other] = await Promise.all([thread.compact(input), thread.compact(input)]);
    isOver = true;
    expect(turns).toBeGreaterThan(5);
    expect(textOf({ snapshot, updates: [], position: "" })).toBe(text.toJSON());
    expect(other).toEqual(snapshot);
    await expect(thread.compact({ ...input, updates: [Uint8Array.of(1, 2, 3)] })).rejects.toThrow("array");
    expect(await thread.compact(input)).toEqual(snapshot);
  });

  it("[STORE-46] merges without forgetting anything, and gives the state vector", async () => {
    const thread = new DocumentThread(worker);
    onTestFinished(() => thread.close());
    const doc = new Y.Doc({ gc: false });
    const updates: Uint8Array[] = [];
    doc.on("update", (update: Uint8Array) => updates.push(update));
    for (let i = 0; i < 300; i++) doc.getText("t").insert(i % 7, "letters".repeat(1_000));
    doc.getText("t").delete(0, 1_000);
    const { update, stateVector } = await thread.merge({ snapshot: updates[0]!, updates: updates.slice(1) });
    expect(Buffer.compare(update, Y.mergeUpdates(updates))).toBe(0);
    expect(stateVector).toEqual(Y.encodeStateVector(doc));
    await expect(thread.merge({ snapshot: null, updates: [update, Uint8Array.of(1, 2, 3)] })).rejects.toThrow("array");
  });

  it("is ended with the relay", async () => {
    const thread = new DocumentThread(worker);
    const doc = new Y.Doc();
    doc.getText("t").insert(0, "text");
    const running = thread.compact({ snapshot: null, updates: [Y.encodeStateAsUpdate(doc)], keepsHistory: false });
    thread.close();
    await expect(running).rejects.toThrow("the relay is stopping");
  });
});
