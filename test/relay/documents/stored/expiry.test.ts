/** Documents that nobody has used for long are deleted, if that is wanted. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import * as Y from "yjs";
import { Documents, SharedDocument } from "../../../../src/relay/documents/index.ts";
import type { DocumentStore } from "../../../../src/relay/ports/stores/document-store.ts";
import { LevelDocumentStore } from "../../../../src/relay/store/level.ts";
import { MemoryDocumentStore } from "../../../../src/relay/store/memory.ts";
import { createRelay } from "../../../../src/relay/index.ts";
import { OPTIONS } from "../relayed.ts";

const DAY = 24 * 60 * 60 * 1_000;
const host = { sendUpdate: () => {}, taken: () => {}, scheduleFlush: () => {}, refuse: () => {}, charge: () => {} };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function relay(store: DocumentStore | null, documentTtl: number): { documents: Documents; warnings: string[] } {
  const warnings: string[] = [];
  const options = { ...OPTIONS, documentTtl };
  const clock = { now: () => Date.now(), wall: () => Date.now() };
  return { documents: new Documents(options, store, (error) => warnings.push(error.message), clock), warnings };
}

/** Somebody opens a room. */
async function open(documents: Documents, room: string): Promise<SharedDocument> {
  const document = new SharedDocument(room, documents, host);
  await new Promise<void>((resolve) => document.whenReady(resolve));
  return document;
}

async function write(documents: Documents, room: string, text: string): Promise<SharedDocument> {
  const document = await open(documents, room);
  const doc = new Y.Doc();
  doc.getText("t").insert(0, text);
  document.apply(Y.encodeStateAsUpdate(doc), {});
  document.settle();
  return document;
}

async function namesOf(store: DocumentStore): Promise<string[]> {
  const names: string[] = [];
  for await (const room of store.list?.() ?? []) names.push(room);
  return names.toSorted();
}

describe("[STORE-43] a stored document that nobody has used for the time that is set", () => {
  it("is deleted, and one that is open or was opened since is not", async () => {
    const store = new MemoryDocumentStore();
    const { documents } = relay(store, 10 * DAY);
    for (const room of ["left", "opened again", "open"]) {
      const document = await write(documents, room, room);
      if (room !== "open") document.close();
    }
    await vi.advanceTimersByTimeAsync(9 * DAY);
    // she reads it, and writes nothing
    (await open(documents, "opened again")).close();
    await vi.advanceTimersByTimeAsync(0.9 * DAY);
    expect(await namesOf(store)).toEqual(["left", "open", "opened again"]);
    await vi.advanceTimersByTimeAsync(0.2 * DAY);
    expect(await namesOf(store)).toEqual(["open", "opened again"]);
    await vi.advanceTimersByTimeAsync(20 * DAY);
    expect(await namesOf(store)).toEqual(["open"]);
    await documents.close();
  });

  it("is found after a restart; one whose use was never noted counts as used when it is found", async () => {
    const store = new MemoryDocumentStore();
    const before = relay(store, 0);
    (await write(before.documents, "doc", "text")).close();
    await vi.advanceTimersByTimeAsync(1_000);
    await before.documents.close();
    await vi.advanceTimersByTimeAsync(9 * DAY);
    await store.append("of an older version", [Y.encodeStateAsUpdate(new Y.Doc())]);
    const { documents } = relay(store, 10 * DAY);
    await vi.advanceTimersByTimeAsync(1.1 * DAY);
    expect(await namesOf(store)).toEqual(["of an older version"]);
    await vi.advanceTimersByTimeAsync(9 * DAY);
    expect(await namesOf(store)).toEqual([]);
    await documents.close();
  });

  it("is kept while another relay on the same store has it open", async () => {
    const store = new MemoryDocumentStore();
    const [here, there] = [relay(store, 2 * DAY), relay(store, 2 * DAY)];
    (await write(here.documents, "doc", "text")).close();
    const reader = await open(there.documents, "doc");
    await vi.advanceTimersByTimeAsync(30 * DAY);
    expect(await namesOf(store)).toEqual(["doc"]);
    reader.close();
    await vi.advanceTimersByTimeAsync(3 * DAY);
    expect(await namesOf(store)).toEqual([]);
    await Promise.all([here.documents.close(), there.documents.close()]);
  });

  it("is kept while what was written to it cannot be stored", async () => {
    const store = new MemoryDocumentStore();
    const { documents, warnings } = relay(store, 1_000);
    (await write(documents, "doc", "one ")).close();
    await vi.advanceTimersByTimeAsync(500);
    const append = vi.spyOn(store, "append").mockRejectedValue(new Error("the disk is full"));
    (await write(documents, "doc", "two")).close();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await namesOf(store)).toEqual(["doc"]);
    append.mockRestore();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await namesOf(store)).toEqual([]);
    expect(warnings).toEqual(["the document of doc cannot be stored"]);
    await documents.close();
  });

  it.each([
    { moment: "before", isThere: true },
    { moment: "after", isThere: false },
  ])("is whole or begins anew for who opens it $moment the store deletes it", async ({ moment, isThere }) => {
    const store = new MemoryDocumentStore();
    const { documents } = relay(store, 1_000);
    (await write(documents, "doc", "text")).close();
    let pass = (): void => {};
    const held = new Promise<void>((resolve) => (pass = resolve));
    const original = store.delete.bind(store);
    const deleting = vi.spyOn(store, "delete").mockImplementation(async (...args) => {
      if (moment === "before") await held;
      const isDeleted = await original(...args);
      await held;
      return isDeleted;
    });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(deleting).toHaveBeenCalledTimes(1);
    const document = new SharedDocument("doc", documents, host);
    await vi.advanceTimersByTimeAsync(500);
    expect(document.isReady).toBe(false);
    pass();
    await vi.advanceTimersByTimeAsync(1);
    expect([document.isReady, document.hasContent]).toEqual([true, isThere]);
    document.close();
    await documents.close();
  });

  it("is deleted from the memory of a relay without a store, too", async () => {
    const { documents } = relay(null, 10 * DAY);
    (await write(documents, "left", "text")).close();
    const document = await write(documents, "open", "text");
    await vi.advanceTimersByTimeAsync(9.9 * DAY);
    expect(documents.memory.counts.kept).toBe(1);
    await vi.advanceTimersByTimeAsync(0.3 * DAY);
    expect(documents.memory.counts).toMatchObject({ kept: 0, open: 1 });
    document.close();
    (await open(documents, "open")).close();
    await vi.advanceTimersByTimeAsync(9 * DAY);
    expect(documents.memory.counts.kept).toBe(1);
    await documents.close();
  });

  it("stays for ever where no time is set", async () => {
    const store = new MemoryDocumentStore();
    const { documents } = relay(store, 0);
    (await write(documents, "doc", "text")).close();
    await vi.advanceTimersByTimeAsync(400 * DAY);
    expect(await namesOf(store)).toEqual(["doc"]);
    await documents.close();
  });
});

it("[STORE-43] what keeps a store from deleting is reported once, and all else goes on", async () => {
  const store = new MemoryDocumentStore();
  const { documents, warnings } = relay(store, 1_000);
  vi.spyOn(store, "touch").mockRejectedValue(new Error("read-only"));
  const document = await write(documents, "doc", "text");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(document.hasContent).toBe(true);
  expect(warnings).toEqual(["it cannot be noted that documents are in use"]);
  await documents.close();
});

it("[STORE-43] a relay whose store cannot say what is unused does not start with the option", () => {
  const memory = new MemoryDocumentStore();
  const store: DocumentStore = {
    load: (room, signal) => memory.load(room, signal),
    append: (room, updates) => memory.append(room, updates),
    compact: (room, snapshot, upTo) => memory.compact(room, snapshot, upTo),
  };
  expect(() => createRelay({ store, documentTtl: DAY })).toThrow(
    "documentTtl needs a store that knows which documents nobody uses: this one has no touch()",
  );
});

it("[STORE-44] a store in a folder knows after a restart which documents nobody used", async () => {
  vi.useRealTimers();
  const folder = mkdtempSync(join(tmpdir(), "copresence-expiry-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const before = relay(await LevelDocumentStore.open(folder), 0);
  (await write(before.documents, "doc", "text")).close();
  await before.documents.close();
  const store = await LevelDocumentStore.open(folder);
  const names: string[] = [];
  for await (const room of store.unused(Date.now() + 1, Date.now() + DAY)) names.push(room);
  expect(names).toEqual(["doc"]);
  await store.close();
});
