/**
 * A store in a folder of this machine, by LevelDB: the embedded default. One process at a time may have the folder open.
 *
 * Keys, each with the room percent-encoded, so that no room's keys lie among another's:
 * `doc/<room>/log/<number>` an update; `doc/<room>/upto`, the number up to which the snapshot stands, and where that is long, its
 * parts (level-parts.ts); `doc/<room>/snapshot`, a short one, or a long one of an older version;
 * `doc/<room>/used`, when the document was last in use.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  DamagedDocumentError,
  type DocumentStore,
  type Position,
  type StoredDocument,
} from "../ports/stores/document-store.ts";
import { type Level, LevelDatabase, whyNotOpened } from "./level-database.ts";
import { LevelParts, type Operation, PART, type Parts } from "./level-parts.ts";
import { LevelPeopleStore } from "./level-people.ts";

/** As many digits as a safe integer has: then the order of keys is the order of numbers. */
const DIGITS = 16;

/** What the keys of a store begin with, before a slash: its own, those of level-parts.ts and of level-people.ts. */
const KINDS = ["doc", "part", "unneeded", "person", "relay"];

const OF_OTHERS =
  "another program keeps its records there. Give the relay a folder of its own; documents of y-websocket's server are " +
  "brought there by: copresence store import --from y-leveldb:THAT-FOLDER --store file:NEW-FOLDER";

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
  /** Up to where the snapshot stands; 0: there is none. */
  base: number;
  /** Where the snapshot is; null: at a key of its own. */
  parts: Parts | null;
}

export class LevelDocumentStore implements DocumentStore {
  readonly people: LevelPeopleStore;
  /** LevelDB opens a folder for one process. [BUS-25] */
  readonly isShared = false;
  readonly #db: LevelDatabase;
  readonly #parts: LevelParts;
  readonly #sync: boolean;
  readonly #logs = new Map<string, Log>();
  /** What was begun last in each room: one thing at a time. */
  readonly #busy = new Map<string, Promise<unknown>>();
  /** How many documents were deleted since the folder was opened. Positions from before a deletion are of no use after it. */
  #deletions = 0;

  private constructor(db: LevelDatabase, sync: boolean) {
    this.#db = db;
    this.#sync = sync;
    this.#parts = new LevelParts(db);
    this.people = new LevelPeopleStore(db, sync);
  }

  /**
   * Opens a folder, and makes it if there is none.
   *
   * @throws when another process has it open, it cannot be written, it holds the records of another program, or it is not there
   * and is not to be made
   */
  static async open(folder: string, { sync = false, create = true }: LevelOptions = {}): Promise<LevelDocumentStore> {
    if (!create && !isLevelFolder(folder)) throw new Error(`there is no store in the folder ${folder}`);
    let db: LevelDatabase;
    try {
      db = await LevelDatabase.open(folder);
    } catch (error) {
      throw new Error(`the store ${folder} cannot be opened: ${whyNotOpened(error)}`, { cause: error });
    }
    if (await isOfOthers(await db.reader())) {
      await db.close();
      throw new Error(`the store ${folder} cannot be opened: ${OF_OTHERS}`);
    }
    const store = new LevelDocumentStore(db, sync);
    await store.#parts.sweep();
    return store;
  }

  load(room: string, signal: AbortSignal): Promise<StoredDocument | null> {
    return this.#alone(room, async () => {
      signal.throwIfAborted();
      const log = await this.#log(room);
      const { base, last } = log;
      if (last === 0 && base === 0) return null;
      const snapshot = await this.#snapshot(room, log);
      const updates: Uint8Array[] = [];
      for await (const update of (await this.#db.reader()).values({
        gt: logKey(room, base),
        lte: logKey(room, last),
        signal,
      })) {
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
      await this.#db.write((db) => db.batch(puts, { sync: this.#sync }));
      log.last += updates.length;
      return this.#position(log.last);
    });
  }

  /**
   * Puts a snapshot in the place of what it holds already. Returns false where another compaction was first. [STORE-6] A long
   * one is written in parts, while the room goes on; the batch that makes it count is short. [STORE-45]
   */
  async compact(room: string, snapshot: Uint8Array, upTo: Position): Promise<boolean> {
    if (snapshot.length <= PART) return this.#alone(room, () => this.#commit(room, snapshot, upTo));
    const mayBeFirst = await this.#alone(room, async () => this.#isAhead(await this.#log(room), upTo));
    if (!mayBeFirst) return false;
    const parts = await this.#parts.write(snapshot);
    let isDone = false;
    try {
      isDone = await this.#alone(room, () => this.#commit(room, parts, upTo));
    } finally {
      if (!isDone) await this.#tidy(() => this.#parts.drop(parts.id));
    }
    return isDone;
  }

  /** Has a snapshot take the place of what came before, at once or not at all. */
  async #commit(room: string, snapshot: Uint8Array | Parts, upTo: Position): Promise<boolean> {
    const log = await this.#log(room);
    if (!this.#isAhead(log, upTo)) return false;
    const to = this.#numberOf(upTo);
    const before = log.parts;
    const parts = snapshot instanceof Uint8Array ? null : snapshot;
    const key = keyOf(room, "snapshot");
    const operations: Operation[] = [
      { type: "put", key: keyOf(room, "upto"), value: encodeBase(to, parts) },
      ...(snapshot instanceof Uint8Array
        ? [{ type: "put" as const, key, value: snapshot }]
        : [{ type: "del" as const, key }, this.#parts.keep(snapshot)]),
      ...(before === null ? [] : [this.#parts.release(before)]),
    ];
    await this.#db.write((db) => db.batch(operations, { sync: this.#sync }));
    log.base = to;
    log.parts = parts;
    // also what an earlier compaction left, when the relay was killed
    await this.#tidy(async () => {
      await this.#db.write((db) => db.clear({ gte: logKey(room, 0), lte: logKey(room, to) }));
      if (before !== null) await this.#parts.drop(before.id);
    });
    return true;
  }

  /** Whether a position is one to compact up to. */
  #isAhead({ base, last }: Log, upTo: Position): boolean {
    const to = this.#numberOf(upTo);
    return to > base && to <= last;
  }

  /** Drops what nothing needs any more. What cannot be dropped now takes space until it can be. */
  async #tidy(drop: () => Promise<void>): Promise<void> {
    await drop().catch(() => {});
  }

  async *list(): AsyncGenerator<string, void> {
    const keys = (await this.#db.reader()).keys({ gt: "doc/" });
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
      const db = await this.#db.reader();
      const keys = await db.keys({ gt: keyOf(room, ""), lt: `doc/${encodeURIComponent(room)}0` }).all();
      if (keys.length === 0) return false;
      const parts = await this.#partsOf(room);
      const operations: Operation[] = [
        ...keys.map((key) => ({ type: "del" as const, key })),
        ...parts.map((each) => this.#parts.release(each)),
      ];
      await this.#db.write((each) => each.batch(operations, { sync: this.#sync }));
      this.#deletions++;
      this.#logs.delete(room);
      for (const { id } of parts) await this.#tidy(() => this.#parts.drop(id));
      return true;
    });
  }

  async touch(rooms: readonly string[], at: number): Promise<void> {
    const value = new TextEncoder().encode(`${at}`);
    const note = async (room: string): Promise<void> => {
      const { last, base } = await this.#log(room);
      // with a key of its own, a room without a document would be listed
      if (last > 0 || base > 0) await this.#db.write((db) => db.put(keyOf(room, "used"), value));
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
    const { base, parts } = decodeBase(room, await this.#read(keyOf(room, "upto")));
    let last = base;
    const newest = { gt: logKey(room, base), lte: logKey(room, Number.MAX_SAFE_INTEGER), reverse: true, limit: 1 };
    for await (const key of (await this.#db.reader()).keys(newest)) last = Number(key.slice(-DIGITS));
    const log = { last, base, parts };
    this.#logs.set(room, log);
    return log;
  }

  /** Null: there is none, or not all of it. */
  async #snapshot(room: string, { base, parts }: Log): Promise<Uint8Array | null> {
    if (base === 0) return null;
    return parts === null ? this.#read(keyOf(room, "snapshot")) : this.#parts.read(parts);
  }

  /** The parts of a document that may be damaged. */
  async #partsOf(room: string): Promise<readonly Parts[]> {
    try {
      const { parts } = await this.#log(room);
      return parts === null ? [] : [parts];
    } catch (error) {
      if (error instanceof DamagedDocumentError) return [];
      throw error;
    }
  }

  /** When a document was last in use; null: that was never noted. */
  async #usedAt(room: string): Promise<number | null> {
    const value = await this.#read(keyOf(room, "used"));
    const at = value === null ? NaN : Number(new TextDecoder().decode(value));
    return Number.isFinite(at) ? at : null;
  }

  async #read(key: string): Promise<Uint8Array | null> {
    // what is not there is undefined
    const value = await (await this.#db.reader()).get(key);
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

/** Where a snapshot stands, and where it is: `NUMBER`, or `NUMBER ID COUNT BYTES`. */
function encodeBase(base: number, parts: Parts | null): Uint8Array {
  return new TextEncoder().encode(parts === null ? `${base}` : `${base} ${parts.id} ${parts.count} ${parts.bytes}`);
}

function decodeBase(room: string, value: Uint8Array | null): Pick<Log, "base" | "parts"> {
  if (value === null) return { base: 0, parts: null };
  const [, base, id, count, bytes] = /^(\d+)(?: (\S+) (\d+) (\d+))?$/.exec(new TextDecoder().decode(value)) ?? [];
  if (base === undefined) {
    throw new DamagedDocumentError(
      `the stored document ${keyOf(room, "")} is damaged: ${keyOf(room, "upto")} is no number`,
    );
  }
  const parts = id === undefined ? null : { id, count: Number(count), bytes: Number(bytes) };
  return { base: Number(base), parts };
}

/** Whether a database holds records, and none of a store's. [STORE-50] */
async function isOfOthers(db: Level): Promise<boolean> {
  const [first] = await db.keys({ limit: 1 }).all();
  if (first === undefined) return false;
  const ours = await Promise.all(KINDS.map((kind) => db.keys({ gt: `${kind}/`, lt: `${kind}0`, limit: 1 }).all()));
  return ours.every((keys) => keys.length === 0);
}
