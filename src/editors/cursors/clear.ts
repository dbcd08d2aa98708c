import type { Awareness } from "y-protocols/awareness";
import { isCursorIn } from "./position.ts";

export interface ClearOptions {
  /** The fields of the awareness state in which the binding keeps the cursor. Default: `cursor`, as most do. */
  readonly fields?: readonly string[];
  /**
   * The shared type that the editor shows. With it, a cursor that lies in another text is left where it is: it is that of another
   * editor on the same awareness. Default: the cursor goes in any case.
   */
  readonly type?: object;
}

/**
 * Makes a function to call when an editor is unmounted: it takes the own cursor away, which most bindings leave where it
 * was. The user stays in the room.
 */
export function clearOnUnmount(awareness: Awareness, options: ClearOptions = {}): () => void {
  const { fields = ["cursor"], type } = options;
  // [EDIT-4]
  return () => {
    const local = awareness.getLocalState();
    if (local === null) return;
    const mine = fields.filter(
      (field) => field in local && (type === undefined || isCursorIn(local[field], type, awareness.doc)),
    );
    if (mine.length === 0) return;
    awareness.setLocalState(Object.fromEntries(Object.entries(local).filter(([field]) => !mine.includes(field))));
  };
}
