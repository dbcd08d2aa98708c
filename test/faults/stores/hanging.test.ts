/** A database that does not answer while the relay is told to stop. */
import { expect, it, onTestFinished } from "vitest";
import { Client } from "pg";
import { startPostgres } from "../../relay/postgres.ts";
import { stockClient, until } from "../../support.ts";
import { runRelay } from "../processes.ts";

it("[STORE-48] the command ends all the same, and says that something may be lost", { timeout: 90_000 }, async () => {
  const database = await startPostgres();
  onTestFinished(() => database.stop());
  const url = await database.database();
  const relay = await runRelay(["--store", url]);
  const alice = stockClient(relay.url, "doc");
  await until("she is in sync", () => alice.synced, 10_000);
  // somebody keeps all of its tables for themselves
  const other = new Client({ connectionString: url });
  other.on("error", () => {});
  await other.connect();
  onTestFinished(() => other.end());
  await other.query("BEGIN");
  const { rows } = await other.query<{ name: string }>(
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
  );
  for (const { name } of rows) await other.query(`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`);
  alice.doc.getText("t").insert(0, "text");
  await until("the relay has it", async () => {
    const answer = await fetch(`${relay.url.replace("ws:", "http:")}/metrics`);
    return /^copresence_documents\{state="open"\} 1$/m.test(await answer.text());
  });
  relay.process.kill("SIGTERM");
  await until("the relay has ended", () => relay.exit() !== undefined, 60_000);
  expect(relay.exit()).toBe(0);
  expect(relay.errors.join("\n")).toContain("the store does not answer, and what it was given last may be lost");
});
