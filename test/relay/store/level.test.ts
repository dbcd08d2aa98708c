import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { describe, expect, it, onTestFinished } from "vitest";
import * as Y from "yjs";
import type { StoredDocument } from "../../../src/relay/ports/stores/document-store.ts";
import { LevelDocumentStore } from "../../../src/relay/store/level.ts";
import { openStore } from "../../../src/relay/store/open.ts";
import { startRelay, until } from "../../support.ts";
import { testDocumentStore } from "./contract.ts";
import { peopleStoreContract } from "./people-contract.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "copresence-level-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function open(path = folder()): Promise<LevelDocumentStore> {
  const store = await LevelDocumentStore.open(path);
  onTestFinished(() => store.close());
  return store;
}

const never = (): AbortSignal => new AbortController().signal;

function update(text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText("t").insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

describe("[STORE-6] [STORE-7] [STORE-24] [STORE-25] the store in a folder", () => {
  testDocumentStore(() => {
    const path = mkdtempSync(join(tmpdir(), "copresence-level-"));
    return {
      open: () => LevelDocumentStore.open(path),
      remove: () => rmSync(path, { recursive: true, force: true }),
    };
  });

  it("has what was appended, and what was compacted, when it is opened again", async () => {
    const path = folder();
    const first = await LevelDocumentStore.open(path, { sync: true });
    const [one, two, three] = ["one", "two", "three"].map(update);
    await first.append("doc", [one!, two!]);
    const seen = (await first.load("doc", never()))!;
    await first.compact("doc", Y.mergeUpdates([...seen.updates]), seen.position);
    await first.append("doc", [three!]);
    const before = await first.load("doc", never());
    await first.close();
    const second = await open(path);
    expect(await second.load("doc", never())).toEqual(before);
    // numbers go on where they were
    expect(await second.append("doc", [one!])).toBe("4");
    expect((await second.load("doc", never()))?.updates).toEqual([three, one]);
  });

  it("[STORE-50] refuses the folder of another program, and leaves it as it is", async () => {
    const path = folder();
    const key = Uint8Array.of(0, 2, 118, 49); // as y-leveldb's keys begin
    const other = new ClassicLevel<Uint8Array, Uint8Array>(path, { keyEncoding: "view", valueEncoding: "view" });
    await other.put(key, update("theirs"));
    await other.close();
    await expect(LevelDocumentStore.open(path)).rejects.toThrow(/another program keeps its records.*--from y-leveldb/);
    await other.open(); // nobody holds the folder open
    expect((await other.keys().all()).length).toBe(1);
    await other.close();
  });

  it("is opened by one process at a time, and says so", async () => {
    const path = folder();
    await open(path);
    await expect(LevelDocumentStore.open(path)).rejects.toThrow(
      /cannot be opened: another process has it open: stop that first/,
    );
  });
});

describe("[PEOPLE-1] [PEOPLE-2] [PEOPLE-3] people in a folder", () => {
  peopleStoreContract(async () => (await open()).people);

  it("[PEOPLE-1] are there when it is opened again", async () => {
    const path = folder();
    const first = await LevelDocumentStore.open(path);
    const alice = { lobby: "@lobby", user: { id: "alice" }, choice: null, lastSeen: 7 };
    await first.people.save({ relay: "r_1", at: 9, changed: [alice], forgotten: [] });
    await first.close();
    const second = await open(path);
    for await (const batch of second.people.load(0, never())) expect(batch).toEqual([alice]);
  });
});

it("[STORE-8] a document of which a part is missing is reported by its key, and others are as they were", async () => {
  const path = folder();
  const first = await LevelDocumentStore.open(path);
  await first.append("a/b", [update("one"), update("two"), update("three")]);
  await first.append("doc", [update("whole")]);
  await first.close();
  const db = new ClassicLevel(path);
  await db.del("doc/a%2Fb/log/0000000000000002");
  await db.close();
  const second = await open(path);
  await expect(second.load("a/b", never())).rejects.toThrow(/doc\/a%2Fb\/ is damaged/);
  expect((await second.load("doc", never()))?.updates).toEqual([update("whole")].map(() => expect.anything()));
});

describe("[STORE-45] a long snapshot in a folder", () => {
  const LONG = 2 ** 20 + 1;
  const long = (fill: number): Uint8Array => new Uint8Array(LONG).fill(fill);

  /** The ends of a snapshot, and its length: two long arrays take long to compare. */
  const gist = (stored: StoredDocument | null): readonly (number | undefined)[] => [
    stored?.snapshot?.[0],
    stored?.snapshot?.at(-1),
    stored?.snapshot?.length,
  ];

  /** All keys of the folder, while no store has it open. */
  async function keysOf(path: string): Promise<string[]> {
    const db = new ClassicLevel(path);
    const keys = await db.keys().all();
    await db.close();
    return keys;
  }

  it("is in parts, of which nothing is left when another has taken its place, or the document is deleted", async () => {
    const path = folder();
    const first = await LevelDocumentStore.open(path);
    for (let round = 1; round <= 3; round++) {
      const position = await first.append("doc", [update("one"), update("two")]);
      expect(await first.compact("doc", long(round), position)).toBe(true);
      expect(gist(await first.load("doc", never()))).toEqual([round, round, LONG]);
    }
    await first.close();
    const keys = await keysOf(path);
    expect(keys.filter((key) => key.startsWith("part/"))).toHaveLength(5);
    expect(keys.filter((key) => !key.startsWith("part/"))).toEqual(["doc/doc/upto"]);
    const second = await LevelDocumentStore.open(path);
    expect(gist(await second.load("doc", never()))).toEqual([3, 3, LONG]);
    const short = update("short");
    // a short one takes its place, and a long one that of a short one
    expect(await second.compact("doc", short, await second.append("doc", [update("one")]))).toBe(true);
    expect((await second.load("doc", never()))?.snapshot).toEqual(short);
    expect(await second.compact("doc", long(4), await second.append("doc", [update("one")]))).toBe(true);
    expect(gist(await second.load("doc", never()))).toEqual([4, 4, LONG]);
    expect(await second.delete("doc")).toBe(true);
    await second.close();
    expect(await keysOf(path)).toEqual([]);
  });

  it("leaves nothing where another compaction was first, or the document was deleted meanwhile", async () => {
    const path = folder();
    const store = await LevelDocumentStore.open(path);
    const position = await store.append("doc", [update("one")]);
    const both = [store.compact("doc", long(1), position), store.compact("doc", long(2), position)];
    expect((await Promise.all(both)).filter(Boolean)).toHaveLength(1);
    expect([
      [1, 1, LONG],
      [2, 2, LONG],
    ]).toContainEqual(gist(await store.load("doc", never())));
    const later = await store.append("doc", [update("two")]);
    const [isDone, isDeleted] = await Promise.all([store.compact("doc", long(3), later), store.delete("doc")]);
    expect([isDone, isDeleted]).toEqual([false, true]);
    await store.close();
    expect(await keysOf(path)).toEqual([]);
  });

  it("that was being written when the relay was killed is dropped at the next start, and the document is as it was", async () => {
    const path = folder();
    const first = await LevelDocumentStore.open(path);
    await first.append("doc", [update("one"), update("two")]);
    const position = await first.append("doc", [update("three")]);
    await first.compact("doc", long(1), position);
    await first.append("doc", [update("four")]);
    await first.close();
    const db = new ClassicLevel<string, Uint8Array>(path, { valueEncoding: "view" });
    // killed while it wrote a snapshot, and killed before it dropped what it had compacted
    await db.put("unneeded/killed", new Uint8Array());
    for (const i of [0, 1]) await db.put(`part/killed/00000${i}`, long(7));
    await db.put("doc/doc/log/0000000000000002", update("two"));
    await db.close();
    const second = await LevelDocumentStore.open(path);
    const stored = await second.load("doc", never());
    expect([gist(stored), stored?.updates.length, stored?.position]).toEqual([[1, 1, LONG], 1, "4"]);
    await second.close();
    expect((await keysOf(path)).filter((key) => key.includes("killed"))).toEqual([]);
    const third = await LevelDocumentStore.open(path);
    await third.compact("doc", update("short"), (await third.load("doc", never()))?.position ?? "");
    await third.close();
    expect(await keysOf(path)).toEqual(["doc/doc/snapshot", "doc/doc/upto"]);
  });

  it("of which a part is missing is reported as damaged", async () => {
    for (const number of [0, 2, 4]) {
      const path = folder();
      const first = await LevelDocumentStore.open(path);
      await first.compact("doc", long(1), await first.append("doc", [update("one")]));
      await first.close();
      const [key] = (await keysOf(path)).filter((each) => each.endsWith(`/00000${number}`));
      const db = new ClassicLevel(path);
      await db.del(key ?? "");
      await db.close();
      const second = await open(path);
      await expect(second.load("doc", never())).rejects.toThrow(/doc\/doc\/ is damaged/);
    }
  });

  it("of an older version, in one piece, is read and compacted", async () => {
    const path = folder();
    const db = new ClassicLevel<string, Uint8Array>(path, { valueEncoding: "view" });
    await db.put("doc/doc/snapshot", long(1));
    await db.put("doc/doc/upto", new TextEncoder().encode("7"));
    await db.put("doc/doc/log/0000000000000008", update("eight"));
    await db.close();
    const store = await LevelDocumentStore.open(path);
    const stored = await store.load("doc", never());
    expect([gist(stored), stored?.updates.length, stored?.position]).toEqual([[1, 1, LONG], 1, "8"]);
    expect(await store.compact("doc", long(2), "8")).toBe(true);
    expect(gist(await store.load("doc", never()))).toEqual([2, 2, LONG]);
    await store.close();
    expect(await keysOf(path)).not.toContain("doc/doc/snapshot");
  });
});

it("[STORE-8] what says up to where a snapshot stands, and is damaged, damages that document alone", async () => {
  const path = folder();
  const first = await LevelDocumentStore.open(path);
  for (const room of ["doc", "other"])
    await first.compact(room, update("one"), await first.append(room, [update("one")]));
  await first.close();
  const db = new ClassicLevel(path);
  await db.put("doc/doc/upto", "seven");
  await db.close();
  const second = await open(path);
  await expect(second.load("doc", never())).rejects.toThrow(/doc\/doc\/ is damaged: doc\/doc\/upto is no number/);
  await expect(second.append("doc", [update("two")])).rejects.toThrow(/is damaged/);
  expect(await second.load("other", never())).not.toBeNull();
  // it can still be deleted
  expect(await second.delete("doc")).toBe(true);
  expect(await second.load("doc", never())).toBeNull();
});

it("[STORE-7] an address names a store, or is refused with what it may be", async () => {
  expect(await openStore("memory")).toBeNull();
  const store = await openStore(`file:${folder()}/made/when/needed`);
  await store?.close?.();
  await expect(openStore("redis://localhost", { label: "--store" })).rejects.toThrow(
    '--store must be "memory", "file:FOLDER" or "postgres://…", not "redis://localhost"',
  );
});

it("[PEOPLE-9] people whose records are damaged are left out and named, and all others are known", async () => {
  const path = folder();
  const first = await LevelDocumentStore.open(path);
  const lastSeen = Date.now() - 1_000;
  const record = (id: string) => ({ lobby: "@lobby", user: { id }, choice: null, lastSeen });
  await first.people.save({ relay: "r_1", at: 9, changed: ["alice", "bob", "carol"].map(record), forgotten: [] });
  await first.close();
  const db = new ClassicLevel(path);
  await db.put('person/r_1/["@lobby","alice"]', '{"lobby":');
  await db.put('person/r_1/["@lobby","carol"]', JSON.stringify({ ...record("carol"), user: null }));
  await db.put("relay/r_1", "yesterday");
  await db.close();
  const store = await LevelDocumentStore.open(path);
  const errors: string[] = [];
  const { relay } = await startRelay({ store, onError: (error) => errors.push(String(error)) });
  await until("Bob is known", () => relay.user("bob")?.lastSeen === lastSeen);
  expect(["alice", "carol"].map((id) => relay.user(id) ?? null)).toEqual([null, null]);
  expect(errors).toEqual([
    'Error: records of people are damaged, and are left out: person/r_1/["@lobby","alice"] and 1 more',
  ]);
  expect(relay.trouble).toBeNull();
});
