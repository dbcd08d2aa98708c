/** The table of Hocuspocus' SQLite extension: a name and all of a document as one Yjs update in each row. [STORE-41] */
import { readFile, stat } from "node:fs/promises";
import type { Database, SqlJsStatic } from "sql.js";
import { reasonOf } from "../../../relay/util/reason.ts";
import { withPackage } from "../../../relay/util/optional-package.ts";
import type { DocumentSource, SourceDocument } from "./document-source.ts";

/** Where the header of a SQLite file says that changes go to another file first (2), or not (1): to be read, and written. */
const JOURNAL_MODE = [18, 19] as const;

/** @param file one that is there, and that nobody writes to */
export async function openHocuspocusSqlite(file: string): Promise<DocumentSource> {
  const sql = await loadSql();
  const bytes = await readWhole(file);
  const db = new sql.Database(bytes);
  try {
    db.exec('SELECT "name", "data" FROM "documents" LIMIT 1');
  } catch (error) {
    db.close();
    throw new Error(`${file} is no database of Hocuspocus' SQLite extension: ${reasonOf(error)}`, { cause: error });
  }
  return {
    name: file,
    documents: () => documentsOf(db),
    close: () => Promise.resolve(db.close()),
  };
}

async function loadSql(): Promise<SqlJsStatic> {
  const { default: load } = await withPackage("sql.js", "a SQLite file", () => import("sql.js"));
  return await load();
}

/** Reads the file, if all that was written is in it. */
async function readWhole(file: string): Promise<Uint8Array> {
  for (const suffix of ["-wal", "-journal"]) {
    const size = await stat(`${file}${suffix}`).then(
      (found) => found.size,
      () => 0,
    );
    if (size > 0) {
      throw new Error(
        `${file}${suffix} has changes that are not in ${file}: stop Hocuspocus, then run ` +
          `sqlite3 ${file} "PRAGMA wal_checkpoint(TRUNCATE)"`,
      );
    }
  }
  const bytes = new Uint8Array(await readFile(file));
  // there is no such other file, and in memory there cannot be one
  for (const at of JOURNAL_MODE) if (bytes[at] === 2) bytes[at] = 1;
  return bytes;
}

async function* documentsOf(db: Database): AsyncGenerator<SourceDocument, void> {
  const rows = db.prepare('SELECT "name", "data" FROM "documents"');
  try {
    while (rows.step()) {
      const [name, data] = rows.get();
      const read = (): Promise<readonly Uint8Array[]> =>
        Promise.resolve([data instanceof Uint8Array ? data : new Uint8Array()]);
      yield { room: String(name), read };
    }
  } finally {
    rows.free();
  }
}
