// Whether the store keeps the contract: node --test examples/own-store/json-store.test.js
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { documentStoreContract } from "copresence/test";
import { JsonStore } from "./json-store.js";

const contract = documentStoreContract(async () => {
  const folder = await mkdtemp(join(tmpdir(), "json-store-"));
  return { open: () => new JsonStore(folder), remove: () => rm(folder, { recursive: true }) };
});
for (const { name, run } of contract) void test(name, run);
