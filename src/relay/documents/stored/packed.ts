/**
 * What a thread is to make of a document, on its way there: in one piece, whose memory goes there. To hand over as many
 * pieces as there are, and copies of them, takes twenty times as long.
 */
import type { StoredDocument } from "../../ports/stores/document-store.ts";
import type { CompactionInput } from "./compact.ts";
import type { MergeInput } from "./merge.ts";

/** What a thread is to do. */
export type Work =
  | { readonly task: "compact"; readonly input: CompactionInput }
  | { readonly task: "merge"; readonly input: MergeInput };

export interface Packed {
  readonly task: Work["task"];
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How long each piece is: the snapshot, if there is one, and the updates. */
  readonly lengths: readonly number[];
  readonly hasSnapshot: boolean;
  readonly keepsHistory: boolean;
}

/** So much is copied before others go on, bytes. */
const PORTION = 2 ** 20;

export async function pack({ task, input }: Work): Promise<Packed> {
  const { snapshot, updates } = input;
  const pieces = snapshot === null ? updates : [snapshot, ...updates];
  const lengths = pieces.map(({ length }) => length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let [at, copied] = [0, 0];
  for (const piece of pieces) {
    for (let from = 0; from < piece.length; from += PORTION) {
      const portion = piece.subarray(from, from + PORTION);
      bytes.set(portion, at);
      at += portion.length;
      copied += portion.length;
      if (copied < PORTION) continue;
      copied = 0;
      await new Promise((resolve) => void setImmediate(resolve));
    }
  }
  const keepsHistory = "keepsHistory" in input && input.keepsHistory;
  return { task, bytes, lengths, hasSnapshot: snapshot !== null, keepsHistory };
}

export function unpack({ task, bytes, lengths, hasSnapshot, keepsHistory }: Packed): Work {
  let at = 0;
  const pieces = lengths.map((length) => bytes.subarray(at, (at += length)));
  const [first] = pieces;
  const stored: Pick<StoredDocument, "snapshot" | "updates"> =
    hasSnapshot && first !== undefined
      ? { snapshot: first, updates: pieces.slice(1) }
      : { snapshot: null, updates: pieces };
  return task === "merge" ? { task, input: stored } : { task, input: { ...stored, keepsHistory } };
}
