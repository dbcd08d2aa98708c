/** Documents that come from other servers, as their own libraries wrote them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import initSqlJs from "sql.js";
import { describe, expect, it, onTestFinished } from "vitest";
import { LeveldbPersistence } from "y-leveldb";
import * as Y from "yjs";
import { copresenceStore } from "./command.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "copresence-sources-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A document of many kinds of things, made by two people, of which some is deleted; and the updates that made it. */
function rich(seed: string): { readonly doc: Y.Doc; readonly updates: readonly Uint8Array[] } {
  const [doc, other] = [new Y.Doc(), new Y.Doc()];
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(update));
  other.on("update", (update: Uint8Array, origin: unknown) => origin !== "sync" && Y.applyUpdate(doc, update));
  doc.on("update", (update: Uint8Array) => Y.applyUpdate(other, update, "sync"));
  const text = doc.getText("t");
  for (let i = 0; i < 60; i++) text.insert((i * 7) % (text.length + 1), `${seed}${i} `);
  text.format(2, 10, { bold: true });
  text.delete(5, 20);
  const map = doc.getMap("m");
  map.set("nested", new Y.Map([["list", new Y.Array()]]));
  (map.get("nested") as Y.Map<Y.Array<unknown>>).get("list")?.push([1, "two", { three: [3] }, null, Uint8Array.of(4)]);
  other.getText("t").insert(0, "🎉 ");
  other.getMap("m").set("by", "Bob");
  other.getXmlFragment("x").push([new Y.XmlElement("p")]);
  map.delete("by");
  return { doc, updates };
}

/** All that can be told of a document. */
function contentOf(doc: Y.Doc): unknown {
  return {
    text: doc.getText("t").toDelta() as unknown,
    map: doc.getMap("m").toJSON(),
    xml: doc.getXmlFragment("x").toJSON(),
    clocks: [...Y.decodeStateVector(Y.encodeStateVector(doc))].toSorted(([a], [b]) => a - b),
    deleted: Y.encodeSnapshot(Y.snapshot(doc)),
  };
}

async function exported(store: string, room: string): Promise<Y.Doc> {
  const { bytes, errors } = await copresenceStore(["export", room, "--store", store]);
  expect(errors).toBe("");
  const doc = new Y.Doc();
  Y.applyUpdate(doc, bytes);
  return doc;
}

describe("[STORE-40] a folder of y-leveldb", () => {
  it("gives exactly its documents, each to the room that its URL names", async () => {
    const [from, store] = [folder(), `file:${folder()}`];
    const persistence = new LeveldbPersistence(from);
    const documents = { plain: rich("a"), "my%20doc%2Fpart": rich("b"), "tenant/doc": rich("c"), "100%": rich("d") };
    for (const [name, { updates }] of Object.entries(documents)) {
      for (const update of updates) await persistence.storeUpdate(name, update);
      await persistence.setMeta(name, "title", { text: "not a part of the document" });
    }
    // one as that server leaves it when all have left
    await persistence.flushDocument("tenant/doc");
    await persistence.storeUpdate("later", rich("e").updates[0]!);
    const later = await persistence.getYDoc("later");
    await persistence.destroy();
    const imported = await copresenceStore(["import", "--from", `y-leveldb:${from}`, "--store", store]);
    expect(imported).toMatchObject({ code: 0, errors: `copresence: 5 documents imported from ${from}\n` });
    const rooms = (await copresenceStore(["list", "--store", store])).lines;
    expect(rooms.toSorted()).toEqual(["100%", "later", "my doc/part", "plain", "tenant/doc"]);
    for (const [room, name] of [
      ["plain", "plain"],
      ["my doc/part", "my%20doc%2Fpart"],
      ["tenant/doc", "tenant/doc"],
      ["100%", "100%"],
    ] as const) {
      expect(contentOf(await exported(store, room))).toEqual(contentOf(documents[name].doc));
    }
    expect(contentOf(await exported(store, "later"))).toEqual(contentOf(later));
  });

  it("gives the rooms that are named, says which are not there, and is not made where there is none", async () => {
    const [from, store] = [folder(), `file:${folder()}`];
    const persistence = new LeveldbPersistence(from);
    for (const name of ["one", "two", "three"]) await persistence.storeUpdate(name, rich(name).updates[0]!);
    await persistence.storeUpdate("@lobby", rich("lobby").updates[0]!);
    await persistence.destroy();
    const some = ["import", "--from", `y-leveldb:${from}`, "two", "four", "@lobby", "--store", store];
    const { code, errors } = await copresenceStore(some);
    expect(code).toBe(1);
    expect(errors).toMatch(
      /@lobby was not imported: .*lobbies\n.*four was not imported: there is no such document in .*\n.*1 document imported/,
    );
    expect((await copresenceStore(["list", "--store", store])).lines).toEqual(["two"]);
    const none = await copresenceStore(["import", "--from", `y-leveldb:${from}/none`, "--store", store]);
    expect(none).toMatchObject({ code: 1 });
    expect(none.errors).toMatch(/there is no LevelDB in the folder .*none/);
  });
});

describe("[STORE-41] a database of Hocuspocus' SQLite extension", () => {
  /** The table of version 4.7, and a row as that extension writes it. */
  const SCHEMA =
    'CREATE TABLE IF NOT EXISTS "documents" ("name" varchar(255) NOT NULL, "data" blob NOT NULL, UNIQUE(name))';

  async function database(documents: Readonly<Record<string, Uint8Array>>): Promise<string> {
    const sql = await initSqlJs();
    const db = new sql.Database();
    db.run(SCHEMA);
    for (const [name, data] of Object.entries(documents)) {
      db.run('INSERT INTO "documents" ("name", "data") VALUES ($name, $data)', { $name: name, $data: data });
    }
    const file = join(folder(), "db.sqlite");
    writeFileSync(file, db.export());
    db.close();
    return file;
  }

  /**
   * A file that @hocuspocus/server 4.7.0 wrote with @hocuspocus/extension-sqlite 4.7.0 and better-sqlite3 12.11.1, which has to be
   * compiled to be installed; beside it the documents as that server had them, as Yjs updates.
   */
  it("that the extension itself wrote is imported exactly", async () => {
    const place = fileURLToPath(new URL("./hocuspocus/", import.meta.url));
    const documents = JSON.parse(readFileSync(join(place, "documents.json"), "utf8")) as Record<string, string>;
    const store = `file:${folder()}`;
    const from = `hocuspocus-sqlite:${join(place, "documents.sqlite")}`;
    expect(await copresenceStore(["import", "--from", from, "--store", store])).toMatchObject({ code: 0 });
    expect((await copresenceStore(["list", "--store", store])).lines.toSorted()).toEqual(
      Object.keys(documents).toSorted(),
    );
    for (const [room, update] of Object.entries(documents)) {
      const doc = new Y.Doc();
      Y.applyUpdate(doc, Buffer.from(update, "base64"));
      expect(doc.getText("t").length).toBeGreaterThan(100);
      expect(contentOf(await exported(store, room))).toEqual(contentOf(doc));
    }
  });

  it("gives exactly its documents, each to the room of its name", async () => {
    const documents = { plain: rich("a"), "my%20doc": rich("b"), "tenant/doc ü": rich("c") };
    const rows = Object.entries(documents).map(([name, { doc }]) => [name, Y.encodeStateAsUpdate(doc)] as const);
    const [from, store] = [await database(Object.fromEntries(rows)), `file:${folder()}`];
    const imported = await copresenceStore(["import", "--from", `hocuspocus-sqlite:${from}`, "--store", store]);
    expect(imported).toMatchObject({ code: 0, errors: `copresence: 3 documents imported from ${from}\n` });
    for (const [room, { doc }] of Object.entries(documents)) {
      expect(contentOf(await exported(store, room))).toEqual(contentOf(doc));
    }
  });

  it("is refused while its latest changes lie beside it, and is read when its header only says that they may", async () => {
    const [from, store] = [await database({ doc: Y.encodeStateAsUpdate(rich("a").doc) }), `file:${folder()}`];
    const command = ["import", "--from", `hocuspocus-sqlite:${from}`, "--store", store];
    writeFileSync(`${from}-wal`, "changes");
    const refused = await copresenceStore(command);
    expect(refused.code).toBe(1);
    expect(refused.errors).toMatch(
      /-wal has changes that are not in .*: stop Hocuspocus, then run sqlite3 .*wal_checkpoint/,
    );
    rmSync(`${from}-wal`);
    const bytes = readFileSync(from);
    bytes.fill(2, 18, 20);
    writeFileSync(from, bytes);
    expect(await copresenceStore(command)).toMatchObject({ code: 0 });
  });
});

it("[STORE-33] documents of another store of ours are taken, and one that is damaged is reported", async () => {
  const [from, store] = [`file:${folder()}`, `file:${folder()}`];
  const { doc, updates } = rich("a");
  await copresenceStore(["import", "doc", "--store", from], { input: Y.mergeUpdates([...updates]) });
  const { LevelDocumentStore } = await import("../../../src/relay/store/level.ts");
  const damaged = await LevelDocumentStore.open(from.slice("file:".length));
  await damaged.append("broken", [Uint8Array.of(1, 2, 3)]);
  await damaged.close();
  const { code, errors } = await copresenceStore(["import", "--from", from, "--store", store]);
  expect(code).toBe(1);
  expect(errors).toMatch(/broken was not imported: update 1 of the 1 .*\n.*1 document imported/);
  expect(contentOf(await exported(store, "doc"))).toEqual(contentOf(doc));
});

it("[STORE-33] what is no source is refused with what it may be", async () => {
  const { code, errors } = await copresenceStore(["import", "--from", "mongodb:x", "--store", `file:${folder()}`]);
  expect(code).toBe(2);
  expect(errors).toMatch(
    /--from must be "y-leveldb:FOLDER", "hocuspocus-sqlite:FILE", or the address of another store/,
  );
  const file = join(folder(), "text.sqlite");
  writeFileSync(file, "no database");
  const none = await copresenceStore(["import", "--from", `hocuspocus-sqlite:${file}`, "--store", `file:${folder()}`]);
  expect(none).toMatchObject({ code: 1 });
  expect(none.errors).toMatch(/is no database of Hocuspocus' SQLite extension/);
});
