/** What is done with Yjs updates outside of a relay: made one, and looked through. Pure. */
import * as Y from "yjs";
import type { StoredDocument } from "../../relay/ports/stores/document-store.ts";
import { damagedPart } from "../../relay/documents/stored/damage.ts";
import { reasonOf } from "../../relay/util/reason.ts";

/** One update of several; nothing that they hold is lost, also what was deleted. */
export function merged(updates: readonly Uint8Array[]): Uint8Array {
  const [only] = updates;
  return updates.length === 1 && only !== undefined ? only : Y.mergeUpdates([...updates]);
}

/** All that is stored of a document, as one update. */
export function wholeOf({ snapshot, updates }: StoredDocument): Uint8Array {
  return merged(snapshot === null ? updates : [snapshot, ...updates]);
}

/** What a look through updates can find. */
export type Finding =
  | { readonly kind: "sound" }
  /** They build on something that is not among them. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "damaged"; readonly reason: string };

/** Whether Yjs makes a document of what is stored. [STORE-34] */
export function examine(stored: Pick<StoredDocument, "snapshot" | "updates">): Finding {
  const part = damagedPart(stored);
  if (part !== null) return { kind: "damaged", reason: `${part} is no Yjs update (version 1)` };
  const doc = new Y.Doc();
  try {
    for (const update of stored.snapshot === null ? stored.updates : [stored.snapshot, ...stored.updates]) {
      Y.applyUpdate(doc, update);
    }
    const { pendingStructs, pendingDs } = doc.store;
    return { kind: pendingStructs === null && pendingDs === null ? "sound" : "incomplete" };
  } catch (error) {
    return { kind: "damaged", reason: `Yjs cannot read it: ${reasonOf(error)}` };
  } finally {
    doc.destroy();
  }
}
