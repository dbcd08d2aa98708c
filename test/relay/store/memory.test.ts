import { describe } from "vitest";
import { MemoryDocumentStore } from "../../../src/relay/store/memory.ts";
import { testDocumentStore } from "./contract.ts";
import { peopleStoreContract } from "./people-contract.ts";

describe("[STORE-6] [STORE-24] [STORE-25] the memory store", () => {
  testDocumentStore(() => ({ open: () => new MemoryDocumentStore(), lasting: false }));
});

describe("[PEOPLE-1] [PEOPLE-2] [PEOPLE-3] people in memory", () => {
  peopleStoreContract(() => Promise.resolve(new MemoryDocumentStore().people));
});
