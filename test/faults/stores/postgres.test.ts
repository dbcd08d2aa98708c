/** A database that is killed while people write. */
import { expect, it, onTestFinished } from "vitest";
import * as Y from "yjs";
import { PostgresDocumentStore } from "../../../src/relay/store/postgres.ts";
import { startPostgres } from "../../relay/postgres.ts";
import { stockClient, until } from "../../support.ts";
import { thoroughly } from "../../thorough.ts";
import { runRelay } from "../processes.ts";

/** How often the database is killed; more with `STORE_KILLS=30`. */
const KILLS = Number(process.env["STORE_KILLS"] ?? thoroughly(2, 6));
const WRITERS = 4;

/** What is stored, as one who comes after a restart of everything would have it. */
async function storedText(url: string): Promise<string> {
  const store = await PostgresDocumentStore.open(url);
  const stored = await store.load("doc", new AbortController().signal);
  await store.close();
  const doc = new Y.Doc();
  const { snapshot, updates } = stored ?? { snapshot: null, updates: [] };
  for (const update of snapshot === null ? updates : [snapshot, ...updates]) Y.applyUpdate(doc, update);
  return doc.getText("t").toJSON();
}

it(
  "[STORE-5] [STORE-20] what another had received before the database is killed is in the document afterwards",
  { timeout: 60_000 + KILLS * 10_000 },
  async () => {
    const database = await startPostgres();
    onTestFinished(() => database.stop());
    const url = await database.database();
    const relay = await runRelay(["--store", url]);
    const bob = stockClient(relay.url, "doc");
    await until("Bob is in sync", () => bob.synced, 10_000);
    let typed = 0;
    let lost = 0;
    for (let round = 0; round < KILLS; round++) {
      // each word is of one author and once
      const authors = Array.from({ length: WRITERS }, () => stockClient(relay.url, "doc"));
      await until("the authors are in sync", () => authors.every(({ synced }) => synced), 10_000);
      const typing = setInterval(() => {
        for (const { doc } of authors) doc.getText("t").insert(doc.getText("t").length, `<${typed++}>`);
      }, 5);
      const enough = typed + WRITERS * (10 + Math.floor(Math.random() * 60));
      await until("they have typed a while", () => typed >= enough);
      await database.kill();
      const received = bob.doc.getText("t").toJSON().match(/<\d+>/g) ?? [];
      clearInterval(typing);
      // their pages are gone, and cannot bring anything back
      for (const author of authors) author.destroy();
      await database.start();
      // what the database had not committed the relay still has, and appends when it finds the database again
      let words = new Set<string>();
      await until(
        "it is stored",
        async () => {
          words = new Set((await storedText(url)).match(/<\d+>/g));
          return received.every((word) => words.has(word));
        },
        15_000,
      ).catch(() => (lost += received.filter((word) => !words.has(word)).length));
      expect(relay.exit()).toBeUndefined();
    }
    console.log(`${KILLS} kills of the database, ${typed} words typed, ${lost} lost`);
    expect(lost).toBe(0);
    // and a relay that is started anew has all of it
    const expected = bob.doc.getText("t").toJSON();
    bob.destroy();
    relay.process.kill("SIGTERM");
    await until("the relay has stopped", () => relay.exit() !== undefined, 10_000);
    const again = await runRelay(["--store", url]);
    const carol = stockClient(again.url, "doc");
    await until("Carol has all of it", () => carol.synced, 10_000);
    expect(carol.doc.getText("t").toJSON()).toBe(expected);
  },
);
