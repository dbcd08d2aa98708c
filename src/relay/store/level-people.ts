/**
 * People in the folder of a Level store. Keys: `person/<relay>/<lobby and user>`, a record as JSON; `relay/<relay>`, when that
 * relay last saved anything.
 */
import type { PeopleCheckpoint, PeopleStore, StoredPerson } from "../ports/stores/people-store.ts";
import type { LevelDatabase } from "./level-database.ts";
import { readPersonRecord } from "./person-record.ts";

/** How many records are read at a time. */
const BATCH = 500;

export class LevelPeopleStore implements PeopleStore {
  readonly #db: LevelDatabase;
  readonly #sync: boolean;
  readonly damaged: Set<string> = new Set();

  /** @param sync waits at each checkpoint until the disk has it */
  constructor(db: LevelDatabase, sync: boolean) {
    this.#db = db;
    this.#sync = sync;
  }

  async *load(since: number, signal: AbortSignal): AsyncGenerator<readonly StoredPerson[]> {
    let batch: StoredPerson[] = [];
    for await (const { person } of this.#records(signal)) {
      if (person.lastSeen < since) continue;
      batch.push(person);
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
    yield batch;
  }

  /** Overwrites records of this relay alone. [PEOPLE-3] */
  async save({ relay, at, changed, forgotten }: PeopleCheckpoint): Promise<void> {
    const puts = changed.map((record) => ({
      type: "put" as const,
      key: keyOf(relay, record.lobby, record.user.id),
      value: encode(record),
    }));
    const deletions = forgotten.map(({ lobby, userId }) => ({
      type: "del" as const,
      key: keyOf(relay, lobby, userId),
    }));
    const alive = { type: "put" as const, key: `relay/${relay}`, value: encode(at) };
    await this.#db.write((db) => db.batch([alive, ...puts, ...deletions], { sync: this.#sync }));
  }

  async forget(before: number): Promise<void> {
    const { signal } = new AbortController();
    const gone: string[] = [];
    const remaining = new Set<string>();
    for await (const { key, relay, person } of this.#records(signal)) {
      if (person.lastSeen < before) gone.push(key);
      else remaining.add(relay);
    }
    for (const [relay, at] of await this.#savedAt(signal)) {
      if (at < before && !remaining.has(relay)) gone.push(`relay/${relay}`);
    }
    await this.#db.write((db) => db.batch(gone.map((key) => ({ type: "del" as const, key }))));
  }

  async *#records(signal: AbortSignal): AsyncGenerator<{ key: string; relay: string; person: StoredPerson }> {
    signal.throwIfAborted();
    const savedAt = await this.#savedAt(signal);
    for await (const [key, value] of (await this.#db.reader()).iterator({ gt: "person/", lt: "person0", signal })) {
      const relay = key.split("/", 2)[1] ?? "";
      const record = readPersonRecord(new TextDecoder().decode(value));
      if (record === null) {
        this.damaged.add(key);
        continue;
      }
      yield { key, relay, person: { ...record, lastSeen: record.lastSeen ?? savedAt.get(relay) ?? 0 } };
    }
  }

  async #savedAt(signal: AbortSignal): Promise<Map<string, number>> {
    const savedAt = new Map<string, number>();
    for await (const [key, value] of (await this.#db.reader()).iterator({ gt: "relay/", lt: "relay0", signal })) {
      const at = Number(new TextDecoder().decode(value));
      if (Number.isFinite(at)) savedAt.set(key.slice("relay/".length), at);
    }
    return savedAt;
  }
}

/** As JSON, ids may hold half of a surrogate pair, of which UTF-8 makes something else. */
function keyOf(relay: string, lobby: string, userId: string): string {
  return `person/${relay}/${JSON.stringify([lobby, userId])}`;
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
