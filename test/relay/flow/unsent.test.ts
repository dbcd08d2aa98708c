import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { MemoryBudget, partOfHeap } from "../../../src/relay/util/budget.ts";
import { Packet } from "../../../src/relay/ports/packet.ts";
import { type Debtor, UnsentData } from "../../../src/relay/flow/unsent.ts";
import { EMPTY_STATE_VECTOR, syncStep1Frame, updateFrame } from "../../../src/wire/index.ts";
import { startRelay, until } from "../../support.ts";
import { rawPeer } from "../raw.ts";

/** One that keeps so much waiting for it alone, of which some may have left since it was counted. */
class Reader implements Debtor {
  readonly #data: UnsentData;
  #counted = 0;
  waiting = 0;
  isClosed = false;

  constructor(data: UnsentData, waiting: number) {
    this.#data = data;
    this.waiting = waiting;
    this.recount();
  }

  get unsent(): number {
    return this.#counted;
  }

  recount(): void {
    this.#data.changed(this.waiting - this.#counted);
    this.#counted = this.waiting;
  }

  giveUp(): void {
    this.isClosed = true;
    this.waiting = 0;
    this.recount();
  }
}

describe("what waits to be sent, over all connections", () => {
  it("[FLOW-6] is bounded: those that keep most of it waiting are closed first, and no more than needed", () => {
    const data = new UnsentData(1_000);
    const readers = [100, 400, 50, 300, 150].map((waiting) => new Reader(data, waiting));
    data.shed(readers);
    expect([data.bytes, readers.some(({ isClosed }) => isClosed)]).toEqual([1_000, false]);
    readers.push(new Reader(data, 1));
    expect(data.isOver).toBe(true);
    data.shed(readers);
    expect(readers.map(({ isClosed }) => isClosed)).toEqual([false, true, false, false, false, false]);
    expect([data.isOver, data.bytes]).toEqual([false, 601]);
  });

  it("[FLOW-6] closes nobody when what was counted has left meanwhile", () => {
    const data = new UnsentData(1_000);
    const readers = [600, 500].map((waiting) => new Reader(data, waiting));
    readers[1]!.waiting = 100;
    data.shed(readers);
    expect([data.bytes, readers.some(({ isClosed }) => isClosed)]).toEqual([700, false]);
  });

  it("[FLOW-7] counts a large message to many once, until it waits for none of them", () => {
    const data = new UnsentData(1_000_000);
    const large = new Packet(new Uint8Array(100_000));
    expect([data.isShared(large), data.isShared(new Packet(new Uint8Array(100)))]).toEqual([true, false]);
    for (let i = 0; i < 50; i++) data.hold(large);
    expect([data.bytes, data.isOver]).toEqual([100_000, false]);
    for (let i = 0; i < 49; i++) data.release(large);
    expect(data.bytes).toBe(100_000);
    data.release(large);
    data.release(large);
    expect(data.bytes).toBe(0);
  });

  it("[FLOW-6] may be without a bound", () => {
    const data = new UnsentData(0);
    data.changed(1e15);
    expect(data.isOver).toBe(false);
  });
});

describe("a budget of memory", () => {
  it("gives room while there is any, and takes it back", () => {
    const budget = new MemoryBudget(100);
    expect([budget.reserve(60), budget.reserve(41), budget.reserve(40), budget.used]).toEqual([true, false, true, 100]);
    budget.release(60);
    expect([budget.used, budget.reserve(60), budget.isOver]).toEqual([40, true, false]);
    budget.add(50);
    expect([budget.used, budget.isOver, budget.excess(1), budget.excess(1 / 2)]).toEqual([150, true, 50, 100]);
    expect(new MemoryBudget(0).reserve(1e15)).toBe(true);
  });

  it("is a part of what the heap may become", () => {
    expect(partOfHeap(1 / 16)).toBeGreaterThan(2 ** 20);
    expect(partOfHeap(1 / 8)).toBeGreaterThanOrEqual(2 * partOfHeap(1 / 16));
  });
});

it("[FLOW-6] a relay closes no more readers than needed, and lets go of what waited for them", async () => {
  const { relay, url } = await startRelay({ maxUnsentTotal: 40_000_000 });
  const doc = new Y.Doc();
  // one value stays one message, however long
  doc.getMap("map").set("long", "x".repeat(15_000_000));
  const readers = [];
  const writers = [];
  for (let i = 1; i <= 4; i++) {
    // each its own room: one answer for all would count once
    const alice = await rawPeer(url, `doc-${i}`);
    alice.send(updateFrame(Y.encodeStateAsUpdate(doc)));
    await alice.settle();
    writers.push(alice);
    const reader = await rawPeer(url, `doc-${i}`);
    readers.push(reader);
    reader.socket.pause();
    reader.send(syncStep1Frame(EMPTY_STATE_VECTOR));
    const waiting = Math.min(i, 2) * 15_000_000;
    await until(
      "it waits",
      () => relay.metrics().unsentBytes >= waiting && (relay.metrics().closed["4508"] ?? 0) === Math.max(0, i - 2),
    );
  }
  expect(relay.metrics().unsentBytes).toBeLessThan(40_000_000);
  for (const { socket } of readers) socket.terminate();
  await until("nothing waits any more", () => relay.metrics().unsentBytes === 0);
  expect(writers.map(({ close }) => close)).toEqual(writers.map(() => undefined));
});
