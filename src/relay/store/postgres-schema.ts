/**
 * The tables of the PostgreSQL store, and how those of an older version become those of this one. [STORE-21]
 *
 * A migration that was published is never changed: what comes later is a migration of its own, at the end of the list.
 */
import type { PoolClient } from "pg";

const MIGRATIONS: readonly string[] = [
  // The id of a document is part of each position: a document that is deleted and begun anew has another. An update's
  // number is given out under the lock of its document's row, so that updates are numbered in the order of their commits.
  // "C" needs no locale, and none of its updates makes the index anew.
  `CREATE TABLE copresence_documents (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     room text COLLATE "C" NOT NULL UNIQUE,
     last bigint NOT NULL,
     base bigint NOT NULL DEFAULT 0,
     snapshot bytea
   );
   CREATE TABLE copresence_updates (
     document bigint NOT NULL REFERENCES copresence_documents ON DELETE CASCADE,
     number bigint NOT NULL,
     bytes bytea NOT NULL,
     PRIMARY KEY (document, number)
   )`,
  // A record is JSON as text: jsonb takes neither a NUL nor half of a surrogate pair. A person without a time is here.
  `CREATE TABLE copresence_relays (
     relay text COLLATE "C" PRIMARY KEY,
     saved_at double precision NOT NULL
   );
   CREATE TABLE copresence_people (
     relay text COLLATE "C" NOT NULL,
     person text COLLATE "C" NOT NULL,
     record text NOT NULL,
     last_seen double precision,
     PRIMARY KEY (relay, person)
   )`,
  // Documents are read in pieces, which takes long of what is compressed.
  `ALTER TABLE copresence_documents ALTER COLUMN snapshot SET STORAGE EXTERNAL;
   ALTER TABLE copresence_updates ALTER COLUMN bytes SET STORAGE EXTERNAL`,
  // When a document was last in use, ms since the epoch. Without an index, so that no note of it makes an index anew.
  `ALTER TABLE copresence_documents ADD COLUMN used_at double precision`,
];

/**
 * Makes the tables, or brings them up to date. Of several relays that start at once one does so, and the others wait.
 *
 * @throws when a newer version of copresence has changed them [STORE-22]
 */
export async function migrate(client: Pick<PoolClient, "query">): Promise<void> {
  await client.query("BEGIN");
  try {
    // [STORE-21] the lock ends with the transaction
    await client.query("SELECT pg_advisory_xact_lock(hashtext('copresence_schema'))");
    const version = await versionOf(client);
    if (version > MIGRATIONS.length) {
      throw new Error(
        `a newer version of copresence has changed its tables (version ${version}; this one knows up to ` +
          `${MIGRATIONS.length}): install that version or a later one`,
      );
    }
    for (const [index, migration] of MIGRATIONS.entries()) {
      if (index < version) continue;
      await client.query(migration);
      await client.query("INSERT INTO copresence_schema (version) VALUES ($1)", [index + 1]);
    }
    await client.query("COMMIT");
  } catch (error) {
    // where the connection is lost there is nothing to roll back, and the first error says more
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

/** The version of the tables that there are; 0: none yet. */
async function versionOf(client: Pick<PoolClient, "query">): Promise<number> {
  // CREATE TABLE IF NOT EXISTS would need the right to create tables also where they exist
  const found = await client.query<{ exists: boolean }>(
    "SELECT to_regclass('copresence_schema') IS NOT NULL AS exists",
  );
  if (found.rows[0]?.exists !== true) {
    await client.query(
      "CREATE TABLE copresence_schema (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
    );
    return 0;
  }
  const { rows } = await client.query<{ version: number }>(
    "SELECT coalesce(max(version), 0) AS version FROM copresence_schema",
  );
  return rows[0]?.version ?? 0;
}
