/** A relay that stops while its store does not answer. */
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import * as Y from "yjs";
import { Documents } from "../../../../src/relay/documents/index.ts";
import type { DocumentStore } from "../../../../src/relay/ports/stores/document-store.ts";
import { MemoryDocumentStore } from "../../../../src/relay/store/memory.ts";
import { endsInTime } from "../../../../src/relay/util/back-off.ts";
import { OPTIONS } from "../relayed.ts";

function updateBy(text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText("t").insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

const never = (): Promise<never> => new Promise(() => {});

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});

function opened(store: DocumentStore) {
  const warn = vi.fn<(error: Error) => void>();
  const documents = new Documents(OPTIONS, store, warn);
  return { documents, warned: () => warn.mock.calls.map(([{ message }]) => message) };
}

it("[STORE-48] does not wait for it for ever, and says that something may be lost", async () => {
  const store: DocumentStore = { load: () => Promise.resolve(null), append: never, compact: never, close: never };
  const { documents, warned } = opened(store);
  await documents.open("doc");
  void documents.record("doc", updateBy("text"));
  await vi.advanceTimersByTimeAsync(5_000);
  let isClosed = false;
  void documents.close().then(() => (isClosed = true));
  await vi.advanceTimersByTimeAsync(4_500);
  expect(warned()).toEqual([]);
  await vi.advanceTimersByTimeAsync(11_000);
  expect(isClosed).toBe(true);
  expect(warned()).toEqual([
    "the store has not answered append() for 10 s",
    "the store does not answer, and what it was given last may be lost",
    "the store does not close",
  ]);
});

it("[STORE-48] waits for one that takes long, as long as it answers", async () => {
  const memory = new MemoryDocumentStore();
  const store: DocumentStore = {
    load: (room, signal) => memory.load(room, signal),
    append: async (room, updates) => {
      await new Promise((resolve) => void setTimeout(resolve, 8_000));
      return memory.append(room, updates);
    },
    compact: never,
  };
  const { documents, warned } = opened(store);
  await documents.open("doc");
  void documents.record("doc", updateBy("one"));
  await vi.advanceTimersByTimeAsync(100);
  void documents.record("doc", updateBy("two"));
  let isClosed = false;
  void documents.close().then(() => (isClosed = true));
  await vi.advanceTimersByTimeAsync(20_000);
  expect([isClosed, warned()]).toEqual([true, []]);
  expect((await memory.load("doc", new AbortController().signal))?.updates).toHaveLength(2);
});

it("[STORE-48] what else does not end is not waited for either, and what fails says so", async () => {
  const onLate = vi.fn<() => void>();
  const late = endsInTime(never(), onLate);
  await vi.advanceTimersByTimeAsync(10_000);
  await late;
  expect(onLate).toHaveBeenCalledOnce();
  await endsInTime(Promise.resolve(), onLate);
  await endsInTime(undefined, onLate);
  expect(onLate).toHaveBeenCalledOnce();
  await endsInTime(Promise.reject(new Error("no")), onLate);
  expect(onLate).toHaveBeenLastCalledWith(new Error("no"));
});

it("[STORE-49] opens documents while it does not note that they are in use, and tells of that once", async () => {
  const store: DocumentStore = Object.assign(new MemoryDocumentStore(), { touch: never });
  const { documents, warned } = opened(store);
  let open = 0;
  for (const room of ["a", "b"]) void documents.open(room)?.then(() => open++);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(open).toBe(2);
  // nobody waits again before the store has answered
  void documents.open("c")?.then(() => open++);
  await vi.advanceTimersByTimeAsync(10);
  expect(open).toBe(3);
  expect(documents.storeMetrics?.isFailing).toBe(false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(documents.storeMetrics?.isFailing).toBe(true);
  expect(warned()).toEqual(["the store has not answered touch() for 10 s"]);
});

it("[STORE-49] notes again what is in use once it answers", async () => {
  const memory = new MemoryDocumentStore();
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => (resolve = done));
  const touched: string[] = [];
  const store: DocumentStore = Object.assign(memory, {
    touch: (rooms: readonly string[]) => {
      touched.push(rooms.join());
      return promise;
    },
  });
  const { documents } = opened(store);
  void documents.open("a");
  await vi.advanceTimersByTimeAsync(1_100);
  void documents.open("b");
  await vi.advanceTimersByTimeAsync(10);
  expect(touched).toEqual(["a"]);
  resolve();
  await vi.advanceTimersByTimeAsync(10);
  expect(touched).toEqual(["a", "a,b"]);
  await documents.close();
});
