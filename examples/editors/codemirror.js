import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, ViewPlugin, keymap } from "@codemirror/view";
import { clearOnUnmount, distinctCarets } from "copresence/editors";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";

export function mount(parent, { room, field }) {
  const text = room.doc.getText(field);
  const editable = new Compartment();
  const view = new EditorView({
    parent,
    doc: text.toString(),
    extensions: [
      // each client has a colour text of its own: the binding tells carets apart by nothing else
      yCollab(text, distinctCarets(room.awareness)),
      // the binding leaves the caret where it was
      ViewPlugin.define(() => ({ destroy: clearOnUnmount(room.awareness, { type: text }) })),
      keymap.of(yUndoManagerKeymap),
      editable.of([]),
      EditorView.lineWrapping,
    ],
  });
  return {
    unmount: () => view.destroy(),
    setEditable(can) {
      view.dispatch({ effects: editable.reconfigure(EditorState.readOnly.of(!can)) });
    },
  };
}
