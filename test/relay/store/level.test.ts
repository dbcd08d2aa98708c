import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { describe, expect, it, onTestFinished } from "vitest";
import * as Y from "yjs";
import { LevelDocumentStore } from "../../../src/relay/store/level.ts";
import { openStore } from "../../../src/relay/store/open.ts";
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

  it("is opened by one process at a time, and says so", async () => {
    const path = folder();
    await open(path);
    await expect(LevelDocumentStore.open(path)).rejects.toThrow(/cannot be opened: another process has it open/);
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

it("[STORE-7] an address names a store, or is refused with what it may be", async () => {
  expect(await openStore("memory")).toBeNull();
  const store = await openStore(`file:${folder()}/made/when/needed`);
  await store?.close?.();
  await expect(openStore("redis://localhost", { label: "--store" })).rejects.toThrow(
    '--store must be "memory", "file:FOLDER" or "postgres://…", not "redis://localhost"',
  );
});
