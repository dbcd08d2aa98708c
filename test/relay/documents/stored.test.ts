/** Rooms whose documents come from a store that takes its time, or fails. */
import { describe, expect, it, vi } from "vitest";
import * as Y from "yjs";
import type { DocumentStore, Position, StoredDocument } from "../../../src/relay/ports/stores/document-store.ts";
import { Documents, SharedDocument } from "../../../src/relay/documents/index.ts";
import { Journal } from "../../../src/relay/documents/stored/journal.ts";
import { MemoryDocumentStore } from "../../../src/relay/store/memory.ts";
import { EMPTY_STATE_VECTOR, syncStep1Frame, updateFrame } from "../../../src/wire/index.ts";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";
import { rawPeer, stateOf } from "../raw.ts";
import { OPTIONS } from "./relayed.ts";

describe("a store that gives what is no document", () => {
  it.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /load\(\) gave undefined, and not null or \{ snapshot/],
    ["a number", 5, /load\(\) gave number/],
    ["an object without fields", {}, /load\(\) gave a snapshot of another kind/],
    ["an array for a snapshot", { snapshot: [0, 0], updates: [] }, /load\(\) gave a snapshot of another kind/],
    ["no updates", { snapshot: null }, /load\(\) gave updates of another kind/],
    ["texts for updates", { snapshot: null, updates: ["AAA="] }, /load\(\) gave updates of another kind/],
  ])(
    "[STORE-51] %s: is reported with what to give, and other rooms and the relay are well",
    async (_what, stored, reason) => {
      const errors: unknown[] = [];
      const memory = new MemoryDocumentStore();
      const store: DocumentStore = {
        load: (room, signal) => (room === "bad" ? Promise.resolve(stored as null) : memory.load(room, signal)),
        append: (room, updates) => memory.append(room, updates),
        compact: () => Promise.resolve(false),
      };
      const { url, relay } = await startRelay({ store, onError: (error) => errors.push(error) });
      const presence = ownClient(url, "alice");
      const [bad, good] = [presence.join("bad"), presence.join("good")];
      await until(
        "the other document is there, and she is in both rooms",
        () => good.provider.synced && bad.roster.status === "live",
      );
      await until("it is reported", () => errors.length === 1);
      expect(String((errors[0] as Error).cause)).toMatch(reason);
      expect(bad.provider.synced).toBe(false);
      expect(relay.trouble).toBeNull();
    },
  );
});

/** A memory store of which each call waits until it is let through, and may fail. */
class SlowStore implements DocumentStore {
  readonly #store = new MemoryDocumentStore();
  loads = 0;
  appends = 0;
  isHeld = false;
  failure: Error | null = null;
  isClosed = false;

  async load(room: string, signal: AbortSignal): Promise<StoredDocument | null> {
    this.loads++;
    await this.#pass();
    return this.#store.load(room, signal);
  }

  async append(room: string, updates: readonly Uint8Array[]): Promise<Position> {
    this.appends++;
    await this.#pass();
    return this.#store.append(room, updates);
  }

  compact(room: string, snapshot: Uint8Array, upTo: Position): Promise<boolean> {
    return this.#store.compact(room, snapshot, upTo);
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  async text(room: string): Promise<string> {
    const stored = await this.#store.load(room, new AbortController().signal);
    const doc = new Y.Doc();
    for (const update of stored?.updates ?? []) Y.applyUpdate(doc, update);
    return doc.getText("t").toJSON();
  }

  /** Stores a text, as an earlier relay did. */
  async put(room: string, text: string): Promise<void> {
    const doc = new Y.Doc();
    doc.getText("t").insert(0, text);
    await this.#store.append(room, [Y.encodeStateAsUpdate(doc)]);
  }

  async #pass(): Promise<void> {
    while (this.isHeld) await new Promise((resolve) => void setTimeout(resolve, 5));
    if (this.failure !== null) throw this.failure;
  }
}

describe("while a document is loaded", () => {
  it("[STORE-1] people see each other, and are answered once it is there", async () => {
    const store = new SlowStore();
    await store.put("doc", "from before");
    store.isHeld = true;
    const relay = await startRelay({ store });
    const [alice, bob] = [ownClient(relay.url, "alice"), ownClient(relay.url, "bob")];
    const [hers, his] = [alice.join("doc"), bob.join("doc")];
    await until("they see each other", () => hers.roster.users.length === 2 && his.roster.users.length === 2);
    expect([hers.provider.synced, his.provider.synced]).toEqual([false, false]);
    const carol = await rawPeer(relay.url, "doc");
    carol.send(syncStep1Frame(EMPTY_STATE_VECTOR));
    await until("she sees them", () => carol.states.size === 2);
    expect(carol.frames.map(({ type }) => type)).not.toContain("syncStep2");
    store.isHeld = false;
    await until("all have it", () => [hers, his].every(({ doc }) => doc.getText("t").toJSON() === "from before"));
    await until("she has it, too", () => carol.doc.getText("t").toJSON() === "from before");
    expect(store.loads).toBe(1);
  });

  it("[STORE-1] nobody creates the content a second time", async () => {
    const store = new SlowStore();
    await store.put("doc", "from before");
    store.isHeld = true;
    const relay = await startRelay({ store });
    const provider = stockClient(relay.url, "doc");
    const { doc } = provider;
    // as editors do that have a content to begin with
    provider.once("sync", () => {
      if (doc.getText("t").length === 0) doc.getText("t").insert(0, "new");
    });
    await until("it is connected", () => provider.wsconnected);
    store.isHeld = false;
    await until("it has the text", () => doc.getText("t").length > 0);
    expect(doc.getText("t").toJSON()).toBe("from before");
  });

  /** How editors are given a first content, as their documentation says: once the provider is in sync, if there is none. */
  const EDITORS = [
    {
      editor: "Tiptap",
      fragment: "default",
      fill: (doc: Y.Doc): void => {
        const config = doc.getMap("config");
        if (config.get("initialContentLoaded") === true || doc.getXmlFragment("default").length > 0) return;
        config.set("initialContentLoaded", true);
        doc.getXmlFragment("default").push([new Y.XmlElement("paragraph")]);
      },
    },
    {
      editor: "BlockNote",
      fragment: "document-store",
      fill: (doc: Y.Doc): void => {
        const fragment = doc.getXmlFragment("document-store");
        if (fragment.length === 0) fragment.push([new Y.XmlElement("blockGroup")]);
      },
    },
  ];

  it.each(EDITORS)(
    "[STORE-1] [STORE-10] $editor puts no first content into a document that has some, over our client or a stock one",
    async ({ fragment, fill }) => {
      const before = new Y.Doc();
      fill(before);
      const store = new SlowStore();
      await store.append("doc", [Y.encodeStateAsUpdate(before)]);
      store.isHeld = true;
      const { url } = await startRelay({ store });
      const stock = stockClient(url, "doc");
      const [hers, his] = [ownClient(url, "alice").join("doc"), ownClient(url, "bob").join("doc")];
      const rooms = [
        { doc: stock.doc, provider: stock },
        { doc: hers.doc, provider: hers.provider },
        { doc: his.doc, provider: his.provider },
      ];
      for (const { doc, provider } of rooms) {
        const isFirst = (isSynced: unknown): void => {
          if (isSynced === true || isSynced === undefined) fill(doc);
        };
        // stock clients call it both names
        provider.on("sync" as never, isFirst as never);
        provider.on("synced" as never, isFirst as never);
      }
      await until("they see each other", () => [hers, his].every(({ roster }) => roster.users.length === 3));
      expect(rooms.map(({ provider }) => provider.synced)).toEqual([false, false, false]);
      store.isHeld = false;
      await until("all are in sync", () => rooms.every(({ provider }) => provider.synced));
      await until("all have the same", () =>
        rooms.every(({ doc }) => doc.getXmlFragment(fragment).toJSON() === before.getXmlFragment(fragment).toJSON()),
      );
      // nobody wrote anything
      expect(rooms.map(({ doc }) => doc.store.clients.has(doc.clientID))).toEqual([false, false, false]);
    },
  );

  it("[STORE-1] what is written meanwhile is taken when it is there, also of one who has left", async () => {
    const store = new SlowStore();
    await store.put("doc", "from before");
    store.isHeld = true;
    const relay = await startRelay({ store });
    const alice = stockClient(relay.url, "doc");
    await until("she is connected", () => alice.wsconnected);
    const bob = await rawPeer(relay.url, "doc");
    const doc = new Y.Doc();
    doc.getText("t").insert(0, "his ");
    bob.send(updateFrame(Y.encodeStateAsUpdate(doc)));
    bob.say([1, 1, stateOf("bob", "s_1")]);
    await until("he has been heard", () => alice.awareness.getStates().size === 2);
    bob.socket.terminate();
    alice.doc.getText("t").insert(0, "hers ");
    store.isHeld = false;
    await until("she has all of it", () => alice.doc.getText("t").length === 20);
    await until("it is stored", async () => (await store.text("doc")).length === 20);
  });

  it("[STORE-1] what cannot be taken ends the connection of its author, and nobody else's", async () => {
    const store = new SlowStore();
    store.isHeld = true;
    const relay = await startRelay({ store });
    const alice = stockClient(relay.url, "doc");
    await until("she is connected", () => alice.wsconnected);
    const mallory = await rawPeer(relay.url, "doc");
    mallory.send(updateFrame(Uint8Array.from([1, 1, 1, 0, 99, 0, 0])));
    store.isHeld = false;
    expect((await mallory.closed).code).toBe(4400);
    await until("Alice is in sync", () => alice.synced);
  });

  it("[STORE-2] it is tried again, and the failure is reported once", async () => {
    const store = new SlowStore();
    await store.put("doc", "from before");
    store.failure = new Error("the disk is away");
    const errors: unknown[] = [];
    const relay = await startRelay({ store, onError: (error) => errors.push(error) });
    const alice = stockClient(relay.url, "doc");
    await until("it was tried again", () => store.loads >= 2);
    expect(alice.synced).toBe(false);
    store.failure = null;
    await until("she has it", () => alice.doc.getText("t").toJSON() === "from before");
    expect(errors).toHaveLength(1);
    expect(String(errors[0])).toContain("the document of doc cannot be loaded");
  });
});

describe("what is written", () => {
  it("[STORE-3] is stored in few appends, and whole when the last one has left", async () => {
    const store = new SlowStore();
    const relay = await startRelay({ store });
    const alice = stockClient(relay.url, "doc");
    await until("she is in sync", () => alice.synced);
    for (let i = 0; i < 50; i++) alice.doc.getText("t").insert(i, ".");
    await until("it is stored", async () => (await store.text("doc")).length === 50);
    // how many it is depends on how many of them come at a time
    expect(store.appends).toBeLessThan(40);
    alice.doc.getText("t").insert(0, "last");
    alice.destroy();
    await until("the last of it is stored", async () => (await store.text("doc")).length === 54);
  });

  it("[STORE-3] is stored before the relay has stopped", async () => {
    const store = new SlowStore();
    const relay = await startRelay({ store });
    const [alice, bob] = [stockClient(relay.url, "doc"), stockClient(relay.url, "doc")];
    await until("both are in sync", () => alice.synced && bob.synced);
    alice.doc.getText("t").insert(0, "seen by Bob");
    await until("he sees it", () => bob.doc.getText("t").length === 11);
    await relay.relay.close();
    expect(await store.text("doc")).toBe("seen by Bob");
    expect(store.isClosed).toBe(true);
  });

  it("[STORE-5] goes on while the store fails, and is stored when it is back", async () => {
    const store = new SlowStore();
    const errors: unknown[] = [];
    const relay = await startRelay({ store, onError: (error) => errors.push(error) });
    const [alice, bob] = [stockClient(relay.url, "doc"), stockClient(relay.url, "doc")];
    await until("both are in sync", () => alice.synced && bob.synced);
    store.failure = new Error("the disk is full");
    alice.doc.getText("t").insert(0, "one ");
    await until("it was tried twice", () => store.appends >= 2);
    alice.doc.getText("t").insert(4, "two");
    await until("Bob sees all of it", () => bob.doc.getText("t").toJSON() === "one two");
    store.failure = null;
    await until("it is stored", async () => (await store.text("doc")) === "one two");
    expect(errors).toHaveLength(1);
  });
});

const NOBODY = { sendUpdate() {}, taken() {}, scheduleFlush() {}, refuse() {}, charge() {} };

it("[STORE-4] a document that nobody reads leaves the memory once it is stored, and comes back whole", async () => {
  vi.useFakeTimers();
  const store = new SlowStore();
  const documents = new Documents(OPTIONS, store, () => {});
  const alice = new Y.Doc();
  alice.getText("t").insert(0, "kept");
  const open = (): SharedDocument => new SharedDocument("doc", documents, NOBODY);
  const first = open();
  await vi.advanceTimersByTimeAsync(1);
  first.apply(Y.encodeStateAsUpdate(alice), null);
  store.failure = new Error("the disk is away");
  first.close();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(documents.memory.counts.kept).toBe(1);
  store.failure = null;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(documents.memory.counts).toEqual({ open: 0, kept: 0, bytes: 0 });
  const second = open();
  expect(second.isReady).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(second.sync(EMPTY_STATE_VECTOR)).toHaveLength(1);
  expect(documents.memory.counts.kept).toBe(1);
  vi.useRealTimers();
});

it("[STORE-5] what failed is appended before what came after it, as one", async () => {
  vi.useFakeTimers();
  const appended: (readonly Uint8Array[])[] = [];
  let isFailing = true;
  const append = (updates: readonly Uint8Array[]): Promise<void> => {
    if (isFailing) return Promise.reject(new Error("away"));
    appended.push(updates);
    return Promise.resolve();
  };
  const merge = (updates: readonly Uint8Array[]): Uint8Array => Uint8Array.from(updates.flatMap((each) => [...each]));
  const journal = new Journal(append, merge, () => {});
  void journal.record(Uint8Array.of(1));
  await vi.advanceTimersByTimeAsync(100);
  void journal.record(Uint8Array.of(2));
  isFailing = false;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(appended.map((updates) => updates.map((each) => [...each]))).toEqual([[[1], [2]]]);
  expect(journal.isStored).toBe(true);
  vi.useRealTimers();
});

it("[DOC-12] [STORE-5] what failed and cannot be merged is appended again as it was", async () => {
  vi.useFakeTimers();
  const appended: (readonly Uint8Array[])[] = [];
  let isFailing = true;
  const append = (updates: readonly Uint8Array[]): Promise<void> => {
    if (isFailing) return Promise.reject(new Error("away"));
    appended.push(updates);
    return Promise.resolve();
  };
  const merge = (): Uint8Array => {
    throw new Error("cannot be merged");
  };
  const journal = new Journal(append, merge, () => {});
  void journal.record(Uint8Array.of(1));
  void journal.record(Uint8Array.of(2));
  await vi.advanceTimersByTimeAsync(100);
  isFailing = false;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(appended.map((updates) => updates.map((each) => [...each]))).toEqual([[[1], [2]]]);
  expect(journal.isStored).toBe(true);
  vi.useRealTimers();
});

describe("a store that lacks part of a document", () => {
  /** What Alice wrote, without the second of three words. */
  function written() {
    const alice = new Y.Doc();
    const updates: Uint8Array[] = [];
    alice.on("update", (update: Uint8Array) => updates.push(update));
    const text = alice.getText("t");
    for (const word of ["one ", "two ", "three "]) text.insert(text.length, word);
    const [first, second, third] = updates;
    if (first === undefined || second === undefined || third === undefined) throw new Error("there are three");
    return { alice, stored: [first, third], missing: second };
  }

  it.each([
    { what: "some of what one client wrote", first: 0 },
    { what: "all that came before", first: 1 },
  ])(
    "[STORE-52] $what: the rest is there and can be written to, and who has what is missing completes it",
    async ({ first }) => {
      const errors: unknown[] = [];
      const { alice, stored } = written();
      const store = new MemoryDocumentStore();
      await store.append("doc", stored.slice(first));
      const { url } = await startRelay({ store, onError: (error) => errors.push(error) });
      const bob = stockClient(url, "doc");
      await until("Bob has the document", () => bob.synced);
      bob.doc.getMap("m").set("bob", 1);
      const carol = stockClient(url, "doc");
      await until("Carol reads what Bob wrote", () => carol.doc.getMap("m").get("bob") === 1);
      expect(carol.doc.getText("t").toJSON()).toBe(first === 0 ? "one " : "");
      const back = stockClient(url, "doc", { doc: alice });
      await until("all of it is there", () => carol.doc.getText("t").toJSON() === "one two three ");
      expect(back.doc.getMap("m").get("bob")).toBe(1);
      expect(errors.map(String)).toEqual([expect.stringContaining("waits for a client that has it")]);
      const kept = await store.load("doc", AbortSignal.timeout(5_000));
      const again = new Y.Doc();
      for (const update of kept?.updates ?? []) Y.applyUpdate(again, update);
      expect(again.getText("t").toJSON()).toBe("one two three ");
    },
  );
});
