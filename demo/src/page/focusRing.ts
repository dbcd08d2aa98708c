/** Outlines the text when somebody came to it with the Tab key, until they write or press; a caret alone is easily missed. */
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

const outline = (view: EditorView, shown: boolean): false => {
  view.dom.toggleAttribute("data-tabbed", shown);
  return false;
};

export const focusRing: Extension = EditorView.domEventHandlers({
  // the key goes down in what was focused before, and up in the text
  keyup: (event, view) => event.key === "Tab" && outline(view, true),
  keydown: (event, view) => !["Tab", "Shift"].includes(event.key) && outline(view, false),
  pointerdown: (_event, view) => outline(view, false),
  blur: (_event, view) => outline(view, false),
});
