import { Excalidraw } from "@excalidraw/excalidraw";
import "@excalidraw/excalidraw/index.css";
import { clearOnUnmount, nudge } from "copresence/editors";
import { StrictMode, useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { ExcalidrawBinding, yjsToExcalidraw } from "y-excalidraw";
import { UndoManager } from "yjs";

// before the document is there the binding takes an empty board for the user's, and would empty everybody's
function BoardOnceSynced({ room, ...rest }) {
  const [isSynced, setSynced] = useState(room.provider.synced);
  useEffect(() => {
    const follow = (synced) => synced && setSynced(true);
    follow(room.provider.synced);
    room.provider.on("sync", follow);
    return () => room.provider.off("sync", follow);
  }, [room]);
  return isSynced && <Board key={String(rest.isEditable)} room={room} {...rest} />;
}

function Board({ room, field, isEditable }) {
  const elements = room.doc.getArray(field);
  const [api, setApi] = useState(null);
  const [binding, setBinding] = useState(null);
  const board = useRef(null);
  useEffect(() => {
    if (api === null) return;
    const undoManager = new UndoManager(elements);
    // a board that is only looked at has no buttons for undo, which the binding would look for
    const undo = isEditable ? { excalidrawDom: board.current, undoManager } : undefined;
    const files = room.doc.getMap(`${field}-files`);
    const made = new ExcalidrawBinding(elements, files, api, room.awareness, undo);
    // the binding draws the own pointer too, until somebody moves
    nudge(room.awareness);
    setBinding(made);
    const clear = clearOnUnmount(room.awareness, { fields: ["pointer", "button", "selectedElementIds"] });
    return () => {
      made.destroy();
      undoManager.destroy();
      // the binding leaves the pointer where it was
      clear();
    };
  }, [api, elements, field, isEditable, room]);
  return (
    <div ref={board} style={{ height: 500 }}>
      <Excalidraw
        initialData={{ elements: yjsToExcalidraw(elements) }}
        excalidrawAPI={setApi}
        onPointerUpdate={binding?.onPointerUpdate}
        viewModeEnabled={!isEditable}
      />
    </div>
  );
}

export function mount(parent, options) {
  const root = createRoot(parent);
  const render = (isEditable) =>
    root.render(
      <StrictMode>
        <BoardOnceSynced {...options} isEditable={isEditable} />
      </StrictMode>,
    );
  render(true);
  return { unmount: () => root.unmount(), setEditable: render };
}
