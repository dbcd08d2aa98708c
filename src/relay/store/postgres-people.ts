/** People in the database of a PostgreSQL store: a row for each person of whom a relay knows, and one for each relay. */
import { createHash } from "node:crypto";
import type { Pool } from "pg";
import type { PeopleCheckpoint, PeopleStore, StoredPerson } from "../ports/stores/people-store.ts";
import { readPersonRecord } from "./person-record.ts";

/** How many records are read at a time. */
const BATCH = 500;

// a relay's own rows alone [PEOPLE-3]
const SAVE = `
  WITH alive AS (
    INSERT INTO copresence_relays (relay, saved_at) VALUES ($1, $2)
    ON CONFLICT (relay) DO UPDATE SET saved_at = excluded.saved_at
  ), forgotten AS (
    DELETE FROM copresence_people WHERE relay = $1 AND person = ANY ($3::text[])
  )
  INSERT INTO copresence_people (relay, person, record, last_seen)
  SELECT $1, changed.* FROM unnest($4::text[], $5::text[], $6::double precision[]) AS changed
  ON CONFLICT (relay, person) DO UPDATE SET record = excluded.record, last_seen = excluded.last_seen`;

// who is here was last seen when their relay last saved anything [PEOPLE-2]
const LOAD = `
  SELECT * FROM (
    SELECT relay, person, record, coalesce(last_seen, saved_at, 0) AS seen
    FROM copresence_people LEFT JOIN copresence_relays USING (relay)
  ) AS known
  WHERE (relay, person) > ($1, $2) AND seen >= $3
  ORDER BY relay, person LIMIT ${BATCH}`;

const FORGET_PEOPLE = `
  DELETE FROM copresence_people
  WHERE coalesce(last_seen, (SELECT saved_at FROM copresence_relays AS own WHERE own.relay = copresence_people.relay), 0) < $1`;

const FORGET_RELAYS = `
  DELETE FROM copresence_relays AS own
  WHERE saved_at < $1 AND NOT EXISTS (SELECT FROM copresence_people AS known WHERE known.relay = own.relay)`;

interface Row {
  readonly relay: string;
  readonly person: string;
  readonly record: string;
  readonly seen: number;
}

export class PostgresPeopleStore implements PeopleStore {
  readonly #pool: Pool;
  readonly damaged: Set<string> = new Set();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async *load(since: number, signal: AbortSignal): AsyncGenerator<readonly StoredPerson[]> {
    for (let last: Pick<Row, "relay" | "person"> = { relay: "", person: "" }; ;) {
      signal.throwIfAborted();
      const { rows } = await this.#pool.query<Row>(LOAD, [last.relay, last.person, since]);
      yield rows.flatMap((row) => this.#personOf(row));
      const next = rows.at(-1);
      if (next === undefined || rows.length < BATCH) return;
      last = next;
    }
  }

  #personOf({ relay, person, record: text, seen }: Row): StoredPerson | [] {
    const record = readPersonRecord(text);
    if (record !== null) return { ...record, lastSeen: seen };
    this.damaged.add(`${relay}/${person}`);
    return [];
  }

  async save({ relay, at, changed, forgotten }: PeopleCheckpoint): Promise<void> {
    const records = new Map(changed.map((record) => [keyOf(record.lobby, record.user.id), record]));
    const gone = forgotten.map(({ lobby, userId }) => keyOf(lobby, userId));
    // one statement does not change a row twice
    for (const key of gone) records.delete(key);
    const kept = [...records.values()];
    await this.#pool.query(SAVE, [
      relay,
      at,
      gone,
      [...records.keys()],
      kept.map((record) => JSON.stringify(record)),
      kept.map(({ lastSeen }) => lastSeen),
    ]);
  }

  async forget(before: number): Promise<void> {
    await this.#pool.query(FORGET_PEOPLE, [before]);
    await this.#pool.query(FORGET_RELAYS, [before]);
  }
}

/** Ids may be long, and hold what no text of the database can. */
function keyOf(lobby: string, userId: string): string {
  return createHash("sha256")
    .update(JSON.stringify([lobby, userId]))
    .digest("hex");
}
