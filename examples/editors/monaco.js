import { caretStyles, clearOnUnmount, cursorsIn, nudge } from "copresence/editors";
import * as monaco from "monaco-editor";
import EditorWorker from "monaco-editor/editor/editor.worker.js?worker";
import { MonacoBinding } from "y-monaco";
import * as Y from "yjs";

self.MonacoEnvironment = { getWorker: () => new EditorWorker() };

export function mount(parent, { room, field }) {
  const text = room.doc.getText(field);
  const model = monaco.editor.createModel("", "plaintext");
  const editor = monaco.editor.create(parent, { model, minimap: { enabled: false }, automaticLayout: true });
  // the binding says anew where the caret is whenever others write, also while the user is in another editor
  const hasFocus = () => editor.hasTextFocus();
  const awareness = cursorsIn(room.awareness, text, { field: "selection", hasFocus });
  const binding = new MonacoBinding(text, model, new Set([editor]), awareness);
  // and says nothing when the user comes back to where the caret was
  editor.onDidFocusEditorText(() => {
    const position = Y.createRelativePositionFromTypeIndex(text, model.getOffsetAt(editor.getPosition()));
    awareness.setLocalStateField("selection", { anchor: position, head: position });
  });
  // the binding draws nobody until somebody moves, and has no names
  nudge(room.awareness);
  const removeStyles = caretStyles(
    room.awareness,
    (clientId, { color, colorLight, cssName }) => `
      .yRemoteSelection-${clientId} { background: ${colorLight} }
      .yRemoteSelectionHead-${clientId} { position: absolute; border-left: 2px solid ${color}; height: 100% }
      .yRemoteSelectionHead-${clientId}::after {
        content: ${cssName}; position: absolute; top: 100%; background: ${color}; color: #fff; font-size: 12px; padding: 0 3px;
      }`,
  );
  // Monaco's own undo would take back others' text
  const undo = new Y.UndoManager(text, { trackedOrigins: new Set([binding]) });
  editor.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.KeyZ, () => undo.undo());
  editor.addCommand(monaco.KeyMod.CtrlCmd | monaco.KeyCode.KeyY, () => undo.redo());
  const clear = clearOnUnmount(room.awareness, { fields: ["selection"], type: text });
  return {
    unmount() {
      // disposing of the model destroys the binding
      model.dispose();
      editor.dispose();
      undo.destroy();
      removeStyles();
      // the binding leaves the caret where it was
      clear();
    },
    setEditable: (can) => editor.updateOptions({ readOnly: !can }),
  };
}
