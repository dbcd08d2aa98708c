/**
 * A LevelDB whose disk may be full for a while. Once LevelDB could not write it takes nothing any more, even when there is
 * space again, until it is opened anew; what it has can be read all the time. So it is opened anew before the next write, once
 * there is space for that. [STORE-47]
 */
import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { causeOf, codeOf, reasonOf } from "../util/reason.ts";

export type Level = ClassicLevel<string, Uint8Array>;

/** What opening takes on the disk besides what is in the log, which it writes anew, bytes. */
const OPENING_BYTES = 256 * 2 ** 10;
/**
 * LevelDB maps each file that it has open, 2 MB: what was read of a thousand of them would count as the relay's memory. This is
 * the least that it takes.
 */
const MAX_OPEN_FILES = 74;
/** What LevelDB keeps of what it read, bytes: a document is read once, and the system keeps its files in mind, too. */
const CACHE_BYTES = 2 ** 20;
/** What LevelDB gathers before it writes a file: twice that stays in memory, and writing waits no longer than one such file takes. */
const WRITE_BUFFER_BYTES = 2 ** 20;

export class LevelDatabase {
  readonly #folder: string;
  readonly #db: Level;
  /** Why it is to be opened anew. */
  #failure: unknown = null;
  #mending: Promise<void> | null = null;
  #isClosed = false;

  private constructor(folder: string, db: Level) {
    this.#folder = folder;
    this.#db = db;
  }

  /** Opens a folder, and makes it if there is none. */
  static async open(folder: string): Promise<LevelDatabase> {
    const db: Level = new ClassicLevel(folder, {
      keyEncoding: "utf8",
      valueEncoding: "view",
      maxOpenFiles: MAX_OPEN_FILES,
      cacheSize: CACHE_BYTES,
      writeBufferSize: WRITE_BUFFER_BYTES,
    });
    await db.open();
    return new LevelDatabase(folder, db);
  }

  /** The database, to read in it. */
  async reader(): Promise<Level> {
    // who writes is told what went wrong
    await this.#mending?.catch(() => {});
    if (this.#db.status !== "open") await this.#mend();
    return this.#db;
  }

  /** Has something written. Rejects as that does, and while the disk is full. */
  async write<T>(act: (db: Level) => Promise<T>): Promise<T> {
    if (this.#failure !== null || this.#mending !== null) await this.#mend();
    try {
      return await act(this.#db);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#mending?.catch(() => {});
    await this.#db.close();
  }

  #mend(): Promise<void> {
    this.#mending ??= this.#openAnew().finally(() => (this.#mending = null));
    return this.#mending;
  }

  async #openAnew(): Promise<void> {
    if (this.#isClosed) throw new Error("the store is closed");
    if (this.#db.status === "open") {
      // without space it could not be opened again, nor read
      if (!(await this.#hasSpace())) throw this.#failure;
      await this.#db.close();
    }
    await this.#db.open();
    this.#failure = null;
  }

  async #hasSpace(): Promise<boolean> {
    const logs = (await readdir(this.#folder)).filter((name) => name.endsWith(".log"));
    const sizes = await Promise.all(logs.map(async (name) => (await stat(join(this.#folder, name))).size));
    const { bavail, bsize } = await statfs(this.#folder);
    return bavail * bsize >= sizes.reduce((sum, size) => sum + size, OPENING_BYTES);
  }
}

/** Whether a folder could not be opened because another process has it open. */
export function isLocked(error: unknown): boolean {
  return codeOf(causeOf(error)) === "LEVEL_LOCKED";
}

/** Why a folder could not be opened. */
export function whyNotOpened(error: unknown): string {
  return isLocked(error) ? "another process has it open: stop that first" : reasonOf(causeOf(error));
}
