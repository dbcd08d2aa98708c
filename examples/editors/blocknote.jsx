import "@blocknote/mantine/style.css";
import { withCollaboration } from "@blocknote/core/yjs";
import { BlockNoteView } from "@blocknote/mantine";
import { useCreateBlockNote } from "@blocknote/react";
import { caretBuilder, othersStay } from "copresence/editors";
import { StrictMode, useEffect, useMemo } from "react";
import { createRoot } from "react-dom/client";
import { yUndoPluginKey } from "y-prosemirror";

function Editor({ room, user, field, isEditable }) {
  // BlockNote keeps the first name that it drew
  const carets = useMemo(() => caretBuilder(room.awareness, { caret: "caret" }), [room]);
  const editor = useCreateBlockNote(
    withCollaboration({
      collaboration: {
        fragment: room.doc.getXmlFragment(field),
        provider: room.provider,
        user: user(),
        renderCursor: carets.build,
      },
    }),
    [room, field],
  );
  useEffect(() => {
    // else a person who takes back a block takes away what others wrote in it
    yUndoPluginKey.getState(editor.prosemirrorState).undoManager.deleteFilter = othersStay(room.doc);
  }, [editor, room]);
  return <BlockNoteView editor={editor} editable={isEditable} />;
}

export function mount(parent, options) {
  const root = createRoot(parent);
  const render = (isEditable) =>
    root.render(
      <StrictMode>
        <Editor {...options} isEditable={isEditable} />
      </StrictMode>,
    );
  render(true);
  return { unmount: () => root.unmount(), setEditable: render };
}
