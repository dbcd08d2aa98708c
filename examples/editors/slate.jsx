import { CursorEditor, YjsEditor, withCursors, withYHistory, withYjs } from "@slate-yjs/core";
import { useRemoteCursorOverlayPositions } from "@slate-yjs/react";
import { clearOnUnmount, cursorsIn, othersStay } from "copresence/editors";
import { StrictMode, useEffect, useMemo, useRef } from "react";
import { createRoot } from "react-dom/client";
import { Editor, Transforms, createEditor } from "slate";
import { Editable, ReactEditor, Slate, withReact } from "slate-react";
import { XmlText } from "yjs";

function makeEditor(room, root) {
  const editor = withReact(createEditor());
  // the binding says anew where the caret is whenever others write, also while the user is in another editor
  const hasFocus = () => ReactEditor.isFocused(editor);
  const awareness = cursorsIn(room.awareness, root, { field: "selection", hasFocus });
  // others find name and colour where every binding has them
  withCursors(withYjs(editor, root), awareness, { cursorDataField: "user" });
  // without the filter, undo takes away all that others wrote in a paragraph that was the user's
  withYHistory(editor, { deleteFilter: othersStay(room.doc) });
  const { normalizeNode } = editor;
  editor.normalizeNode = (entry) => {
    if (entry[0] !== editor || editor.children.length > 0) return normalizeNode(entry);
    Transforms.insertNodes(editor, { type: "paragraph", children: [{ text: "" }] }, { at: [0] });
  };
  return editor;
}

function SharedEditor({ room, field, isEditable }) {
  const root = room.doc.get(field, XmlText);
  const editor = useMemo(() => makeEditor(room, root), [room, root]);
  useEffect(() => {
    // once the document is there, else everybody begins it with a paragraph of their own
    const connect = () => {
      if (room.provider.synced && !YjsEditor.connected(editor)) YjsEditor.connect(editor);
      if (room.provider.synced) Editor.normalize(editor, { force: true });
    };
    connect();
    room.provider.on("sync", connect);
    const clear = clearOnUnmount(room.awareness, { fields: ["selection"], type: root });
    return () => {
      room.provider.off("sync", connect);
      if (YjsEditor.connected(editor)) YjsEditor.disconnect(editor);
      // the binding leaves the caret where it was
      clear();
    };
  }, [editor, room, root]);
  return (
    <Slate editor={editor} initialValue={[]}>
      <Carets>
        <Editable readOnly={!isEditable} onFocus={() => CursorEditor.sendCursorPosition(editor)} />
      </Carets>
    </Slate>
  );
}

function Carets({ children }) {
  const container = useRef(null);
  const [cursors] = useRemoteCursorOverlayPositions({ containerRef: container });
  return (
    <div ref={container} style={{ position: "relative" }}>
      {children}
      {cursors.map(
        // the binding keeps the position of a caret that is gone: then it has no range
        ({ clientId, data, range, caretPosition }) =>
          range &&
          caretPosition && (
            <span
              key={clientId}
              className="caret"
              style={{ ...caretPosition, position: "absolute", borderColor: data?.color }}
            >
              <div style={{ background: data?.color }}>{data?.name}</div>
            </span>
          ),
      )}
    </div>
  );
}

export function mount(parent, options) {
  const root = createRoot(parent);
  const render = (isEditable) =>
    root.render(
      <StrictMode>
        <SharedEditor {...options} isEditable={isEditable} />
      </StrictMode>,
    );
  render(true);
  return { unmount: () => root.unmount(), setEditable: render };
}
