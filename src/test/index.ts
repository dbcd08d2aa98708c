/** Tests for adapters of your own. They need no test runner of a certain kind: each is a name and a function that throws. */
export { type ContractTest, type DocumentStorePlace, documentStoreContract } from "./document-store.ts";
