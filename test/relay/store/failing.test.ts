/** Relays whose store fails, takes long, is full, or holds what is damaged. */
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import * as Y from "yjs";
import type { DocumentStore, Position, StoredDocument } from "../../../src/relay/ports/stores/document-store.ts";
import { LevelDocumentStore } from "../../../src/relay/store/level.ts";
import { MemoryDocumentStore } from "../../../src/relay/store/memory.ts";
import { LevelOutbox } from "../../../src/relay/webhooks/outbox/level.ts";
import { withCauses } from "../../../src/relay/util/reason.ts";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";

const SLOW_MS = 10_000;

/** A memory store of which rooms that begin with `slow` take ten seconds for everything. */
class HangingStore implements DocumentStore {
  readonly #store = new MemoryDocumentStore();

  async load(room: string, signal: AbortSignal): Promise<StoredDocument | null> {
    await pass(room);
    return this.#store.load(room, signal);
  }

  async append(room: string, updates: readonly Uint8Array[]): Promise<Position> {
    await pass(room);
    return this.#store.append(room, updates);
  }

  compact(room: string, snapshot: Uint8Array, upTo: Position): Promise<boolean> {
    return this.#store.compact(room, snapshot, upTo);
  }

  /** Stores a text, as an earlier relay did. */
  async put(room: string, text: string): Promise<void> {
    await this.#store.append(room, [updateOf(text)]);
  }
}

async function pass(room: string): Promise<void> {
  if (room.startsWith("slow")) await new Promise((resolve) => void setTimeout(resolve, SLOW_MS));
}

function updateOf(text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText("t").insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

function temporary(name: string): string {
  const path = mkdtempSync(join(tmpdir(), `copresence-${name}-`));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

it("[STORE-1] [STORE-26] a store that takes ten seconds holds up its document, and neither people nor other rooms", async () => {
  const store = new HangingStore();
  await store.put("slow", "from before");
  const { url } = await startRelay({ store });
  const begun = performance.now();
  const [alice, bob] = [ownClient(url, "alice"), ownClient(url, "bob")];
  const [hers, his] = [alice.join("slow"), bob.join("slow")];
  const stock = stockClient(url, "slow");
  // as editors do that have a content to begin with
  const filled =
    ({ doc }: { readonly doc: Y.Doc }) =>
    (): void => {
      if (doc.getText("t").length === 0) doc.getText("t").insert(0, "new");
    };
  for (const each of [hers, his]) each.provider.once("sync", filled(each));
  stock.once("sync", filled(stock));
  await until("they see each other, and the stock client", () =>
    [hers, his].every(({ roster }) => roster.users.length === 3),
  );
  const other = stockClient(url, "quick");
  await until("another room is served", () => other.synced);
  expect(performance.now() - begun).toBeLessThan(SLOW_MS / 2);
  const all = [hers.provider, his.provider, stock];
  expect(all.map(({ synced }) => synced)).toEqual([false, false, false]);
  await until("all have the document", () => all.every(({ synced }) => synced), SLOW_MS + 5_000);
  for (const { doc } of [hers, his, stock]) expect(doc.getText("t").toJSON()).toBe("from before");
});

it("[STORE-27] a damaged document is reported with its room and part, and other rooms are served", async () => {
  const folder = temporary("damaged");
  const before = await LevelDocumentStore.open(folder);
  await before.append("broken", [updateOf("one"), Uint8Array.of(1, 1, 200, 1, 0), updateOf("two")]);
  await before.append("doc", [updateOf("whole")]);
  await before.close();
  const errors: string[] = [];
  const store = await LevelDocumentStore.open(folder);
  const { url } = await startRelay({ store, onError: (error) => errors.push(withCauses(error)) });
  const [alice, bob] = [stockClient(url, "broken"), stockClient(url, "doc")];
  await until("it is reported", () => errors.length > 0);
  expect(errors[0]).toMatch(
    /the document of broken cannot be loaded: it is damaged: update 2 of the 3 in its log is no Yjs update/,
  );
  await until("Bob has his", () => bob.doc.getText("t").toJSON() === "whole");
  expect(alice.synced).toBe(false);
  expect(errors).toHaveLength(1);
});

/** A file system of a few megabytes; null where none may be mounted. */
function smallDisk(megabytes: number): string | null {
  const path = mkdtempSync(join(tmpdir(), "copresence-full-"));
  if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "copresence", path]).status !== 0) {
    rmSync(path, { recursive: true });
    return null;
  }
  onTestFinished(() => {
    execFileSync("umount", ["--lazy", path]);
    rmSync(path, { recursive: true });
  });
  return path;
}

it("[STORE-5] while the disk is full the room goes on, and all of it is stored when there is space again", async (context) => {
  const disk = smallDisk(4);
  if (disk === null) return context.skip("no file system can be mounted here");
  const errors: string[] = [];
  const folder = join(disk, "data");
  const store = await LevelDocumentStore.open(folder);
  const { url, relay } = await startRelay({ store, onError: (error) => errors.push(withCauses(error)) });
  const [alice, bob] = [stockClient(url, "doc"), stockClient(url, "doc")];
  await until("both are in sync", () => alice.synced && bob.synced);
  const type = async (text: string): Promise<void> => {
    alice.doc.getText("t").insert(alice.doc.getText("t").length, text);
    const { length } = alice.doc.getText("t");
    await until("Bob sees it", () => bob.doc.getText("t").length === length);
  };
  await type("before. ");
  const ballast = join(disk, "ballast");
  try {
    writeFileSync(ballast, new Uint8Array(8 * 2 ** 20));
  } catch {
    // as much as there is room for
  }
  for (let i = 0; i < 200 && errors.length === 0; i++) await type(`${i} `.repeat(2_000));
  expect(errors[0]).toMatch(/the document of doc cannot be stored: .*No space left on device/);
  await type("meanwhile. ");
  rmSync(ballast);
  await type("after.");
  const expected = alice.doc.getText("t").toJSON();
  for (const each of [alice, bob]) each.destroy();
  await relay.close();
  const again = await LevelDocumentStore.open(folder);
  const stored = await again.load("doc", new AbortController().signal);
  await again.close();
  const doc = new Y.Doc();
  for (const update of stored?.updates ?? []) Y.applyUpdate(doc, update);
  expect(doc.getText("t").toJSON()).toBe(expected);
});

/** Fills a disk, but for so many bytes. Returns what makes space again. */
function fill(disk: string, left: number): () => void {
  const { bavail, bsize } = statfsSync(disk);
  const ballast = join(disk, "ballast");
  writeFileSync(ballast, new Uint8Array(bavail * bsize - left));
  return () => rmSync(ballast);
}

it("[STORE-47] a folder whose disk was full while LevelDB wrote its tables is written again once there is space, and read all the time", async (context) => {
  const disk = smallDisk(24);
  if (disk === null) return context.skip("no file system can be mounted here");
  const store = await LevelDocumentStore.open(join(disk, "data"));
  onTestFinished(() => store.close());
  const never = (): AbortSignal => new AbortController().signal;
  const makeSpace = fill(disk, 6 * 2 ** 20);
  let count = 0;
  const append = async (): Promise<boolean> => {
    try {
      // what cannot be made shorter
      await store.append("doc", [randomBytes(50_000)]);
      count++;
      return true;
    } catch {
      return false;
    }
  };
  await until("the disk is full", async () => !(await append()), 20_000);
  for (let i = 0; i < 3; i++) await expect(store.append("doc", [randomBytes(50_000)])).rejects.toThrow("No space left");
  expect((await store.load("doc", never()))?.updates).toHaveLength(count);
  makeSpace();
  await until("it is written again", append, 20_000);
  expect((await store.load("doc", never()))?.updates).toHaveLength(count);
});

it("[STORE-47] [HOOK-7] webhooks that wait in a folder whose disk was full are written again once there is space", async (context) => {
  const disk = smallDisk(24);
  if (disk === null) return context.skip("no file system can be mounted here");
  const outbox = await LevelOutbox.open(join(disk, "outbox"));
  onTestFinished(() => outbox.close());
  const makeSpace = fill(disk, 6 * 2 ** 20);
  let count = 0;
  const queue = async (): Promise<boolean> => {
    try {
      const text = randomBytes(25_000).toString("hex");
      await outbox.write([{ type: "queue", receiver: "app", number: count + 1, text }]);
      count++;
      return true;
    } catch {
      return false;
    }
  };
  await until("the disk is full", async () => !(await queue()), 20_000);
  expect(await outbox.messages("app", 0, 10_000)).toHaveLength(count);
  makeSpace();
  await until("it is written again", queue, 20_000);
  expect(await outbox.messages("app", 0, 10_000)).toHaveLength(count);
});

it("[STORE-45] [STORE-47] a compaction that finds the disk full changes nothing, and is done once there is space", async (context) => {
  const disk = smallDisk(24);
  if (disk === null) return context.skip("no file system can be mounted here");
  const store = await LevelDocumentStore.open(join(disk, "data"));
  onTestFinished(() => store.close());
  const long = randomBytes(4 * 2 ** 20);
  const position = await store.append("doc", [updateOf("one"), updateOf("two")]);
  const makeSpace = fill(disk, 2 ** 20);
  await expect(store.compact("doc", long, position)).rejects.toThrow("No space left");
  const load = (): Promise<StoredDocument | null> => store.load("doc", new AbortController().signal);
  expect(await load()).toMatchObject({ snapshot: null, position });
  makeSpace();
  let isDone = false;
  await until(
    "it is compacted",
    async () => {
      isDone ||= await store.compact("doc", long, position).catch(() => false);
      return isDone;
    },
    20_000,
  );
  expect(Buffer.compare((await load())?.snapshot ?? new Uint8Array(), long)).toBe(0);
});
