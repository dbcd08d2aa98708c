/** Relays whose store fails, takes long, is full, or holds what is damaged. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import * as Y from "yjs";
import type { DocumentStore, Position, StoredDocument } from "../../../src/relay/ports/stores/document-store.ts";
import { LevelDocumentStore } from "../../../src/relay/store/level.ts";
import { MemoryDocumentStore } from "../../../src/relay/store/memory.ts";
import { withCauses } from "../../../src/relay/util/report.ts";
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
  // as editors do that have a content to begin with
  for (const { provider, doc } of [hers, his]) {
    provider.once("sync", () => {
      if (doc.getText("t").length === 0) doc.getText("t").insert(0, "new");
    });
  }
  await until("they see each other", () => [hers, his].every(({ roster }) => roster.users.length === 2));
  const other = stockClient(url, "quick");
  await until("another room is served", () => other.synced);
  expect(performance.now() - begun).toBeLessThan(SLOW_MS / 2);
  expect([hers.provider.synced, his.provider.synced]).toEqual([false, false]);
  await until("both have the document", () => [hers, his].every(({ provider }) => provider.synced), SLOW_MS + 5_000);
  expect([hers, his].map(({ doc }) => doc.getText("t").toJSON())).toEqual(["from before", "from before"]);
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
function smallDisk(): string | null {
  const path = mkdtempSync(join(tmpdir(), "copresence-full-"));
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "copresence", path]).status !== 0) {
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
  const disk = smallDisk();
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
