import * as Y from "yjs";
import { asRecord } from "../../presence/index.ts";

/**
 * Whether a cursor lies in a shared type, or in one within it. Of a cursor that cannot be read, or that stands nowhere, this
 * says yes: nothing else claims it.
 */
export function isCursorIn(cursor: unknown, type: object, doc: Y.Doc): boolean {
  const { anchor } = asRecord(cursor);
  if (anchor === undefined || anchor === null) return true;
  try {
    const position = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(anchor), doc);
    return position === null || isWithin(position.type, type);
  } catch {
    return true;
  }
}

function isWithin(inner: object, outer: object): boolean {
  for (let type: unknown = inner; type instanceof Y.AbstractType; type = type.parent) if (type === outer) return true;
  return false;
}
