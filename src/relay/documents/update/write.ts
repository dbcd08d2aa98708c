/** Writes Yjs updates (version 1) out of pieces of others. */
import * as encoding from "lib0/encoding";
import type { Piece } from "./plan.ts";
import type { Deletion } from "./update.ts";

/** How many bytes a piece takes, without what comes before it. */
export function bytesOf({ run, from, to }: Piece): Uint8Array {
  return run.bytes.subarray(run.offsets[from], run.offsets[to]);
}

/**
 * One update of pieces, whose clients must differ, or follow each other within one run; and of deletions.
 */
export function writeUpdate(pieces: readonly Piece[], deletions: readonly Deletion[]): Uint8Array {
  return encoding.encode((encoder) => {
    const sections = new Map<number, Piece[]>();
    for (const piece of pieces) group(sections, piece.run.client, piece);
    encoding.writeVarUint(encoder, sections.size);
    for (const [client, parts] of sections) {
      const [first] = parts;
      if (first === undefined) continue;
      encoding.writeVarUint(
        encoder,
        parts.reduce((sum, { from, to }) => sum + to - from, 0),
      );
      encoding.writeVarUint(encoder, client);
      encoding.writeVarUint(encoder, first.run.clocks[first.from] ?? 0);
      for (const part of parts) encoding.writeUint8Array(encoder, bytesOf(part));
    }
    writeDeletions(encoder, deletions);
  });
}

/** As an update ends: the deletions by client. */
export function writeDeletions(encoder: encoding.Encoder, deletions: readonly Deletion[]): void {
  const ranges = new Map<number, Deletion[]>();
  for (const deletion of deletions) group(ranges, deletion.client, deletion);
  encoding.writeVarUint(encoder, ranges.size);
  for (const [client, parts] of ranges) {
    encoding.writeVarUint(encoder, client);
    encoding.writeVarUint(encoder, parts.length);
    for (const { clock, end } of parts) {
      encoding.writeVarUint(encoder, clock);
      encoding.writeVarUint(encoder, end - clock);
    }
  }
}

function group<T>(groups: Map<number, T[]>, client: number, value: T): void {
  const known = groups.get(client);
  if (known === undefined) groups.set(client, [value]);
  else known.push(value);
}
