/** People in memory: for tests, and to learn from. */
import { keyOf } from "../../util/key.ts";
import type { PeopleCheckpoint, PeopleStore, PersonRecord, StoredPerson } from "../ports/stores/people-store.ts";

export class MemoryPeopleStore implements PeopleStore {
  readonly #records = new Map<string, { readonly relay: string; readonly record: PersonRecord }>();
  /** When each relay last saved anything. */
  readonly #savedAt = new Map<string, number>();

  async *load(since: number, signal: AbortSignal): AsyncGenerator<readonly StoredPerson[]> {
    signal.throwIfAborted();
    yield await Promise.resolve(this.#all().filter(({ lastSeen }) => lastSeen >= since));
  }

  /** Overwrites records of this relay alone. [PEOPLE-3] */
  save({ relay, at, changed, forgotten }: PeopleCheckpoint): Promise<void> {
    this.#savedAt.set(relay, at);
    for (const record of changed) this.#records.set(keyOf(record.lobby, record.user.id, relay), { relay, record });
    for (const { lobby, userId } of forgotten) this.#records.delete(keyOf(lobby, userId, relay));
    return Promise.resolve();
  }

  forget(before: number): Promise<void> {
    for (const [key, { relay, record }] of this.#records) {
      if (this.#lastSeen(relay, record) < before) this.#records.delete(key);
    }
    const relays = new Set([...this.#records.values()].map(({ relay }) => relay));
    for (const [relay, at] of this.#savedAt) if (at < before && !relays.has(relay)) this.#savedAt.delete(relay);
    return Promise.resolve();
  }

  #all(): StoredPerson[] {
    return [...this.#records.values()].map(({ relay, record }) => ({
      ...record,
      lastSeen: this.#lastSeen(relay, record),
    }));
  }

  #lastSeen(relay: string, { lastSeen }: PersonRecord): number {
    return lastSeen ?? this.#savedAt.get(relay) ?? 0;
  }
}
