/** Finds what is wrong with a stored document that cannot be read. Pure. */
import { isRecord } from "../../../presence/index.ts";
import { DamagedDocumentError, type StoredDocument } from "../../ports/stores/document-store.ts";
import type { UpdateLimits } from "../update/allowance.ts";
import { readUpdate } from "../update/update.ts";

/** What the relay takes of a client at a time does not matter here. */
const ANYTHING: UpdateLimits = { maxUpdateStructs: Infinity, maxSubdocuments: Infinity };

/**
 * What a store of the application has loaded. Throws a `DamagedDocumentError` for what is no stored document: one that another
 * adapter, or an older one, has written may be so, and all other documents are well. [STORE-51]
 */
export function readStored(loaded: unknown): StoredDocument | null {
  if (loaded === null) return null;
  const { snapshot, updates } = isRecord(loaded) ? loaded : {};
  const hasSnapshot = snapshot === null || snapshot instanceof Uint8Array;
  const hasUpdates = Array.isArray(updates) && updates.every((update) => update instanceof Uint8Array);
  if (hasSnapshot && hasUpdates) return loaded as unknown as StoredDocument;
  const what = !isRecord(loaded)
    ? typeof loaded
    : hasSnapshot
      ? "updates of another kind"
      : "a snapshot of another kind";
  throw new DamagedDocumentError(
    `the store's load() gave ${what}, and not null or { snapshot: Uint8Array | null, updates: Uint8Array[], position }`,
  );
}

/** Which part of a stored document is no Yjs update, in words; null: all of them are updates. [STORE-27] */
export function damagedPart({ snapshot, updates }: Pick<StoredDocument, "snapshot" | "updates">): string | null {
  if (snapshot !== null && !isUpdate(snapshot)) return "its snapshot";
  const index = updates.findIndex((update) => !isUpdate(update));
  return index < 0 ? null : `update ${index + 1} of the ${updates.length} in its log`;
}

function isUpdate(bytes: Uint8Array): boolean {
  try {
    readUpdate(bytes, ANYTHING);
    return true;
  } catch {
    return false;
  }
}
