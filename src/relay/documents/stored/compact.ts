/** Makes one short update of all that was stored of a document. It takes long for a large one: see thread.ts. */
import * as Y from "yjs";

/** What is to be made one. */
export interface CompactionInput {
  readonly snapshot: Uint8Array | null;
  readonly updates: readonly Uint8Array[];
  /** Whether what was deleted is kept, for clients that go back in the document's history. */
  readonly keepsHistory: boolean;
}

/**
 * What was deleted is forgotten, unless its history is kept: for those who are here, or for those for whom the snapshot was
 * made before. What builds on something that is missing stays as it is. [STORE-13]
 */
export function compactDocument({ snapshot, updates, keepsHistory }: CompactionInput): Uint8Array {
  const doc = new Y.Doc({ gc: false });
  try {
    if (snapshot !== null) Y.applyUpdate(doc, snapshot);
    doc.gc = !keepsHistory && !holdsDeleted(doc);
    // the transaction that ends last collects what all of them deleted
    doc.transact(() => {
      for (const update of updates) Y.applyUpdate(doc, update);
    });
    return Y.encodeStateAsUpdate(doc);
  } finally {
    doc.destroy();
  }
}

/** Whether it has content that was deleted: a document that forgets what was deleted never has. */
function holdsDeleted(doc: Y.Doc): boolean {
  for (const structs of doc.store.clients.values()) {
    for (const struct of structs) {
      if (struct instanceof Y.Item && struct.deleted && !(struct.content instanceof Y.ContentDeleted)) return true;
    }
  }
  return false;
}
