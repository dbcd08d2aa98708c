/** Opens the store that an address names, and loads what it takes only then. */
import type { DocumentStore } from "../ports/stores/document-store.ts";
import { withPackage } from "../util/optional-package.ts";

/** The stores that outlive a relay. */
export const LASTING_FORMS = '"file:FOLDER" or "postgres://…"';
export const STORE_FORMS: string = `"memory", ${LASTING_FORMS}`;

/** Where a store is. */
export type StoreAddress =
  | { readonly kind: "memory" }
  | { readonly kind: "file"; readonly folder: string }
  | { readonly kind: "postgres"; readonly url: string };

/** Reads an address. Throws a `RangeError` for one that names no store; the error never has what may be a password. */
export function readStoreAddress(address: string, label: string): StoreAddress {
  if (address === "memory") return { kind: "memory" };
  if (/^postgres(?:ql)?:\/\/./.test(address)) {
    if (!URL.canParse(address))
      throw new RangeError(`${label} is no address of a database (postgres://USER:PASSWORD@HOST/DATABASE)`);
    return { kind: "postgres", url: address };
  }
  const folder = /^file:(?:\/\/(?=\/))?(.+)$/.exec(address)?.[1];
  if (folder !== undefined) return { kind: "file", folder };
  const shown = address.includes("@") ? `${/^[a-z+]*:?/i.exec(address)?.[0]}…` : address;
  throw new RangeError(`${label} must be ${STORE_FORMS}, not "${shown}"`);
}

/**
 * Opens a store. [STORE-7] [STORE-20]
 *
 * @param address `memory`: nothing outlives the process, and null is returned; `file:FOLDER`: LevelDB in that folder;
 * `postgres://USER:PASSWORD@HOST:PORT/DATABASE`: that database
 * @param options.sync waits at each append until the disk has it. Default false
 * @param options.create makes the folder if there is none. Default true
 * @throws RangeError for an address that names no store; Error when it cannot be opened, or its package is not installed
 */
export async function openStore(
  address: string,
  options: { readonly sync?: boolean; readonly create?: boolean; readonly label?: string } = {},
): Promise<DocumentStore | null> {
  const found = readStoreAddress(address, options.label ?? "the store");
  switch (found.kind) {
    case "memory":
      return null;
    case "file": {
      const { LevelDocumentStore } = await withPackage("classic-level", "this store", () => import("./level.ts"));
      return LevelDocumentStore.open(found.folder, options);
    }
    case "postgres": {
      const { PostgresDocumentStore } = await withPackage("pg", "this store", () => import("./postgres.ts"));
      return PostgresDocumentStore.open(found.url, options);
    }
  }
}
