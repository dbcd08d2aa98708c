/** What was written through one relay, and seen through another, while the store was away. */
import { expect, it } from "vitest";
import * as Y from "yjs";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import type { DocumentStore } from "../../../src/relay/ports/stores/document-store.ts";
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
