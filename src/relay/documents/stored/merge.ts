/** What was stored of a document, as one update. It takes long for a long document: see thread.ts. Pure. */
import * as Y from "yjs";
import type { StoredDocument } from "../../ports/stores/document-store.ts";

export interface Merged {
  readonly update: Uint8Array;
  readonly stateVector: Uint8Array;
}

export type MergeInput = Pick<StoredDocument, "snapshot" | "updates">;

/** Throws where a part of it is no Yjs update. */
export function mergeStored({ snapshot, updates }: MergeInput): Merged {
  const update = mergeUpdates(snapshot === null ? updates : [snapshot, ...updates]);
  return { update, stateVector: Y.encodeStateVectorFromUpdate(update) };
}

export function mergeUpdates(updates: readonly Uint8Array[]): Uint8Array {
  return updates.length === 1 && updates[0] !== undefined ? updates[0] : Y.mergeUpdates([...updates]);
}
