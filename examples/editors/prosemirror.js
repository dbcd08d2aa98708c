import { caretBuilder } from "copresence/editors";
import { baseKeymap } from "prosemirror-commands";
import { keymap } from "prosemirror-keymap";
import { schema } from "prosemirror-schema-basic";
import { EditorState } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import { redo, undo, yCursorPlugin, ySyncPlugin, yUndoPlugin } from "y-prosemirror";

export function mount(parent, { room, field }) {
  // the binding keeps the first name that it drew
  const carets = caretBuilder(room.awareness, { caret: "caret" });
  let isEditable = true;
  const view = new EditorView(parent, {
    state: EditorState.create({
      schema,
      plugins: [
        ySyncPlugin(room.doc.getXmlFragment(field)),
        yCursorPlugin(room.awareness, { cursorBuilder: carets.build }),
        yUndoPlugin(),
        keymap({ "Mod-z": undo, "Mod-y": redo }),
        keymap(baseKeymap),
      ],
    }),
    editable: () => isEditable,
  });
  return {
    unmount() {
      view.destroy();
      carets.stop();
    },
    setEditable(can) {
      isEditable = can;
      view.setProps({});
    },
  };
}
