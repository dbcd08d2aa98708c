/**
 * Updates whose values are text: Yjs has two kinds of content for plain values, and reads both as the same. The one that
 * it writes, any, is made of one piece for each key and value; the older one, JSON, is parsed at once, which takes a
 * client with much to read a fraction of the time. Of other implementations not all read it as Yjs does.
 */
import * as Y from "yjs";

// Yjs's numbers for the kinds of content, in the lower bits of what precedes each item
const KIND = 0b11111;
const JSON_KIND = 2;
const ANY_KIND = 8;

class JsonEncoder extends Y.UpdateEncoderV1 {
  override writeInfo(info: number): void {
    super.writeInfo((info & KIND) === ANY_KIND ? (info & ~KIND) | JSON_KIND : info);
  }

  override writeAny(value: unknown): void {
    // Yjs reads the word as the value
    this.writeString(JSON.stringify(value) ?? "undefined");
  }
}

/** A whole document of plain values as such an update. */
export function encodeAsJson(doc: Y.Doc): Uint8Array {
  try {
    return Y.encodeStateAsUpdateV2(doc, undefined, new JsonEncoder());
  } catch {
    // another relay has written something that is no JSON, such as a bigint
    return Y.encodeStateAsUpdate(doc);
  }
}
