import * as Y from "yjs";

/**
 * Makes a `deleteFilter` for Yjs' `UndoManager`: an undo takes away what the user wrote, and leaves the blocks in which
 * others have written since. Without one, a user who takes back that they made a block takes away all that is in it, as in
 * BlockNote and Lexical.
 *
 * @param doc the document of the undo manager
 */
export function othersStay(doc: Y.Doc): (item: Y.Item) => boolean {
  return (item) => {
    const { content, parent, parentSub } = item;
    // [EDIT-18] what a block was made with
    if (parentSub !== null && parent instanceof Y.AbstractType && parent._item !== null && isFirst(item, doc)) {
      return !isOfOthers(parent._item, doc.clientID);
    }
    return !(content instanceof Y.ContentType && isOfOthers(item, doc.clientID));
  };
}

/** Whether this is the first value of an attribute, or that value again after an undo. */
function isFirst(item: Y.Item, doc: Y.Doc): boolean {
  let first = item;
  while (first.left !== null) first = first.left;
  while (first !== item && first.redone !== null) {
    const next: unknown = Y.getItem(doc.store, first.redone);
    if (!(next instanceof Y.Item)) return false;
    first = next;
  }
  return first === item;
}

/** Whether others wrote in what an item holds. */
function isOfOthers(item: Y.Item, clientId: number): boolean {
  const { content } = item;
  if (!(content instanceof Y.ContentType)) return false;
  // [EDIT-16]
  if (holdsOthers(content.type, clientId)) return true;
  // [EDIT-17]
  return content.type instanceof Y.Map && isBeforeOthers(item, clientId);
}

function holdsOthers(type: Y.AbstractType<unknown>, clientId: number): boolean {
  for (const first of [type._start, ...type._map.values()]) {
    for (let item = first; item !== null; item = item.right) {
      if (item.deleted) continue;
      if (item.id.client !== clientId) return true;
      if (item.content instanceof Y.ContentType && holdsOthers(item.content.type, clientId)) return true;
    }
  }
  return false;
}

/** Whether others wrote in the characters after a map in a text: Lexical puts a map before those of each of its text nodes. */
function isBeforeOthers({ right }: Y.Item, clientId: number): boolean {
  for (let item = right; item !== null; item = item.right) {
    if (item.deleted) continue;
    if (item.content instanceof Y.ContentType) return false;
    if (item.content instanceof Y.ContentString && item.id.client !== clientId) return true;
  }
  return false;
}
