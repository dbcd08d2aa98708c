import { LexicalCollaboration } from "@lexical/react/LexicalCollaborationContext";
import { CollaborationPlugin } from "@lexical/react/LexicalCollaborationPlugin";
import { LexicalComposer } from "@lexical/react/LexicalComposer";
import { useLexicalComposerContext } from "@lexical/react/LexicalComposerContext";
import { ContentEditable } from "@lexical/react/LexicalContentEditable";
import { LexicalErrorBoundary } from "@lexical/react/LexicalErrorBoundary";
import { PlainTextPlugin } from "@lexical/react/LexicalPlainTextPlugin";
import { lexicalProvider, othersStay } from "copresence/editors";
import { COMMAND_PRIORITY_LOW, UNDO_COMMAND } from "lexical";
import { StrictMode, useEffect, useMemo, useRef } from "react";
import { createRoot } from "react-dom/client";

function Editor({ room, user, field, isEditable }) {
  const { name, color } = user();
  // a document of its own, which is filled once Lexical listens; unmounting ends no connection
  const providerFactory = useMemo(() => lexicalProvider(room), [room]);
  const cursors = useRef(null);
  return (
    <LexicalComposer initialConfig={{ namespace: field, editorState: null, onError: console.error }}>
      <PlainTextPlugin contentEditable={<ContentEditable />} ErrorBoundary={LexicalErrorBoundary} />
      <LexicalCollaboration>
        <CollaborationPlugin
          id={field}
          providerFactory={providerFactory}
          shouldBootstrap
          username={name}
          cursorColor={color}
          cursorsContainerRef={cursors}
        />
      </LexicalCollaboration>
      <div ref={cursors} className="cursors" />
      <Undo />
      <Editable isEditable={isEditable} />
    </LexicalComposer>
  );
}

// without it undo takes away all that others wrote in a paragraph or text that was the user's
function Undo() {
  const [editor] = useLexicalComposerContext();
  const prepare = () => {
    const undoManager = editor[Symbol.for("@lexical/yjs/UndoManager")];
    if (undoManager !== undefined) Object.assign(undoManager, { deleteFilter: othersStay(undoManager.doc) });
    return false;
  };
  useEffect(() => editor.registerCommand(UNDO_COMMAND, prepare, COMMAND_PRIORITY_LOW));
  return null;
}

function Editable({ isEditable }) {
  const [editor] = useLexicalComposerContext();
  useEffect(() => editor.setEditable(isEditable), [editor, isEditable]);
  return null;
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
