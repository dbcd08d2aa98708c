/**
 * What is to be compacted, on its way to the thread that does it: in one piece, whose memory goes there. To hand over as many
 * pieces as there are, and copies of them, takes twenty times as long.
 */
import type { CompactionInput } from "./compact.ts";

export interface Packed {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How long each piece is: the snapshot, if there is one, and the updates. */
  readonly lengths: readonly number[];
  readonly hasSnapshot: boolean;
  readonly keepsHistory: boolean;
}

export function pack({ snapshot, updates, keepsHistory }: CompactionInput): Packed {
  const pieces = snapshot === null ? updates : [snapshot, ...updates];
  const lengths = pieces.map(({ length }) => length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return { bytes, lengths, hasSnapshot: snapshot !== null, keepsHistory };
}

export function unpack({ bytes, lengths, hasSnapshot, keepsHistory }: Packed): CompactionInput {
  let at = 0;
  const pieces = lengths.map((length) => bytes.subarray(at, (at += length)));
  const [first] = pieces;
  return hasSnapshot && first !== undefined
    ? { snapshot: first, updates: pieces.slice(1), keepsHistory }
    : { snapshot: null, updates: pieces, keepsHistory };
}
