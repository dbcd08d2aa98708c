/** Finds what is wrong with a stored document that cannot be read. Pure. */
import type { StoredDocument } from "../../ports/stores/document-store.ts";
import type { UpdateLimits } from "../update/allowance.ts";
import { readUpdate } from "../update/update.ts";

/** What the relay takes of a client at a time does not matter here. */
const ANYTHING: UpdateLimits = { maxUpdateStructs: Infinity, maxSubdocuments: Infinity };

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
