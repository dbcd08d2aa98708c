/**
 * A store in a folder of this machine, by LevelDB: the embedded default. One process at a time may have the folder open.
 *
 * Keys, each with the room percent-encoded, so that no room's keys lie among another's:
 * `doc/<room>/log/<number>` an update; `doc/<room>/snapshot` and `doc/<room>/upto`, the number up to which it stands;
 * `doc/<room>/used`, when the document was last in use.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import {
  DamagedDocumentError,
  type DocumentStore,
  type Position,
  type StoredDocument,
} from "../ports/stores/document-store.ts";
import { LevelPeopleStore } from "./level-people.ts";

/** As many digits as a safe integer has: then the order of keys is the order of numbers. */
const DIGITS = 16;

export interface LevelOptions {
  /** Waits at each append until the disk has it: then not even a machine that loses its power loses what was appended. Default false. */
  readonly sync?: boolean;
  /** Makes the folder if there is none. Default true. */
  readonly create?: boolean;
}

/** How far the log of a room goes. */
interface Log {
  /** The number of the newest update; 0: there was none. */
  last: number;
  /** Up to where the snapshot stands. */
  base: number;
}

export class LevelDocumentStore implements DocumentStore {
  readonly people: LevelPeopleStore;
  /** LevelDB opens a folder for one process. [BUS-25] */
  readonly isShared = false;
  readonly #db: ClassicLevel<string, Uint8Array>;
  readonly #sync: boolean;
  readonly #logs = new Map<string, Log>();
  /** What was begun last in each room: one thing at a time. */
  readonly #busy = new Map<string, Promise<unknown>>();
  /** How many documents were deleted since the folder was opened. Positions from before a deletion are of no use after it. */
  #deletions = 0;

  private constructor(db: ClassicLevel<string, Uint8Array>, sync: boolean) {
    this.#db = db;
    this.#sync = sync;
    this.people = new LevelPeopleStore(db, sync);
  }

  /**
   * Opens a folder, and makes it if there is none.
   *
   * @throws when another process has it open, it cannot be written, or it is not there and is not to be made
   */
  static async open(folder: string, { sync = false, create = true }: LevelOptions = {}): Promise<LevelDocumentStore> {
    if (!create && !isLevelFolder(folder)) throw new Error(`there is no store in the folder ${folder}`);
    const db = new ClassicLevel<string, Uint8Array>(folder, {
      keyEncoding: "utf8",
      valueEncoding: "view",
    });
    try {
      await db.open();
    } catch (error) {
      throw new Error(`the store ${folder} cannot be opened: ${reasonOf(error)}`, { cause: error });
    }
    return new LevelDocumentStore(db, sync);
  }

  load(room: string, signal: AbortSignal): Promise<StoredDocument | null> {
    return this.#alone(room, async () => {
      signal.throwIfAborted();
      const { base, last } = await this.#log(room);
      if (last === 0 && base === 0) return null;
      const snapshot = base === 0 ? null : await this.#read(keyOf(room, "snapshot"));
      const updates: Uint8Array[] = [];
      for await (const update of this.#db.values({ gt: logKey(room, base), lte: logKey(room, last), signal })) {
        updates.push(plain(update));
      }
      // a part is missing: the rest would be taken for all of it [STORE-8]
      if (updates.length !== last - base || (snapshot === null && base > 0)) {
        throw new DamagedDocumentError(`the stored document ${keyOf(room, "")} is damaged: parts of it are missing`);
      }
      return { snapshot, updates, position: this.#position(last) };
    });
  }

  append(room: string, updates: readonly Uint8Array[]): Promise<Position> {
    return this.#alone(room, async () => {
      const log = await this.#log(room);
      const puts = updates.map((value, i) => ({
        type: "put" as const,
        key: logKey(room, log.last + 1 + i),
        value,
      }));
      await this.#db.batch(puts, { sync: this.#sync });
      log.last += updates.length;
      return this.#position(log.last);
    });
  }

  /** Puts a snapshot in the place of what it holds already. Returns false where another compaction was first. [STORE-6] */
  compact(room: string, snapshot: Uint8Array, upTo: Position): Promise<boolean> {
    return this.#alone(room, async () => {
      const log = await this.#log(room);
      const to = this.#numberOf(upTo);
      if (!(to > log.base && to <= log.last)) return false;
      const dropped = Array.from({ length: to - log.base }, (_, i) => ({
        type: "del" as const,
        key: logKey(room, log.base + 1 + i),
      }));
      await this.#db.batch(
        [
          { type: "put", key: keyOf(room, "snapshot"), value: snapshot },
          { type: "put", key: keyOf(room, "upto"), value: new TextEncoder().encode(`${to}`) },
          ...dropped,
        ],
        { sync: this.#sync },
      );
      log.base = to;
      return true;
    });
  }

  async *list(): AsyncGenerator<string, void> {
    const keys = this.#db.keys({ gt: "doc/" });
    try {
      for (let key = await keys.next(); key?.startsWith("doc/") === true; key = await keys.next()) {
        const name = key.slice("doc/".length, key.indexOf("/", "doc/".length));
        yield decodeURIComponent(name);
        // "0" comes right after "/": all other keys of this room are passed by
        keys.seek(`doc/${name}0`);
      }
    } finally {
      await keys.close();
    }
  }

  /** Deletes all keys of a room at once. A compaction that began before changes nothing afterwards. [STORE-24] */
  delete(room: string, unusedSince?: number): Promise<boolean> {
    return this.#alone(room, async () => {
      if (unusedSince !== undefined && ((await this.#usedAt(room)) ?? Infinity) >= unusedSince) return false;
      const keys = await this.#db.keys({ gt: keyOf(room, ""), lt: `doc/${encodeURIComponent(room)}0` }).all();
      if (keys.length === 0) return false;
      await this.#db.batch(
        keys.map((key) => ({ type: "del" as const, key })),
        { sync: this.#sync },
      );
      this.#deletions++;
      this.#logs.delete(room);
      return true;
    });
  }

  async touch(rooms: readonly string[], at: number): Promise<void> {
    const value = new TextEncoder().encode(`${at}`);
    const note = async (room: string): Promise<void> => {
      const { last, base } = await this.#log(room);
      // with a key of its own, a room without a document would be listed
      if (last > 0 || base > 0) await this.#db.put(keyOf(room, "used"), value);
    };
    await Promise.all(rooms.map((room) => this.#alone(room, () => note(room))));
  }

  /** [STORE-44] */
  async *unused(before: number, now: number): AsyncGenerator<string, void> {
    for await (const room of this.list()) {
      const usedAt = await this.#usedAt(room);
      if (usedAt === null) await this.touch([room], now);
      else if (usedAt < before) yield room;
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#busy.values());
    await this.#db.close();
  }

  #position(number: number): Position {
    return this.#deletions === 0 ? `${number}` : `${number}@${this.#deletions}`;
  }

  /** The number that a position stands for; NaN after a deletion. */
  #numberOf(position: Position): number {
    const [number, deletions = "0"] = position.split("@");
    return Number(deletions) === this.#deletions ? Number(number) : NaN;
  }

  /** Does one thing after the other in each room. */
  async #alone<T>(room: string, act: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(room);
    const running = (async () => {
      // what failed before was told to those who asked for it
      await Promise.allSettled([before]);
      return await act();
    })();
    this.#busy.set(room, running);
    try {
      return await running;
    } finally {
      if (this.#busy.get(room) === running) {
        this.#busy.delete(room);
        this.#logs.delete(room);
      }
    }
  }

  async #log(room: string): Promise<Log> {
    const known = this.#logs.get(room);
    if (known !== undefined) return known;
    const upTo = await this.#read(keyOf(room, "upto"));
    const base = upTo === null ? 0 : Number(new TextDecoder().decode(upTo));
    let last = base;
    const newest = { gt: logKey(room, base), lte: logKey(room, Number.MAX_SAFE_INTEGER), reverse: true, limit: 1 };
    for await (const key of this.#db.keys(newest)) last = Number(key.slice(-DIGITS));
    const log = { last, base };
    this.#logs.set(room, log);
    return log;
  }

  /** When a document was last in use; null: that was never noted. */
  async #usedAt(room: string): Promise<number | null> {
    const value = await this.#read(keyOf(room, "used"));
    const at = value === null ? NaN : Number(new TextDecoder().decode(value));
    return Number.isFinite(at) ? at : null;
  }

  async #read(key: string): Promise<Uint8Array | null> {
    // what is not there is undefined
    const value = await this.#db.get(key);
    return value === undefined ? null : plain(value);
  }
}

/** Whether a LevelDB is in a folder. Opening one where there is none makes the folder, whatever the options say. */
export function isLevelFolder(folder: string): boolean {
  return existsSync(join(folder, "CURRENT"));
}

/** The same bytes, not as the Buffer that LevelDB gives: a Buffer's slice would not copy. */
function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}

function keyOf(room: string, part: string): string {
  return `doc/${encodeURIComponent(room)}/${part}`;
}

function logKey(room: string, number: number): string {
  return keyOf(room, `log/${`${number}`.padStart(DIGITS, "0")}`);
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "LEVEL_LOCKED") return "another process has it open";
  return cause instanceof Error ? cause.message : String(cause);
}
