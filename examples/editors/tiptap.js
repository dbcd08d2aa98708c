import { Editor } from "@tiptap/core";
import { Collaboration } from "@tiptap/extension-collaboration";
import { CollaborationCaret } from "@tiptap/extension-collaboration-caret";
import { StarterKit } from "@tiptap/starter-kit";
import { caretBuilder } from "copresence/editors";

export function mount(parent, { room, user, field }) {
  // the binding keeps the first name that it drew
  const carets = caretBuilder(room.awareness, { caret: "caret" });
  const editor = new Editor({
    element: parent,
    extensions: [
      StarterKit.configure({ undoRedo: false }),
      Collaboration.configure({ document: room.doc, field }),
      CollaborationCaret.configure({ provider: room.provider, user: user(), render: carets.build }),
    ],
  });
  return {
    unmount() {
      editor.destroy();
      carets.stop();
    },
    setEditable: (can) => editor.setEditable(can),
  };
}
