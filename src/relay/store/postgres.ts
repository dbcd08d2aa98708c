/**
 * A store in a PostgreSQL database, which several relays may share. [STORE-20]
 *
 * Each function is one statement, and so all or nothing. What is appended to a document waits for the lock of its row in
 * `copresence_documents`, so that a position stands for exactly what was committed up to it.
 */
import { Pool, type PoolClient } from "pg";
import {
  DamagedDocumentError,
  type DocumentStore,
  type Position,
  type StoredDocument,
} from "../ports/stores/document-store.ts";
import { reasonOf } from "../util/reason.ts";
import { PostgresPeopleStore } from "./postgres-people.ts";
import { migrate } from "./postgres-schema.ts";

export interface PostgresOptions {
  /** Has the database wait for its disk at each append, also where its own settings say otherwise. Default false. */
  readonly sync?: boolean;
}

/** Connections to the database at a time, of one relay. */
const MAX_CONNECTIONS = 8;
/** How long a connection may take to open, ms. */
const CONNECT_MS = 10_000;
/** How long an answer may take, ms: a database that hangs is an error, and what was not stored is stored later. */
const QUERY_MS = 60_000;
/** Room names that `list` asks for at a time. */
const PAGE = 1_000;

const APPEND = `
  WITH head AS (
    INSERT INTO copresence_documents AS known (room, last) VALUES ($1, cardinality($2::bytea[]))
    ON CONFLICT (room) DO UPDATE SET last = known.last + cardinality($2::bytea[])
    RETURNING id, last
  ), added AS (
    INSERT INTO copresence_updates (document, number, bytes)
    SELECT head.id, head.last - cardinality($2::bytea[]) + part.at, part.bytes
    FROM head, unnest($2::bytea[]) WITH ORDINALITY AS part (bytes, at)
  )
  SELECT id, last FROM head`;

/** Bytes of a piece: `pg` reads a row at once, as hexadecimal text, and a whole document would hold up all rooms. */
const PIECE = 256 * 2 ** 10;

// one statement sees one moment; what is empty has a piece, too
const LOAD = `
  WITH head AS MATERIALIZED (SELECT id, last, base, snapshot FROM copresence_documents WHERE room = $1),
  part AS (
    SELECT NULL::bigint AS number, snapshot AS bytes FROM head
    UNION ALL
    SELECT number, bytes FROM head JOIN copresence_updates ON document = head.id AND number > head.base
  )
  SELECT head.id, head.last, head.base, part.number, substring(part.bytes FROM at FOR ${PIECE}) AS bytes
  FROM head, part, generate_series(1, greatest(1, coalesce(octet_length(part.bytes), 1)), ${PIECE}) AS at
  ORDER BY part.number NULLS FIRST, at`;

// of two compactions the second waits for the row, and then looks at it again
const COMPACT = `
  WITH head AS (
    UPDATE copresence_documents SET base = $3, snapshot = $4
    WHERE room = $1 AND id = $2 AND base < $3 AND last >= $3
    RETURNING id, base
  ), dropped AS (
    DELETE FROM copresence_updates USING head WHERE document = head.id AND number <= head.base
  )
  SELECT id FROM head`;

/** PostgreSQL gives whole numbers of 64 bits as texts. */
interface Row {
  readonly id: string;
  readonly last: string;
  readonly base: string;
  readonly number: string | null;
  readonly bytes: Buffer | null;
}

export class PostgresDocumentStore implements DocumentStore {
  readonly people: PostgresPeopleStore;
  readonly #pool: Pool;

  private constructor(pool: Pool) {
    this.#pool = pool;
    this.people = new PostgresPeopleStore(pool);
  }

  /**
   * Connects to a database, and makes its tables if there are none.
   *
   * @param url `postgres://user:password@host:port/database`, with what else the package `pg` takes, such as `?sslmode=`
   * @throws when the database cannot be reached, its encoding is not UTF-8, or its tables are newer than this version
   */
  static async open(url: string, { sync = false }: PostgresOptions = {}): Promise<PostgresDocumentStore> {
    const pool = new Pool({
      connectionString: url,
      application_name: "copresence",
      max: MAX_CONNECTIONS,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: QUERY_MS,
      keepAlive: true,
      // once for each connection, before it is used for anything else
      ...(sync && { verify: (client, done) => void waitForDisk(client, done) }),
    });
    // a connection that is lost, in use or not: its query fails and says so, and the next one opens another
    pool.on("error", () => {}).on("connect", (client) => client.on("error", () => {}));
    try {
      await prepare(pool);
    } catch (error) {
      await pool.end().catch(() => {});
      // [STORE-23] without the password
      throw new Error(`the store ${withoutPassword(url)} cannot be opened: ${reasonOf(error)}`, { cause: error });
    }
    return new PostgresDocumentStore(pool);
  }

  async load(room: string, signal: AbortSignal): Promise<StoredDocument | null> {
    signal.throwIfAborted();
    const { rows } = await this.#pool.query<Row>(LOAD, [keyOf(room)]);
    const [head] = rows;
    if (head === undefined) return null;
    const { id, last, base } = head;
    const [snapshot = null, ...parts] = joined(rows);
    // a part is missing: the rest would be taken for all of it [STORE-8]
    if (parts.length !== Number(last) - Number(base) || (snapshot === null && base !== "0")) {
      throw new DamagedDocumentError(
        `the stored document of ${room} is damaged: parts of it are missing (document ${id})`,
      );
    }
    return {
      snapshot,
      updates: parts.flatMap((bytes) => (bytes === null ? [] : [bytes])),
      position: `${id}:${last}`,
    };
  }

  async append(room: string, updates: readonly Uint8Array[]): Promise<Position> {
    const { rows } = await this.#pool.query<Pick<Row, "id" | "last">>(APPEND, [keyOf(room), updates.map(buffer)]);
    const [head] = rows;
    if (head === undefined) throw new Error("the database did not say how far the log goes");
    return `${head.id}:${head.last}`;
  }

  /** Puts a snapshot in the place of what it holds already. Returns false where another compaction was first. [STORE-6] */
  async compact(room: string, snapshot: Uint8Array, upTo: Position): Promise<boolean> {
    const [, id, number] = /^(\d+):(\d+)$/.exec(upTo) ?? [];
    if (id === undefined || number === undefined) return false;
    const { rows } = await this.#pool.query(COMPACT, [keyOf(room), id, number, buffer(snapshot)]);
    return rows.length > 0;
  }

  list(): AsyncGenerator<string, void> {
    return this.#rooms("TRUE", []);
  }

  /** @param condition of a row, with `parameters` from $3 on */
  async *#rooms(condition: string, parameters: readonly number[]): AsyncGenerator<string, void> {
    for (let last = ""; ;) {
      const { rows } = await this.#pool.query<{ readonly room: string }>(
        `SELECT room FROM copresence_documents WHERE room > $1 AND ${condition} ORDER BY room LIMIT $2`,
        [last, PAGE, ...parameters],
      );
      for (const { room } of rows) yield roomOf(room);
      const next = rows.at(-1)?.room;
      if (next === undefined || rows.length < PAGE) return;
      last = next;
    }
  }

  /** Deletes a document with its log. One that is begun anew has another id, and so other positions. [STORE-24] */
  async delete(room: string, unusedSince: number | null = null): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      "DELETE FROM copresence_documents WHERE room = $1 AND ($2::double precision IS NULL OR used_at < $2)",
      [keyOf(room), unusedSince],
    );
    return rowCount === 1;
  }

  async touch(rooms: readonly string[], at: number): Promise<void> {
    await this.#pool.query("UPDATE copresence_documents SET used_at = $2 WHERE room = ANY ($1::text[])", [
      rooms.map(keyOf),
      at,
    ]);
  }

  /** [STORE-44] */
  async *unused(before: number, now: number): AsyncGenerator<string, void> {
    await this.#pool.query("UPDATE copresence_documents SET used_at = $1 WHERE used_at IS NULL", [now]);
    yield* this.#rooms("used_at < $3", [before]);
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}

/** The snapshot, and the updates behind it, of the pieces that they were read in. */
function joined(rows: readonly Row[]): (Uint8Array | null)[] {
  const pieces = new Map<string | null, Buffer[]>();
  for (const { number, bytes } of rows) {
    const before = pieces.get(number) ?? [];
    pieces.set(number, before);
    if (bytes !== null) before.push(bytes);
  }
  return [...pieces.values()].map(([first, ...rest]) => {
    if (first === undefined) return null;
    return plain(rest.length === 0 ? first : Buffer.concat([first, ...rest]));
  });
}

async function prepare(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ readonly server_encoding: string }>("SHOW server_encoding");
    const encoding = rows[0]?.server_encoding;
    if (encoding !== "UTF8") throw new Error(`its encoding is ${encoding}: make a database with ENCODING 'UTF8'`);
    await migrate(client);
  } finally {
    client.release();
  }
}

async function waitForDisk(client: PoolClient, done: (error?: Error) => void): Promise<void> {
  try {
    await client.query("SET synchronous_commit = on");
  } catch (error) {
    return done(error instanceof Error ? error : new Error(String(error)));
  }
  done();
}

/** How a room is called in the database, whose texts cannot hold a NUL. */
function keyOf(room: string): string {
  return room.replaceAll("%", "%25").replaceAll("\0", "%00");
}

function roomOf(key: string): string {
  return key.replaceAll("%00", "\0").replaceAll("%25", "%");
}

function buffer({ buffer: bytes, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(bytes, byteOffset, byteLength);
}

/** The same bytes, not as a Buffer: a Buffer's slice would not copy. */
function plain({ buffer: bytes, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(bytes, byteOffset, byteLength);
}

/** An address as it may be shown and logged: without the user's password and without what follows the name of the database. */
export function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return "postgres://…";
  const { protocol, username, host, pathname } = new URL(url);
  return `${protocol}//${username === "" ? "" : `${username}@`}${host}${pathname}`;
}
