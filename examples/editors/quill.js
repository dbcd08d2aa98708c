import { clearOnUnmount, cursorsIn, nudge, onRename } from "copresence/editors";
import Quill from "quill";
import QuillCursors from "quill-cursors";
import { QuillBinding } from "y-quill";

Quill.register("modules/cursors", QuillCursors);

export function mount(parent, { room, field }) {
  const text = room.doc.getText(field);
  const container = document.createElement("div");
  parent.append(container);
  const quill = new Quill(container, { modules: { cursors: true, history: { userOnly: true } } });
  const binding = new QuillBinding(text, quill, cursorsIn(room.awareness, text));
  // quill-cursors keeps the first name that it drew
  const stopRenames = onRename(room.awareness, (clientId) => {
    quill.getModule("cursors").removeCursor(String(clientId));
    nudge(room.awareness);
  });
  const clear = clearOnUnmount(room.awareness, { type: text });
  return {
    unmount() {
      stopRenames();
      binding.destroy();
      container.remove();
      // the binding leaves the caret where it was
      clear();
    },
    setEditable: (can) => quill.enable(can),
  };
}
