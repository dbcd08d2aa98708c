import { describe } from "vitest";
import { MemoryDocumentStore } from "../../../src/relay/store/memory.ts";
import { documentStoreContract } from "./contract.ts";

describe("[STORE-6] the memory store", () => {
  documentStoreContract(() => Promise.resolve(new MemoryDocumentStore()));
});
