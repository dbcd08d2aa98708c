/** Which messages of a link bring parts of documents: they are not for the tunnel, since the documents are Hocuspocus's. */
import { PIECE, WHOLE, isDocument, openEnvelope } from "../../wire/index.ts";

/** The step of a message about a document that only asks. */
const QUESTION = 0;

export class DocumentParts {
  /** Channels that are sending a part of a document in pieces. */
  readonly #inPieces = new Set<number>();

  /** Whether an envelope holds a part of a document, or a piece of one: an answer or an update, but no question. */
  isPartOfOne(envelope: Uint8Array): boolean {
    const { channel, part, content } = openEnvelope(envelope);
    if (part === WHOLE) return isPart(content);
    if (this.#inPieces.has(channel)) {
      if (part !== PIECE) this.#inPieces.delete(channel);
      return true;
    }
    if (part !== PIECE || !isPart(content)) return false;
    this.#inPieces.add(channel);
    return true;
  }
}

function isPart(message: Uint8Array): boolean {
  return isDocument(message) && message[1] !== QUESTION;
}
