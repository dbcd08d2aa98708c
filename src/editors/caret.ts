import type { Awareness } from "y-protocols/awareness";
import type { Unsubscribe } from "../presence/index.ts";
import { onRename } from "./rename.ts";
import { type CaretUser, caretUserOf } from "./user.ts";

/** The CSS classes of a caret and its label. */
export interface CaretClasses {
  /** Default: `ProseMirror-yjs-cursor`, as y-prosemirror's. */
  readonly caret?: string;
  /** Default: none. */
  readonly label?: string;
}

export interface CaretBuilder {
  /** Makes the caret of a client: y-prosemirror's `cursorBuilder`, Tiptap's `render`, BlockNote's `renderCursor`. */
  readonly build: (user: object, clientId: number) => HTMLElement;
  /** Follows renames no more. When the awareness is destroyed, as when a room is left, it is stopped by itself. */
  readonly stop: Unsubscribe;
}

/**
 * Makes carets whose labels follow renames. y-prosemirror and what is built on it draw a caret once for each client, and
 * keep the first name.
 */
export function caretBuilder(awareness: Awareness, classes: CaretClasses = {}): CaretBuilder {
  const { caret: caretClass = "ProseMirror-yjs-cursor", label: labelClass } = classes;
  /** The last caret that was made for each client: an editor draws one. */
  const carets = new Map<number, { readonly caret: HTMLElement; readonly label: HTMLElement }>();
  const paint = (clientId: number, { name, color }: CaretUser): void => {
    const drawn = carets.get(clientId);
    if (drawn === undefined) return;
    drawn.caret.style.borderColor = color;
    drawn.label.style.backgroundColor = color;
    drawn.label.textContent = name;
  };
  const forget = ({ removed }: { readonly removed: readonly number[] }): void => {
    for (const clientId of removed) carets.delete(clientId);
  };
  awareness.on("change", forget);
  // [EDIT-3]
  const stopRenames = onRename(awareness, paint);
  return {
    build(user, clientId) {
      const caret = document.createElement("span");
      caret.className = caretClass;
      const label = document.createElement("div");
      if (labelClass !== undefined) label.className = labelClass;
      // word joiners keep the line from breaking at the caret
      caret.append("\u2060", label, "\u2060");
      carets.set(clientId, { caret, label });
      paint(clientId, caretUserOf(clientId, awareness.getStates().get(clientId) ?? { user }));
      return caret;
    },
    stop() {
      stopRenames();
      awareness.off("change", forget);
      carets.clear();
    },
  };
}
