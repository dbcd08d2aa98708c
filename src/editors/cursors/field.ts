import type { Awareness } from "y-protocols/awareness";
import { isCursorIn } from "./position.ts";
import { viewOf } from "../view.ts";

/**
 * An awareness for one of several editors that share a room, such as Quill's: in it only those have a `cursor` whose cursor
 * lies in this editor's text, and when the editor says that it has no cursor, that of another editor stays. y-quill keeps
 * the caret of one who went to another text, and takes the own caret away wherever it is.
 *
 * @param type the shared type that the editor shows
 */
export function cursorsIn(awareness: Awareness, type: object): Awareness {
  // [EDIT-11]
  return viewOf(awareness, {
    getStates() {
      const states = new Map(awareness.getStates());
      for (const [clientId, state] of states) {
        const isHere = isCursorIn(state["cursor"], type, awareness.doc);
        if (!isHere) states.set(clientId, { ...state, cursor: null });
      }
      return states;
    },
    // [EDIT-12]
    setLocalStateField(field, value) {
      const isElsewhere = !isCursorIn(awareness.getLocalState()?.["cursor"], type, awareness.doc);
      if (field !== "cursor" || value !== null || !isElsewhere) awareness.setLocalStateField(field, value);
    },
  });
}
