/** The messages of y-websocket, as bytes. */
import * as encoding from "lib0/encoding";

/** Types of messages. Hocuspocus has more, of which one matters: that a document is closed. */
export const MESSAGE = { sync: 0, awareness: 1, auth: 2, queryAwareness: 3, syncReply: 4, close: 7 } as const;

const UPDATE = 2;

/** What somebody says of a client id: the id, a clock, and the state as JSON text. */
export type Said = readonly [id: number, clock: number, state: string];

export function awarenessMessage(update: Uint8Array): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, MESSAGE.awareness);
  encoding.writeVarUint8Array(encoder, update);
  return encoding.toUint8Array(encoder);
}

/** Says anything of any client ids. */
export function statesMessage(said: readonly Said[]): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, said.length);
  for (const [id, clock, state] of said) {
    encoding.writeVarUint(encoder, id);
    encoding.writeVarUint(encoder, clock);
    encoding.writeVarString(encoder, state);
  }
  return awarenessMessage(encoding.toUint8Array(encoder));
}

/** A document update, whether or not it is one. */
export function updateMessage(update: Uint8Array): Uint8Array {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, MESSAGE.sync);
  encoding.writeVarUint(encoder, UPDATE);
  encoding.writeVarUint8Array(encoder, update);
  return encoding.toUint8Array(encoder);
}
