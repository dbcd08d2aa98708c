/** The public contract of stores, as tests of vitest. */
import { it } from "vitest";
import { type DocumentStorePlace, documentStoreContract } from "../../../src/test/index.ts";

/** @param makePlace makes an empty place for the store */
export function testDocumentStore(makePlace: () => DocumentStorePlace | Promise<DocumentStorePlace>): void {
  it.for(documentStoreContract(makePlace).map(({ name, run }) => [name, run] as const))(
    "%s",
    { timeout: 60_000 },
    ([, run]) => run(),
  );
}
