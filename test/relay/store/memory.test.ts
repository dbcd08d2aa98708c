import { describe } from "vitest";
import { MemoryDocumentStore } from "../../../src/relay/store/memory.ts";
import { documentStoreContract } from "./contract.ts";
import { peopleStoreContract } from "./people-contract.ts";

describe("[STORE-6] the memory store", () => {
  documentStoreContract(() => Promise.resolve(new MemoryDocumentStore()));
});

describe("[PEOPLE-1] [PEOPLE-2] [PEOPLE-3] people in memory", () => {
  peopleStoreContract(() => Promise.resolve(new MemoryDocumentStore().people));
});
