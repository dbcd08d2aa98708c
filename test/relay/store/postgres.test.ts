/** The store in a PostgreSQL database, with a real server. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import * as Y from "yjs";
import { openStore } from "../../../src/relay/store/open.ts";
import { PostgresDocumentStore } from "../../../src/relay/store/postgres.ts";
import { type PostgresServer, query, startPostgres } from "../postgres.ts";
import { testDocumentStore } from "./contract.ts";
import { peopleStoreContract } from "./people-contract.ts";

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
}, 60_000);

afterAll(() => server.stop());

const never = (): AbortSignal => new AbortController().signal;

function update(text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText("t").insert(0, text);
  return Y.encodeStateAsUpdate(doc);
}

async function open(url: string): Promise<PostgresDocumentStore> {
  const store = await PostgresDocumentStore.open(url);
  onTestFinished(() => store.close());
  return store;
}

describe("[STORE-6] [STORE-20] [STORE-24] [STORE-25] the store in a database", () => {
  testDocumentStore(async () => {
    const url = await server.database();
    return { open: () => PostgresDocumentStore.open(url, { sync: true }), shared: true };
  });
});

describe("[PEOPLE-1] [PEOPLE-2] [PEOPLE-3] people in a database", () => {
  peopleStoreContract(async () => (await open(await server.database())).people);
});

describe("opening", () => {
  it("[STORE-21] ten relays that start at once make the tables once, and all of them work", async () => {
    const url = await server.database();
    const stores = await Promise.all(Array.from({ length: 10 }, () => open(url)));
    await Promise.all(stores.map((store, i) => store.append("doc", [update(`${i}`)])));
    expect((await stores[0]?.load("doc", never()))?.updates).toHaveLength(10);
    expect(await query(url, "SELECT version FROM copresence_schema")).toEqual([
      { version: 1 },
      { version: 2 },
      { version: 3 },
      { version: 4 },
    ]);
  });

  it("[STORE-21] tables that are there are used, by somebody who may not make any", async () => {
    const url = await server.database();
    const first = await open(url);
    await first.append("doc", [update("kept")]);
    await query(
      url,
      `CREATE ROLE clerk LOGIN;
       GRANT USAGE ON SCHEMA ${new URL(url).searchParams.get("options")?.split("=")[1]} TO clerk;
       GRANT SELECT, INSERT, UPDATE, DELETE ON copresence_documents, copresence_updates, copresence_schema TO clerk`,
    );
    const second = await open(url.replace("tester:secret", "clerk"));
    expect(await second.append("doc", [update("too")])).toBe("1:2");
  });

  it("[STORE-21] tables of an older version are brought up to date, with what is in them", async () => {
    const url = await server.database();
    const first = await open(url);
    await first.append("doc", [update("kept")]);
    // as the first version left them
    await query(
      url,
      `DROP TABLE copresence_people, copresence_relays;
       ALTER TABLE copresence_documents DROP COLUMN used_at;
       DELETE FROM copresence_schema WHERE version > 1`,
    );
    const second = await open(url);
    expect((await second.load("doc", never()))?.updates).toHaveLength(1);
    await second.people.save({ relay: "r_1", at: 1, changed: [], forgotten: [] });
  });

  it("[STORE-22] tables of a newer version are refused, and left as they are", async () => {
    const url = await server.database();
    await open(url);
    await query(url, "INSERT INTO copresence_schema (version) VALUES (99)");
    await expect(PostgresDocumentStore.open(url)).rejects.toThrow(/newer version of copresence .*version 99/);
  });

  it("[STORE-23] what cannot be opened is said with its reason, and without the password", async () => {
    const url = await server.database();
    const [gone, latin] = [url.replace("/postgres?", "/gone?"), await server.database("LATIN1")];
    const closed = "postgres://alice:secret@127.0.0.1:1/doc?sslmode=disable&password=secret";
    for (const [address, reason] of [
      [gone, /\/gone cannot be opened: database ".*" does not exist/],
      [latin, /its encoding is LATIN1: make a database with ENCODING 'UTF8'/],
      [closed, /^the store postgres:\/\/alice@127\.0\.0\.1:1\/doc cannot be opened: connect ECONNREFUSED/],
    ] as const) {
      const error = await openStore(address).then(
        () => null,
        (reasons: Error) => reasons,
      );
      expect(error?.message).toMatch(reason);
      expect(error?.message).not.toContain("secret");
    }
    await expect(openStore("postgres://alice:se cret@[::::/doc")).rejects.toThrow(
      /^the store is no address of a database/,
    );
    await expect(openStore("mysql://alice:secret@localhost/doc")).rejects.toThrow(/not "mysql:…"$/);
  });
});

it("[STORE-8] a document of which a part is missing is reported with its room, and others are as they were", async () => {
  const url = await server.database();
  const store = await open(url);
  await store.append("a/b", ["one", "two", "three"].map(update));
  await store.append("doc", [update("whole")]);
  await query(url, "DELETE FROM copresence_updates WHERE document = 1 AND number = 2");
  await expect(store.load("a/b", never())).rejects.toThrow(/document of a\/b is damaged: parts of it are missing/);
  expect((await store.load("doc", never()))?.updates).toHaveLength(1);
});

it("[STORE-20] a store whose connections were cut opens others", async () => {
  const url = await server.database();
  const store = await open(url);
  await store.append("doc", [update("one")]);
  await query(
    url,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'copresence' AND pid <> pg_backend_pid()",
  );
  await expect.poll(() => store.append("doc", [update("two")]).catch(() => null)).not.toBeNull();
  expect((await store.load("doc", never()))?.updates).toHaveLength(2);
});

it("[PEOPLE-9] people whose records are damaged are left out and named, and all others are known", async () => {
  const url = await server.database();
  const { people } = await open(url);
  const record = (id: string) => ({ lobby: "@lobby", user: { id }, choice: null, lastSeen: 7 });
  await people.save({ relay: "r_1", at: 9, changed: ["alice", "bob"].map(record), forgotten: [] });
  await query(url, `UPDATE copresence_people SET record = '{"lobby":' WHERE record LIKE '%alice%'`);
  const known: string[] = [];
  for await (const batch of people.load(0, never())) known.push(...batch.map(({ user }) => user.id));
  expect(known).toEqual(["bob"]);
  expect([...people.damaged]).toEqual([expect.stringMatching(/^r_1\/[0-9a-f]{64}$/)]);
});
