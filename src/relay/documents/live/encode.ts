/** Encodes a document, or what somebody has not of it, in time that grows with what is written alone. [DOC-9] */
import * as encoding from "lib0/encoding";
import * as Y from "yjs";
import type { StateVector } from "../update/state-vector.ts";

/** @param deletions as `DeletedRanges` encodes them */
export function encodeSince(
  store: Y.Doc["store"],
  own: StateVector,
  known: StateVector,
  deletions: Uint8Array,
): Uint8Array {
  const encoder = new Y.UpdateEncoderV1();
  const missing = [...own].filter(([client, clock]) => clock > (known.get(client) ?? 0));
  encoding.writeVarUint(encoder.restEncoder, missing.length);
  // those with the highest ids first, as Yjs has it
  for (const [client] of missing.toSorted(([a], [b]) => b - a)) {
    writeStructs(encoder, store.clients.get(client) ?? [], client, known.get(client) ?? 0);
  }
  encoding.writeUint8Array(encoder.restEncoder, deletions);
  return encoder.toUint8Array();
}

function writeStructs(encoder: Y.UpdateEncoderV1, structs: (Y.GC | Y.Item)[], client: number, clock: number): void {
  const first = clock === 0 ? 0 : Y.findIndexSS(structs, clock);
  encoding.writeVarUint(encoder.restEncoder, structs.length - first);
  encoder.writeClient(client);
  encoding.writeVarUint(encoder.restEncoder, clock);
  for (let i = first; i < structs.length; i++) {
    const struct = structs[i];
    struct?.write(encoder, i === first ? clock - struct.id.clock : 0);
  }
}
