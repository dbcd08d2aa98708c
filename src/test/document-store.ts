/** What every store of documents has to do, whatever keeps them. [STORE-25] */
import assert from "node:assert/strict";
import * as Y from "yjs";
import type { DocumentStore, StoredDocument } from "../relay/ports/stores/document-store.ts";

/** Where a store keeps its documents: a folder, a database, a bucket. Each test gets an empty one. */
export interface DocumentStorePlace {
  /** Opens the store. Called again after the store was closed; and while it is open, if the place is `shared`. */
  open(): DocumentStore | Promise<DocumentStore>;
  /** What was stored is there when the store is opened again. Default true. */
  readonly lasting?: boolean;
  /** Several stores may be open at the place at a time, as those of several relays are. Default false. */
  readonly shared?: boolean;
  /** Frees the place. Called at the end of each test, when all of its stores are closed. */
  remove?(): void | Promise<void>;
}

/** One test of the contract. */
export interface ContractTest {
  /** What the store has to do. */
  readonly name: string;
  /** Resolves when the store does so, and rejects with an `AssertionError` of Node when not. Takes a minute at most. */
  readonly run: () => Promise<void>;
}

/**
 * The tests that an adapter of the store has to pass, for a runner of your choice:
 *
 * ```js
 * for (const { name, run } of documentStoreContract(() => ({ open: () => new MyStore() }))) test(name, run);
 * ```
 *
 * Where a store has no `list` or `delete`, or its place is neither `lasting` nor `shared`, the tests of those are left out
 * when they run: they pass.
 *
 * @param makePlace makes an empty place; called once for each test
 */
export function documentStoreContract(
  makePlace: () => DocumentStorePlace | Promise<DocumentStorePlace>,
): readonly ContractTest[] {
  return Object.entries(TESTS).map(([name, test]) => ({ name, run: () => runIn(makePlace, test) }));
}

/** What a test works with. */
interface Bench {
  readonly place: DocumentStorePlace;
  readonly store: DocumentStore;
  /** Opens the store once more. */
  readonly another: () => Promise<DocumentStore>;
  /** Closes a store before the test ends. */
  readonly close: (store: DocumentStore) => Promise<void>;
}

async function runIn(
  makePlace: () => DocumentStorePlace | Promise<DocumentStorePlace>,
  test: (bench: Bench) => Promise<void>,
): Promise<void> {
  const place = await makePlace();
  const open = new Set<DocumentStore>();
  const another = async (): Promise<DocumentStore> => {
    const store = await place.open();
    open.add(store);
    return store;
  };
  const close = async (store: DocumentStore): Promise<void> => {
    open.delete(store);
    await store.close?.();
  };
  try {
    await test({ place, store: await another(), another, close });
  } finally {
    for (const store of open) await store.close?.();
    await place.remove?.();
  }
}

/** Writers, updates of each, and compactors of the test of all at once. */
const WRITERS = 4;
const UPDATES = 400;
const COMPACTORS = 3;
/** So many updates wait for a compaction. */
const LOG = 8;
/** Each of the compactors rests so long, ms. */
const COMPACT_MS = 3;
/** Bytes of a large update. */
const LARGE = 2 * 2 ** 20;

const TESTS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  "has nothing of a room that nobody wrote in": async ({ store }) => {
    assert.equal(await load(store, "doc"), null);
  },

  "gives back what was appended, in order": async ({ store }) => {
    const alice = writer();
    const said = ["one ", "two ", "three"].map(alice);
    await store.append("doc", said.slice(0, 2));
    await store.append("doc", said.slice(2));
    const stored = await load(store, "doc");
    assert.deepEqual(stored?.updates.map(bytes), said.map(bytes));
    assert.equal(textOf(stored), "one two three");
  },

  "keeps the document of each room apart, whatever its name": async ({ store }) => {
    const rooms = [
      "doc",
      "doc/",
      "doc/log",
      "doc0",
      "Doc",
      "a/b %20 ü",
      "a/b%20%20%C3%BC",
      "日本 🎉",
      "%00",
      "\0",
      "~.!*'()",
      "x".repeat(200),
    ];
    for (const room of rooms) await store.append(room, [writer()(room)]);
    for (const room of rooms) assert.equal(textOf(await load(store, room)), room);
  },

  "keeps a copy: the caller may use its bytes again": async ({ store }) => {
    const update = writer()("kept").slice();
    await store.append("doc", [update]);
    update.fill(0);
    assert.equal(textOf(await load(store, "doc")), "kept");
  },

  "keeps large updates and large snapshots whole": async ({ store }) => {
    const doc = new Y.Doc();
    const value = Uint8Array.from({ length: LARGE }, (_, i) => i % 251);
    doc.getMap("m").set("large", value);
    const update = Y.encodeStateAsUpdate(doc);
    await store.append("doc", [update, update]);
    const before = await loaded(store, "doc");
    assert.deepEqual(
      before.updates.map((each) => isEqual(each, update)),
      [true, true],
    );
    assert.equal(await store.compact("doc", update, before.position), true);
    const { snapshot } = await loaded(store, "doc");
    assert.ok(snapshot !== null && isEqual(snapshot, update), "the snapshot is another");
  },

  "puts a snapshot in the place of all up to its position, and keeps what came later": async ({ store }) => {
    const alice = writer();
    await store.append("doc", [alice("one "), alice("two ")]);
    const before = await loaded(store, "doc");
    await store.append("doc", [alice("three")]);
    assert.equal(await store.compact("doc", wholeOf(before), before.position), true);
    const after = await loaded(store, "doc");
    assert.deepEqual(bytes(after.snapshot), bytes(wholeOf(before)));
    assert.equal(after.updates.length, 1);
    assert.equal(textOf(after), "one two three");
  },

  "compacts up to the position that append returned": async ({ store }) => {
    const alice = writer();
    const update = alice("one ");
    const position = await store.append("doc", [update]);
    await store.append("doc", [alice("two")]);
    assert.equal(await store.compact("doc", update, position), true);
    const after = await loaded(store, "doc");
    assert.equal(after.updates.length, 1);
    assert.equal(textOf(after), "one two");
  },

  "changes nothing in the second of two compactions of the same": async ({ store }) => {
    const alice = writer();
    await store.append("doc", [alice("one ")]);
    const seen = await loaded(store, "doc");
    await store.append("doc", [alice("two ")]);
    const later = await loaded(store, "doc");
    assert.equal(await store.compact("doc", wholeOf(later), later.position), true);
    assert.equal(await store.compact("doc", wholeOf(seen), seen.position), false);
    assert.equal(textOf(await load(store, "doc")), "one two ");
  },

  "changes nothing in a compaction of a room that has no document": async ({ store }) => {
    const position = await store.append("doc", [writer()("one")]);
    assert.equal(await store.compact("other", writer()("two"), position), false);
    assert.equal(await load(store, "other"), null);
  },

  "loses nothing of many writers while several compact": ({ store }) => race([store]),

  "loses nothing when two relays write and compact at one place": async ({ place, store, another }) => {
    if (place.shared === true) await race([store, await another()]);
  },

  "shows each relay what another has appended and compacted": async ({ place, store, another }) => {
    if (place.shared !== true) return;
    const other = await another();
    const alice = writer();
    await store.append("doc", [alice("one ")]);
    await other.append("doc", [alice("two")]);
    const seen = await loaded(store, "doc");
    assert.equal(textOf(seen), "one two");
    assert.equal(await other.compact("doc", wholeOf(seen), seen.position), true);
    assert.equal((await loaded(store, "doc")).updates.length, 0);
    assert.equal(await store.compact("doc", wholeOf(seen), seen.position), false);
  },

  "has what was appended and compacted when it is opened again, and goes on from there": async (bench) => {
    if (bench.place.lasting === false) return;
    const alice = writer();
    await bench.store.append("doc", [alice("one "), alice("two ")]);
    const seen = await loaded(bench.store, "doc");
    assert.equal(await bench.store.compact("doc", wholeOf(seen), seen.position), true);
    await bench.store.append("doc", [alice("three ")]);
    await bench.close(bench.store);
    const again = await bench.another();
    await again.append("doc", [alice("four")]);
    const after = await loaded(again, "doc");
    assert.equal(after.updates.length, 2);
    assert.equal(textOf(after), "one two three four");
  },

  "does not load for one who wants the document no longer": async ({ store }) => {
    await store.append("doc", [writer()("one")]);
    const controller = new AbortController();
    controller.abort(new Error("left"));
    await assert.rejects(async () => await store.load("doc", controller.signal), /left/);
  },

  "lists each room with a document once": async ({ store }) => {
    if (store.list === undefined) return;
    assert.deepEqual(await namesOf(store.list()), []);
    const rooms = ["doc", "doc/log", "a/b %20 ü", "\0", ...Array.from({ length: 50 }, (_, i) => `room-${i}`)];
    for (const room of rooms) await store.append(room, [writer()("one"), writer()("two")]);
    const seen = await loaded(store, "doc");
    await store.compact("doc", wholeOf(seen), seen.position);
    assert.deepEqual(await namesOf(store.list()), rooms.toSorted());
  },

  "deletes one document, and begins it anew when it is written to again": async ({ store }) => {
    if (store.delete === undefined) return;
    assert.equal(await store.delete("doc"), false);
    const alice = writer();
    for (const room of ["doc", "doc/log", "doc0"]) await store.append(room, [alice(`${room} `)]);
    const before = await loaded(store, "doc");
    assert.equal(await store.compact("doc", wholeOf(before), before.position), true);
    await store.append("doc", [alice("more")]);
    assert.equal(await store.delete("doc"), true);
    assert.equal(await load(store, "doc"), null);
    assert.equal(await store.delete("doc"), false);
    if (store.list !== undefined) assert.deepEqual(await namesOf(store.list()), ["doc/log", "doc0"]);
    assert.notEqual(await load(store, "doc/log"), null);
    await store.append("doc", [writer()("anew")]);
    assert.equal(textOf(await load(store, "doc")), "anew");
  },

  "names the documents that were last in use before a moment, and deletes one only if it still is unused": async (
    bench,
  ) => {
    const { store } = bench;
    if (store.touch === undefined || store.unused === undefined || store.delete === undefined) return;
    const namesBefore = (before: number, now: number): Promise<string[]> =>
      namesOf(store.unused?.(before, now) ?? nothing());
    for (const room of ["old", "new", "never noted"]) await store.append(room, [writer()("one")]);
    await store.touch(["old", "new", "no document"], 1_000);
    await store.touch(["new"], 5_000);
    assert.deepEqual(await namesBefore(1_000, 6_000), []);
    assert.deepEqual(await namesBefore(1_001, 6_000), ["old"]);
    // what nobody had noted is in use when that is asked for the first time
    assert.deepEqual(await namesBefore(5_001, 7_000), ["new", "old"]);
    assert.deepEqual(await namesBefore(6_001, 9_000), ["never noted", "new", "old"]);
    assert.equal(await store.delete("new", 5_000), false);
    assert.equal(await store.delete("old", 5_000), true);
    assert.equal(await store.delete("no document", 5_000), false);
    assert.equal(await load(store, "old"), null);
    assert.equal(textOf(await load(store, "new")), "one");
    if (store.list !== undefined) assert.deepEqual(await namesOf(store.list()), ["never noted", "new"]);
    // a document that is begun anew is another one
    await store.append("old", [writer()("anew")]);
    assert.equal(await store.delete("old", 5_000), false);
    assert.equal(textOf(await load(store, "old")), "anew");
    if (bench.place.lasting === false) return;
    await bench.close(store);
    const again = await bench.another();
    assert.deepEqual(await namesOf(again.unused?.(5_001, 9_000) ?? nothing()), ["new"]);
  },

  "changes nothing in a compaction that began before the document was deleted": async ({ store }) => {
    if (store.delete === undefined) return;
    const [alice, bob] = [writer(), writer()];
    await store.append("doc", [alice("one "), alice("two ")]);
    const seen = await loaded(store, "doc");
    await store.delete("doc");
    assert.equal(await store.compact("doc", wholeOf(seen), seen.position), false);
    for (let i = 0; i < 4; i++) await store.append("doc", [bob(".")]);
    assert.equal(await store.compact("doc", wholeOf(seen), seen.position), false);
    assert.equal(textOf(await load(store, "doc")), "....");
  },
};

/** Writers write while compactors compact; in the end all of it must be there. */
async function race(stores: readonly DocumentStore[]): Promise<void> {
  const storeOf = (i: number): DocumentStore => stores[i % stores.length] as DocumentStore;
  const writing = { isOver: false };
  const compact = async (store: DocumentStore): Promise<number> => {
    let count = 0;
    while (!writing.isOver) {
      const stored = await load(store, "doc");
      if (stored !== null && stored.updates.length > LOG) {
        if (await store.compact("doc", wholeOf(stored), stored.position)) count++;
      }
      await turn(COMPACT_MS);
    }
    return count;
  };
  const write = async (store: DocumentStore): Promise<void> => {
    const nextUpdate = writer();
    for (let i = 0; i < UPDATES; i++) {
      await store.append("doc", [nextUpdate(".")]);
      if (i % 10 === 0) await turn();
    }
  };
  const compactors = Array.from({ length: COMPACTORS }, (_, i) => compact(storeOf(i)));
  try {
    await Promise.all(Array.from({ length: WRITERS }, (_, i) => write(storeOf(i))));
  } finally {
    writing.isOver = true;
  }
  const counts = await Promise.all(compactors);
  assert.ok(
    counts.some((count) => count > 0),
    "no compaction succeeded",
  );
  for (const store of stores) assert.equal(textOf(await load(store, "doc")).length, WRITERS * UPDATES);
}

/** Somebody who writes one text: gives the update of each word. */
function writer(): (word: string) => Uint8Array {
  const doc = new Y.Doc();
  let last: Uint8Array = new Uint8Array();
  doc.on("update", (update: Uint8Array) => (last = update));
  return (word) => {
    doc.getText("t").insert(doc.getText("t").length, word);
    return last;
  };
}

function wholeOf({ snapshot, updates }: StoredDocument): Uint8Array {
  return Y.mergeUpdates(snapshot === null ? [...updates] : [snapshot, ...updates]);
}

function textOf(stored: StoredDocument | null): string {
  const doc = new Y.Doc();
  if (stored !== null) Y.applyUpdate(doc, wholeOf(stored));
  return doc.getText("t").toJSON();
}

/** Buffers and arrays of bytes alike. */
function bytes(value: Uint8Array | null): string | null {
  return value === null ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(b);
}

async function load(store: DocumentStore, room: string): Promise<StoredDocument | null> {
  return await store.load(room, new AbortController().signal);
}

async function loaded(store: DocumentStore, room: string): Promise<StoredDocument> {
  const stored = await load(store, room);
  assert.notEqual(stored, null, `there is no document of ${room}`);
  return stored as StoredDocument;
}

async function namesOf(rooms: AsyncIterable<string>): Promise<string[]> {
  const names: string[] = [];
  for await (const room of rooms) names.push(room);
  return names.toSorted();
}

async function* nothing(): AsyncGenerator<string, void> {}

/** Lets others go on, for so many ms. */
function turn(ms = 0): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
