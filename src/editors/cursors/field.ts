import type { Awareness } from "y-protocols/awareness";
import { isCursorIn } from "./position.ts";
import { viewOf } from "../view.ts";

export interface CursorsOptions {
  /** The field of the awareness state in which the binding keeps the cursor. Default: `cursor`, as most do. */
  readonly field?: string;
  /**
   * Whether the user is in this editor. With it, a cursor that the binding says while the user is in another one is not
   * passed on: y-monaco and Slate say theirs anew whenever others write. Default: always.
   */
  readonly hasFocus?: () => boolean;
}

/**
 * An awareness for one of several editors that share a room: in it only those have a cursor whose cursor lies in this
 * editor's text, and when the editor says that it has no cursor, that of another editor stays. y-quill keeps the caret of
 * one who went to another text, and takes the own caret away wherever it is.
 *
 * @param type the shared type that the editor shows
 */
export function cursorsIn(awareness: Awareness, type: object, options: CursorsOptions = {}): Awareness {
  const { field: cursorField = "cursor", hasFocus = () => true } = options;
  // [EDIT-11]
  return viewOf(awareness, {
    getStates() {
      const states = new Map(awareness.getStates());
      for (const [clientId, state] of states) {
        const isHere = isCursorIn(state[cursorField], type, awareness.doc);
        if (!isHere) states.set(clientId, { ...state, [cursorField]: null });
      }
      return states;
    },
    // [EDIT-12] [EDIT-19]
    setLocalStateField(field, value) {
      const isElsewhere = !isCursorIn(awareness.getLocalState()?.[cursorField], type, awareness.doc);
      const isKept = value === null ? isElsewhere : !hasFocus();
      if (field !== cursorField || !isKept) awareness.setLocalStateField(field, value);
    },
  });
}
