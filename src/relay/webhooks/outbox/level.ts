/**
 * An outbox in a folder of this machine, by LevelDB. One process at a time may have the folder open.
 *
 * Keys: `queue/<receiver>/<number>` a message, `note/<name>` a note.
 */
import type { BatchOperation } from "classic-level";
import type { KeptMessage, Outbox, OutboxChange } from "../../ports/stores/outbox.ts";
import { type Level, LevelDatabase, whyNotOpened } from "../../store/level-database.ts";

/** As many digits as a safe integer has: then the order of keys is the order of numbers. */
const DIGITS = 16;

const TEXTS = { valueEncoding: "utf8" } as const;

type Operation = BatchOperation<Level, string, string>;

export class LevelOutbox implements Outbox {
  readonly isDurable = true;
  readonly #db: LevelDatabase;

  private constructor(db: LevelDatabase) {
    this.#db = db;
  }

  /**
   * Opens a folder, and makes it if there is none.
   *
   * @throws when another process has it open, or it cannot be written
   */
  static async open(folder: string): Promise<LevelOutbox> {
    try {
      return new LevelOutbox(await LevelDatabase.open(folder));
    } catch (error) {
      throw new Error(`the outbox ${folder} cannot be opened: ${whyNotOpened(error)}`, { cause: error });
    }
  }

  write(changes: readonly OutboxChange[]): Promise<void> {
    return this.#db.write((db) => db.batch<string, string>(changes.map(operationOf), TEXTS));
  }

  async messages(receiver: string, after: number, limit: number): Promise<readonly KeptMessage[]> {
    const range = { gt: messageKey(receiver, after), lte: messageKey(receiver, Number.MAX_SAFE_INTEGER), limit };
    const db = await this.#db.reader();
    const entries = await db.iterator<string, string>({ ...range, ...TEXTS }).all();
    return entries.map(([key, text]) => ({ number: Number(key.slice(-DIGITS)), text }));
  }

  async receivers(): Promise<readonly string[]> {
    const db = await this.#db.reader();
    const found: string[] = [];
    for (;;) {
      const last = found.at(-1);
      // behind everything of the receiver that was found last
      const from = last === undefined ? "queue/" : `queue/${last}0`;
      const [key] = await db.keys({ gt: from, lt: "queue0", limit: 1 }).all();
      if (key === undefined) return found;
      found.push(key.slice("queue/".length, -DIGITS - 1));
    }
  }

  async notes(): Promise<ReadonlyMap<string, string>> {
    const db = await this.#db.reader();
    const entries = await db.iterator<string, string>({ gt: "note/", lt: "note0", ...TEXTS }).all();
    return new Map(entries.map(([key, text]) => [key.slice("note/".length), text]));
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

function operationOf(change: OutboxChange): Operation {
  switch (change.type) {
    case "queue":
      return { type: "put", key: messageKey(change.receiver, change.number), value: change.text };
    case "remove":
      return { type: "del", key: messageKey(change.receiver, change.number) };
    case "note": {
      const key = `note/${change.name}`;
      return change.text === null ? { type: "del", key } : { type: "put", key, value: change.text };
    }
  }
}

function messageKey(receiver: string, number: number): string {
  return `queue/${receiver}/${`${number}`.padStart(DIGITS, "0")}`;
}
