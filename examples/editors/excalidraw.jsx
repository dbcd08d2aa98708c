import { Excalidraw } from "@excalidraw/excalidraw";
import "@excalidraw/excalidraw/index.css";
import { clearOnUnmount, nudge } from "copresence/editors";
import { StrictMode, useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { ExcalidrawBinding, yjsToExcalidraw } from "y-excalidraw";
import { UndoManager } from "yjs";

function Board({ room, field, isEditable }) {
  const elements = room.doc.getArray(field);
  const [api, setApi] = useState(null);
  const [binding, setBinding] = useState(null);
  const board = useRef(null);
  useEffect(() => {
    if (api === null) return;
    const undoManager = new UndoManager(elements);
    const made = new ExcalidrawBinding(elements, room.doc.getMap(`${field}-files`), api, room.awareness, {
      excalidrawDom: board.current,
      undoManager,
    });
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
  }, [api, elements, field, room]);
  return (
    <div ref={board} style={{ height: 500 }}>
      <Excalidraw
        // without it the binding takes an empty board for the user's
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
        <Board {...options} isEditable={isEditable} />
      </StrictMode>,
    );
  render(true);
  return { unmount: () => root.unmount(), setEditable: render };
}
