/** A document of a room, without the room: who sends it updates, and what others are told. */
import * as Y from "yjs";
import { Documents, type RoomDocument, SharedDocument } from "../../../src/relay/documents/index.ts";
import type { DocumentOptions } from "../../../src/relay/documents/documents.ts";
import type { Packet } from "../../../src/relay/ports/packet.ts";
import { EMPTY_STATE_VECTOR, decodeFrame } from "../../../src/wire/index.ts";

export const OPTIONS: DocumentOptions = {
  documentGc: true,
  documentTtl: 0,
  maxDocument: 0,
  maxDocuments: 2 ** 30,
  maxDocumentStructs: 1_000_000,
  maxUpdateStructs: 250_000,
  maxSubdocuments: 2_000,
  maxPendingStructs: 10_000,
};

/** Somebody who sends updates. */
export function writer(): object {
  return {};
}

export function updateOf({ message }: Packet): Uint8Array {
  const frame = decodeFrame(message);
  if (frame.type !== "syncStep2" && frame.type !== "update") throw new Error(frame.type);
  return frame.update;
}

/** What somebody is told who asks for a document. */
export function read(document: RoomDocument, doc: Y.Doc = new Y.Doc()): Y.Doc {
  const known = doc.store.clients.size === 0 ? EMPTY_STATE_VECTOR : Y.encodeStateVector(doc);
  for (const packet of document.sync(known)) Y.applyUpdate(doc, updateOf(packet));
  return doc;
}

/** Rooms that come and go on one relay. */
export function relay(options: Partial<DocumentOptions> = {}) {
  const warnings: Error[] = [];
  const documents = new Documents({ ...OPTIONS, ...options }, null, (error) => warnings.push(error));
  const open = (room = "doc") => {
    const told: { readonly update: Uint8Array; readonly except: unknown }[] = [];
    const document: SharedDocument = new SharedDocument(room, documents, {
      sendUpdate: (packet, except) => told.push({ update: updateOf(packet), except }),
      taken() {},
      // as a room does that is quiet, but at once
      scheduleFlush: () => document.settle(),
      refuse: (_author, error) => {
        throw error;
      },
      charge() {},
    });
    return { document, told };
  };
  return { documents, warnings, open };
}
