/** `copresence store`: what can be done with stored documents without a relay. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { describe, expect, it, onTestFinished } from "vitest";
import * as Y from "yjs";
import { LevelDocumentStore } from "../../../src/relay/store/level.ts";
import { copresenceStore, storeProcess } from "./command.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "copresence-command-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A text, as the updates of its words. */
function updatesOf(...words: readonly string[]): Uint8Array[] {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(update));
  for (const word of words) doc.getText("t").insert(doc.getText("t").length, word);
  return updates;
}

function textOf(update: Uint8Array): string {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, update);
  return doc.getText("t").toJSON();
}

/** A folder with these documents. */
async function stored(documents: Readonly<Record<string, readonly Uint8Array[]>>): Promise<readonly [string, string]> {
  const path = folder();
  const store = await LevelDocumentStore.open(path);
  for (const [room, updates] of Object.entries(documents)) await store.append(room, updates);
  await store.close();
  return [path, `file:${path}`];
}

describe("listing, exporting and importing", () => {
  it("[STORE-30] list prints each room that has a document, on a line without control characters", async () => {
    const [, store] = await stored({
      doc: updatesOf("one"),
      "a/b ü": updatesOf("two"),
      "evil\u001b[2J\n": updatesOf("three"),
    });
    const { code, lines, errors } = await copresenceStore(["list", "--store", store]);
    expect([code, errors]).toEqual([0, ""]);
    expect(lines.toSorted()).toEqual(["a/b ü", "doc", "evil%1B[2J%0A"]);
  });

  it("[STORE-31] export writes all of a document as one Yjs update, to standard output or to a file", async () => {
    const [path, store] = await stored({ doc: updatesOf("one ", "two ", "three") });
    const exported = await copresenceStore(["export", "doc", "--store", store]);
    expect(exported.code).toBe(0);
    expect(textOf(exported.bytes)).toBe("one two three");
    const file = join(path, "../doc.update");
    onTestFinished(() => rmSync(file, { force: true }));
    const env = { COPRESENCE_STORE: store };
    expect(await copresenceStore(["export", "doc", file], { env })).toMatchObject({ code: 0, lines: [], errors: "" });
    expect(textOf(readFileSync(file))).toBe("one two three");
  });

  it("[STORE-31] export of a room without a document ends with 1 and says so, and makes no folder for a wrong name", async () => {
    const [path, store] = await stored({ doc: updatesOf("one") });
    const none = await copresenceStore(["export", "other", "--store", store]);
    expect(none).toMatchObject({ code: 1, errors: `copresence: there is no document of other in ${store}\n` });
    const wrong = await copresenceStore(["export", "doc", "--store", `${store}-wrong`]);
    expect(wrong.code).toBe(1);
    expect(wrong.errors).toMatch(/there is no store in the folder .*-wrong/);
    expect(existsSync(`${path}-wrong`)).toBe(false);
  });

  it("[STORE-32] import adds an update to what there is, from standard input or from a file", async () => {
    const path = folder();
    const store = ["--store", `file:${path}/made/by/import`];
    const [first, second] = updatesOf("one ", "two") as [Uint8Array, Uint8Array];
    expect(await copresenceStore(["import", "doc", ...store], { input: first })).toMatchObject({ code: 0, errors: "" });
    const file = join(path, "second.update");
    writeFileSync(file, second);
    expect(await copresenceStore(["import", "doc", file, ...store])).toMatchObject({ code: 0, errors: "" });
    // once more changes nothing
    await copresenceStore(["import", "doc", file, ...store]);
    expect(textOf((await copresenceStore(["export", "doc", ...store])).bytes)).toBe("one two");
  });

  it("[STORE-44] import notes that the document is in use", async () => {
    const [path, store] = await stored({ doc: updatesOf("one") });
    const before = Date.now();
    await copresenceStore(["import", "doc", "--store", store], { input: updatesOf("two")[0] as Uint8Array });
    const opened = await LevelDocumentStore.open(path);
    onTestFinished(() => opened.close());
    const unusedBefore = async (moment: number): Promise<string[]> => {
      const names: string[] = [];
      for await (const room of opened.unused(moment, Infinity)) names.push(room);
      return names;
    };
    expect([await unusedBefore(before), await unusedBefore(Date.now() + 1)]).toEqual([[], ["doc"]]);
  });

  it("[STORE-32] import refuses what is no update, and says so of one that is not complete", async () => {
    const [, store] = await stored({});
    const into = (room: string): string[] => ["import", room, "--store", store];
    const [, second] = updatesOf("one ", "two") as [Uint8Array, Uint8Array];
    for (const input of [new Uint8Array(), new TextEncoder().encode("no update"), second.slice(0, -2)]) {
      const refused = await copresenceStore(into("doc"), { input });
      expect(refused).toMatchObject({ code: 1 });
      expect(refused.errors).toMatch(/is no Yjs update \(version 1\)/);
    }
    const missing = await copresenceStore([...into("doc"), "no-such-file"]);
    expect(missing).toMatchObject({ code: 1 });
    expect(missing.errors).toMatch(/the file no-such-file cannot be read/);
    const lobby = await copresenceStore(into("@lobby"), { input: second });
    expect(lobby).toMatchObject({ code: 2 });
    expect((await copresenceStore(["list", "--store", store])).lines).toEqual([]);
    const partial = await copresenceStore(into("doc"), { input: second });
    expect(partial.code).toBe(0);
    expect(partial.errors).toMatch(/doc is not complete/);
  });
});

describe("deleting, checking and compacting", () => {
  it("[STORE-35] delete takes documents away, and says which were not there", async () => {
    const [, store] = await stored({
      doc: updatesOf("one", "two"),
      "doc/b": updatesOf("three"),
      other: updatesOf("four"),
    });
    const deleted = await copresenceStore(["delete", "doc", "none", "other", "--store", store]);
    expect(deleted).toMatchObject({ code: 1, errors: `copresence: there is no document of none in ${store}\n` });
    expect((await copresenceStore(["list", "--store", store])).lines).toEqual(["doc/b"]);
    expect(await copresenceStore(["delete", "doc/b", "--store", store])).toMatchObject({ code: 0, errors: "" });
  });

  it("[STORE-34] check names each damaged document and what is wrong with it, and ends with 1", async () => {
    const whole = updatesOf("one ", "two ", "three");
    const broken = [whole[0]!, Uint8Array.of(9, 9, 9), whole[2]!];
    const [path, store] = await stored({ sound: whole, broken, cut: whole, gap: [whole[2]!] });
    const sound = await copresenceStore(["check", "sound", "--store", store]);
    expect(sound).toMatchObject({ code: 0, lines: [], errors: "copresence: 1 document read, 0 damaged\n" });
    const db = new ClassicLevel(path);
    await db.del("doc/cut/log/0000000000000002");
    await db.close();
    const found = await copresenceStore(["check", "--store", store]);
    expect(found.code).toBe(1);
    expect(found.lines.toSorted()).toEqual([
      "broken: update 2 of the 3 in its log is no Yjs update (version 1)",
      "cut: the stored document doc/cut/ is damaged: parts of it are missing",
      "gap: it builds on updates that are not there",
    ]);
    expect(found.errors).toBe("copresence: 4 documents read, 3 damaged\n");
  });

  it("[STORE-36] compact makes one snapshot of each log, and leaves a damaged document as it is", async () => {
    const whole = updatesOf("one ", "two ", "three");
    const [path, store] = await stored({ doc: whole, broken: [Uint8Array.of(9, 9, 9)] });
    const compacted = await copresenceStore(["compact", "--store", store]);
    expect(compacted.code).toBe(1);
    expect(compacted.errors).toMatch(
      /^copresence: broken was not compacted: update 1 of the 1 .*\n.*1 document compacted\n$/,
    );
    const opened = await LevelDocumentStore.open(path);
    const never = new AbortController().signal;
    const doc = await opened.load("doc", never);
    expect(doc?.updates).toEqual([]);
    expect(textOf(doc!.snapshot!)).toBe("one two three");
    expect((await opened.load("broken", never))?.updates).toHaveLength(1);
    await opened.close();
    expect(await copresenceStore(["compact", "doc", "--store", store])).toMatchObject({
      code: 0,
      errors: "copresence: 0 documents compacted\n",
    });
  });
});

describe("[STORE-37] a wrong call ends with 2 and says what to do", () => {
  it.for([
    [[], /store needs a subcommand: list, export, import, delete, check, compact/],
    [["lsit", "--store", "file:x"], /no subcommand "lsit"; there are list, /],
    [["list"], /which store\? Give --store or COPRESENCE_STORE: "file:FOLDER" or /],
    [["list", "--store", "memory"], /--store is "memory", which keeps nothing/],
    [["list", "--store", "nowhere"], /--store must be "memory", "file:FOLDER" or "postgres/],
    [["list", "--stroe", "x"], /Unknown option '--stroe'/],
    [["export", "--store", "file:."], /store export needs the name of a room/],
    [["export", "a", "b", "c", "--store", "file:."], /takes a room and at most one file, not "c"/],
    [["export", "..", "--store", "file:."], /is no name for a room/],
    [["delete", "--store", "file:."], /store delete needs the name of a room/],
    [["list", "--from", "file:x", "--store", "file:."], /--from is for store import alone/],
  ] as const)("%j", async ([args, message]) => {
    const cwd = folder();
    const { code, errors } = await copresenceStore(args.map((arg) => arg.replace(/^file:\.$/, `file:${cwd}`)));
    expect(errors).toMatch(message);
    expect(code).toBe(2);
  });

  it("and --help says what there is", async () => {
    const { code, lines } = await copresenceStore(["--help"]);
    expect(code).toBe(0);
    for (const name of [
      "list",
      "export ROOM",
      "import ROOM",
      "delete",
      "check",
      "compact",
      "y-leveldb:",
      "hocuspocus-sqlite:",
    ])
      expect(lines.join("\n")).toContain(name);
  });
});

it("[STORE-7] [STORE-37] a folder that a relay has open is refused, with the reason", async () => {
  const [path, store] = await stored({ doc: updatesOf("one") });
  const relay = await LevelDocumentStore.open(path);
  onTestFinished(() => relay.close());
  const { code, errors } = await copresenceStore(["list", "--store", store]);
  expect(code).toBe(1);
  expect(errors).toMatch(/cannot be opened: another process has it open/);
});

it("[STORE-37] the process takes and gives bytes, ends with the code, and says where help is after a wrong call", async () => {
  const [, store] = await stored({});
  const update = updatesOf("ü".repeat(100_000))[0]!;
  expect(await storeProcess(["import", "doc", "--store", store], { input: update })).toMatchObject({
    code: 0,
    errors: "",
  });
  const exported = await storeProcess(["export", "doc"], { env: { COPRESENCE_STORE: store } });
  expect(exported).toMatchObject({ code: 0, errors: "" });
  expect(Buffer.compare(exported.bytes, update)).toBe(0);
  expect(await storeProcess(["delete", "none", "--store", store])).toMatchObject({ code: 1 });
  const wrong = await storeProcess(["lsit"]);
  expect(wrong).toMatchObject({ code: 2, lines: [] });
  expect(wrong.errors).toMatch(/^copresence: store has no subcommand "lsit".*\nTry copresence store --help\.\n$/);
});
