// A drawing without any binding: marks are in the document, pointers in the awareness.
import { caretUser } from "copresence/editors";
import { UndoManager } from "yjs";

export function mount(parent, { room, field }) {
  const { awareness, doc } = room;
  const marks = doc.getArray(field);
  const undo = new UndoManager(marks);
  const canvas = document.createElement("canvas");
  canvas.width = 600;
  canvas.height = 200;
  canvas.tabIndex = 0;
  const carets = document.createElement("div");
  parent.append(canvas, carets);
  let isEditable = true;

  const draw = () => {
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (const { x, y } of marks) context.fillRect(x, y, 8, 8);
  };
  const drawCarets = () => {
    const others = [...awareness.getStates()].filter(([clientId]) => clientId !== awareness.clientID);
    // a pointer says in which drawing it is
    const here = others.filter(([, { pointer }]) => pointer?.field === field);
    carets.replaceChildren(
      ...here.map(([clientId, { user, pointer }]) => {
        const { name, color } = caretUser({ id: String(clientId), ...user });
        const caret = document.createElement("span");
        caret.className = "pointer";
        caret.textContent = name;
        caret.style.left = `${canvas.offsetLeft + pointer.x}px`;
        caret.style.top = `${canvas.offsetTop + pointer.y}px`;
        caret.style.backgroundColor = color;
        return caret;
      }),
    );
  };
  canvas.addEventListener("pointermove", ({ offsetX: x, offsetY: y }) => {
    awareness.setLocalStateField("pointer", { field, x, y });
  });
  const clear = () => {
    if (awareness.getLocalState()?.pointer?.field === field) awareness.setLocalStateField("pointer", null);
  };
  canvas.addEventListener("pointerleave", clear);
  canvas.addEventListener("click", ({ offsetX: x, offsetY: y }) => {
    if (isEditable) marks.push([{ x, y }]);
  });
  canvas.addEventListener("keydown", ({ key, ctrlKey, metaKey }) => {
    if (key === "z" && (ctrlKey || metaKey)) undo.undo();
  });
  marks.observe(draw);
  awareness.on("change", drawCarets);
  draw();
  drawCarets();
  return {
    unmount() {
      marks.unobserve(draw);
      awareness.off("change", drawCarets);
      undo.destroy();
      canvas.remove();
      carets.remove();
      clear();
    },
    setEditable(can) {
      isEditable = can;
    },
  };
}
