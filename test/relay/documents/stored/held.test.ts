import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import * as Y from "yjs";
import { Documents, SharedDocument } from "../../../../src/relay/documents/index.ts";
import { HeldUpdates } from "../../../../src/relay/documents/stored/held.ts";
import { systemClock } from "../../../../src/relay/ports/clock.ts";
import type { DocumentStore } from "../../../../src/relay/ports/stores/document-store.ts";
import { EMPTY_STATE_VECTOR } from "../../../../src/wire/index.ts";
import { OPTIONS } from "../relayed.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Something to wait for. */
function gate() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

describe("an update", () => {
  it("[STORE-42] is told to others once it is stored, and never before one that came earlier", async () => {
    const held = new HeldUpdates();
    const told: string[] = [];
    const [first, second] = [gate(), gate()];
    held.send(() => told.push("first"), first.opened);
    held.send(() => told.push("second"), second.opened);
    held.send(() => told.push("third"), null);
    second.open();
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toEqual([]);
    first.open();
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toEqual(["first", "second", "third"]);
    held.send(() => told.push("fourth"), null);
    expect(told).toHaveLength(4);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("[STORE-42] is not held up for longer than a second, each from when it came", async () => {
    const held = new HeldUpdates();
    const told: string[] = [];
    const [first, second] = [gate(), gate()];
    held.send(() => told.push("first"), first.opened);
    await vi.advanceTimersByTimeAsync(900);
    held.send(() => told.push("second"), second.opened);
    await vi.advanceTimersByTimeAsync(50);
    first.open();
    await vi.advanceTimersByTimeAsync(900);
    expect(told).toEqual(["first"]);
    await vi.advanceTimersByTimeAsync(50);
    expect(told).toEqual(["first", "second"]);
    second.open();
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toEqual(["first", "second"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("[STORE-42] is not held up again by a store that took too long, until the store has caught up", async () => {
    const held = new HeldUpdates();
    const told: string[] = [];
    const [slow, later, quick] = [gate(), gate(), gate()];
    held.send(() => told.push("first"), slow.opened);
    await vi.advanceTimersByTimeAsync(1_000);
    held.send(() => told.push("second"), later.opened);
    expect(told).toEqual(["first", "second"]);
    slow.open();
    await vi.advanceTimersByTimeAsync(1);
    held.send(() => told.push("third"), quick.opened);
    expect(told).toHaveLength(2);
    quick.open();
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toEqual(["first", "second", "third"]);
  });
});

it("[STORE-42] what others were told is in the store; one who asks is not held up, nor is anybody by a store that fails", async () => {
  const appended: Uint8Array[] = [];
  const disk = { isHeld: true, isFailing: false };
  const store: DocumentStore = {
    load: () => Promise.resolve(null),
    append: async (_room, updates) => {
      while (disk.isHeld) await new Promise((resolve) => void setTimeout(resolve, 5));
      if (disk.isFailing) throw new Error("the disk is full");
      appended.push(...updates);
      return "1";
    },
    compact: () => Promise.resolve(false),
  };
  const told: unknown[] = [];
  const documents = new Documents(
    OPTIONS,
    store,
    () => {},
    systemClock,
    () => {},
  );
  const document = new SharedDocument("doc", documents, {
    sendUpdate: (_packet, author) => told.push(author),
    taken() {},
    scheduleFlush: () => document.settle(),
    refuse() {},
    charge() {},
  });
  await vi.advanceTimersByTimeAsync(1);
  const alice = new Y.Doc();
  alice.on("update", (update: Uint8Array) => document.apply(update, "alice"));
  alice.getText("t").insert(0, "a");
  await vi.advanceTimersByTimeAsync(50);
  expect([told.length, appended.length]).toEqual([0, 0]);
  disk.isHeld = false;
  await vi.advanceTimersByTimeAsync(10);
  expect([told.length, appended.length]).toEqual([1, 1]);
  disk.isHeld = true;
  alice.getText("t").insert(1, "b");
  expect(told).toHaveLength(1);
  // Bob's answer has it: those who are here are told with him
  expect(document.sync(EMPTY_STATE_VECTOR)).toHaveLength(1);
  expect(told).toHaveLength(2);
  Object.assign(disk, { isHeld: false, isFailing: true });
  await vi.advanceTimersByTimeAsync(10);
  alice.getText("t").insert(2, "c");
  expect(told).toHaveLength(3);
  document.close();
  disk.isFailing = false;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(appended.length).toBeGreaterThan(1);
});
