/**
 * Long values of a Level store, in parts: LevelDB is given a part at a time, so that neither this thread nor other writers
 * wait for all of it. Keys: `part/<id>/<number>` a part; `unneeded/<id>`, where parts belong to nothing: those of a value that
 * is being written, or whose place another has taken. What a crash leaves of them is dropped when the folder is opened next.
 */
import { randomUUID } from "node:crypto";
import type { BatchOperation } from "classic-level";
import type { Level, LevelDatabase } from "./level-database.ts";

export type Operation = BatchOperation<Level, string, Uint8Array>;

/** Bytes of a part. A value that is no longer than this needs none. */
export const PART: number = 256 * 2 ** 10;
/** As many digits as any number of a part has. */
const DIGITS = 6;

/** Where a long value is. */
export interface Parts {
  readonly id: string;
  readonly count: number;
  /** How long the value is. */
  readonly bytes: number;
}

export class LevelParts {
  readonly #db: LevelDatabase;

  constructor(db: LevelDatabase) {
    this.#db = db;
  }

  /** Drops what belongs to nothing. [STORE-45] */
  async sweep(): Promise<void> {
    for await (const key of (await this.#db.reader()).keys({ gt: "unneeded/", lt: "unneeded0" }))
      await this.drop(key.split("/")[1] ?? "");
  }

  /** Writes a value. It belongs to nothing until `keep` is part of a batch: then it does, whatever happens. */
  async write(value: Uint8Array): Promise<Parts> {
    const parts = { id: randomUUID(), count: Math.ceil(value.length / PART), bytes: value.length };
    await this.#db.write((db) => db.batch([this.release(parts)]));
    try {
      for (let i = 0; i < parts.count; i++) {
        const part = value.subarray(i * PART, (i + 1) * PART);
        await this.#db.write((db) => db.put(partKey(parts.id, i), part));
      }
    } catch (error) {
      // where this fails, too, they are dropped later
      await this.drop(parts.id).catch(() => {});
      throw error;
    }
    return parts;
  }

  /** Reads a value; null: a part is missing. */
  async read({ id, count, bytes }: Parts): Promise<Uint8Array | null> {
    const value = new Uint8Array(bytes);
    let [found, at] = [0, 0];
    for await (const [key, part] of (await this.#db.reader()).iterator({ gt: `part/${id}/`, lt: `part/${id}0` })) {
      if (key !== partKey(id, found) || at + part.length > bytes) return null;
      value.set(part, at);
      at += part.length;
      found++;
    }
    return found === count && at === bytes ? value : null;
  }

  /** From this batch on the value belongs to what the batch writes. */
  keep({ id }: Parts): Operation {
    return { type: "del", key: `unneeded/${id}` };
  }

  /** From this batch on the value belongs to nothing. */
  release({ id }: Pick<Parts, "id">): Operation {
    return { type: "put", key: `unneeded/${id}`, value: new Uint8Array() };
  }

  /** Drops a value that belongs to nothing. */
  async drop(id: string): Promise<void> {
    await this.#db.write((db) => db.clear({ gt: `part/${id}/`, lt: `part/${id}0` }));
    await this.#db.write((db) => db.del(`unneeded/${id}`));
  }
}

function partKey(id: string, number: number): string {
  return `part/${id}/${`${number}`.padStart(DIGITS, "0")}`;
}
