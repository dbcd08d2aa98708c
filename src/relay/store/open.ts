/** Opens the store that an address names, and loads what it takes only then. */
import type { DocumentStore } from "../ports/document-store.ts";

export const STORE_FORMS = '"memory" or "file:FOLDER"';

/** Where a store is: null for the memory of the process. Throws a `RangeError` for an address that names none. */
export function readStoreAddress(address: string, label: string): { readonly folder: string } | null {
  if (address === "memory") return null;
  const folder = /^file:(?:\/\/(?=\/))?(.+)$/.exec(address)?.[1];
  if (folder === undefined) throw new RangeError(`${label} must be ${STORE_FORMS}, not "${address}"`);
  return { folder };
}

/**
 * Opens a store. [STORE-7]
 *
 * @param address `memory`: nothing outlives the process, and null is returned; `file:FOLDER`: LevelDB in that folder
 * @param options.sync waits at each append until the disk has it
 * @throws RangeError for an address that names no store; Error when it cannot be opened, or its package is not installed
 */
export async function openStore(
  address: string,
  options: { readonly sync?: boolean; readonly label?: string } = {},
): Promise<DocumentStore | null> {
  const found = readStoreAddress(address, options.label ?? "the store");
  if (found === null) return null;
  const { LevelDocumentStore } = await loaded(() => import("./level.ts"), "classic-level");
  return LevelDocumentStore.open(found.folder, options);
}

async function loaded<T>(load: () => Promise<T>, name: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new Error(`this store needs the package ${name}: npm install ${name}`, { cause: error });
  }
}
