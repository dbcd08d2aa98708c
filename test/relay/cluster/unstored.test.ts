/** What was written through one relay, and seen through another, while the store was away. */
import { expect, it } from "vitest";
import * as Y from "yjs";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import type { DocumentStore, Position } from "../../../src/relay/ports/stores/document-store.ts";
import { MemoryDocumentStore } from "../../../src/relay/store/memory.ts";
import { ownClient, startRelay, until } from "../../support.ts";
import { FaultyBus } from "./faulty-bus.ts";

/** Two relays of which the first cannot store anything, with Alice on the first and Bob on the second. */
async function two() {
  const shared = new MemoryBus();
  const kept = new MemoryDocumentStore();
  const failing: DocumentStore = {
    load: () => Promise.resolve(null),
    append: () => Promise.reject(new Error("the store is away")),
    compact: () => Promise.resolve(false),
  };
  const bus = new FaultyBus(shared);
  const here = await startRelay({ bus, store: failing, onError: () => {} });
  const there = await startRelay({ bus: new FaultyBus(shared), store: kept });
  const [hers, his] = [ownClient(here.url, "alice").join("doc"), ownClient(there.url, "bob").join("doc")];
  await until("both see both", () => hers.roster.users.length === 2 && his.roster.users.length === 2);
  for (const word of ["what ", "she ", "wrote"]) {
    const text = hers.doc.getText("t");
    text.insert(text.length, word);
    await until("Bob reads it", () => his.doc.getText("t").toJSON() === text.toJSON());
  }
  const stored = async (): Promise<readonly Uint8Array[]> =>
    (await kept.load("doc", new AbortController().signal))?.updates ?? [];
  const isStored = async (): Promise<boolean> => {
    const doc = new Y.Doc();
    for (const update of await stored()) Y.applyUpdate(doc, update);
    return doc.getText("t").toJSON() === "what she wrote";
  };
  return { bus, here, there, his, stored, isStored };
}

it("[BUS-13] is stored by the other relay when its own stops without having stored it", async () => {
  const { bus, here, stored, isStored } = await two();
  void here.relay.close();
  await until("it is stored", isStored);
  expect(bus.said.filter(({ kind, room }) => kind === "bye" && room === "doc").map(({ body }) => [...body])).toEqual([
    [2],
  ]);
  expect((await stored()).length).toBe(1);
});

it("[BUS-13] is stored by the other relay when nobody is there any more who could, should its own be lost", async () => {
  const { there, his, isStored } = await two();
  expect(await isStored()).toBe(false);
  his.leave();
  await until("it is stored", isStored);
  await until("the other relay has closed the room", () => there.relay.room("doc") === undefined);
});

it("[BUS-13] is stored by the other relay, though its own was lost before the other had loaded the document", async () => {
  const shared = new MemoryBus();
  const kept = new MemoryDocumentStore();
  let load = (): void => {};
  const loading = new Promise<void>((resolve) => (load = resolve));
  const slow: DocumentStore = {
    load: (room, signal) => loading.then(() => kept.load(room, signal)),
    append: (room, updates) => kept.append(room, updates),
    compact: (room, snapshot, upTo) => kept.compact(room, snapshot, upTo),
  };
  const bus = new FaultyBus(shared);
  const here = await startRelay({ bus });
  const there = await startRelay({ bus: new FaultyBus(shared), store: slow });
  const [hers, his] = [ownClient(here.url, "alice").join("doc"), ownClient(there.url, "bob").join("doc")];
  await until("both see both", () => hers.roster.users.length === 2 && his.roster.users.length === 2);
  hers.doc.getText("t").insert(0, "hers");
  await until("her relay tells the other", () => bus.said.some(({ kind }) => kind === "doc"));
  bus.isCut = true;
  await until("her relay is lost", () => there.relay.metrics().bus?.relays === 0);
  load();
  await until("Bob reads it", () => his.doc.getText("t").toJSON() === "hers");
  await until("it is stored", async () => {
    const doc = new Y.Doc();
    const { updates = [] } = (await kept.load("doc", new AbortController().signal)) ?? {};
    for (const update of updates) Y.applyUpdate(doc, update);
    return doc.getText("t").toJSON() === "hers";
  });
});

it("[BUS-13] for a reader who comes to the other relay and goes, nothing is stored that both have stored", async () => {
  const shared = new MemoryBus();
  let appends = 0;
  class CountingStore extends MemoryDocumentStore {
    override append(room: string, updates: readonly Uint8Array[]): Promise<Position> {
      appends++;
      return super.append(room, updates);
    }
  }
  const store = new CountingStore();
  const here = await startRelay({ bus: new FaultyBus(shared), store });
  const there = await startRelay({ bus: new FaultyBus(shared), store });
  const hers = ownClient(here.url, "alice").join("doc");
  hers.doc.getText("t").insert(0, "one two");
  hers.doc.getText("t").delete(0, 4);
  await until("it is stored", async () => {
    const doc = new Y.Doc();
    const { updates = [] } = (await store.load("doc", new AbortController().signal)) ?? {};
    for (const update of updates) Y.applyUpdate(doc, update);
    return doc.getText("t").toJSON() === "two";
  });
  const before = appends;
  for (let i = 0; i < 5; i++) {
    const bob = ownClient(there.url, "bob");
    const his = bob.join("doc");
    await until("Bob reads it", () => his.doc.getText("t").toJSON() === "two" && his.roster.users.length === 2);
    bob.destroy();
    await until("his relay has closed the room", () => there.relay.room("doc") === undefined);
  }
  await there.relay.close();
  expect(appends).toBe(before);
});
