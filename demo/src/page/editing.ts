/**
 * Deletions, line breaks and typing over a selection, done to the editor's state. Left to the browser they are done to
 * the DOM, and Chromium then takes the name at another's caret for text that was written there.
 */
import { EditorSelection, type Extension, type SelectionRange } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";

type Move = (view: EditorView, range: SelectionRange) => SelectionRange;

/** By the input types that browsers know, what a deletion takes where nothing is selected. */
const deletions: Readonly<Record<string, Move>> = {
  deleteContentBackward: (view, range) => view.moveByChar(range, false),
  deleteContentForward: (view, range) => view.moveByChar(range, true),
  deleteWordBackward: (view, range) => view.moveByGroup(range, false),
  deleteWordForward: (view, range) => view.moveByGroup(range, true),
  deleteSoftLineBackward: (view, range) => view.moveToLineBoundary(range, false),
  deleteSoftLineForward: (view, range) => view.moveToLineBoundary(range, true),
  deleteHardLineBackward: (view, range) => view.moveToLineBoundary(range, false, false),
  deleteHardLineForward: (view, range) => view.moveToLineBoundary(range, true, false),
};

function erase(view: EditorView, move: Move): void {
  const erased = view.state.changeByRange((range) => {
    const { from, to } = range.empty ? EditorSelection.range(range.head, move(view, range).head) : range;
    return { changes: { from, to }, range: EditorSelection.cursor(from) };
  });
  view.dispatch(erased, { scrollIntoView: true, userEvent: "delete" });
}

function insert(view: EditorView, text: string): void {
  view.dispatch(view.state.replaceSelection(text), { scrollIntoView: true, userEvent: "input.type" });
}

const beforeInput = EditorView.domEventHandlers({
  beforeinput({ inputType, data, cancelable, isComposing }, view) {
    if (!cancelable || isComposing) return false;
    // handled: nothing is done
    if (view.state.readOnly) return true;
    const move = deletions[inputType];
    if (move !== undefined) erase(view, move);
    else if (inputType === "insertParagraph" || inputType === "insertLineBreak") insert(view, "\n");
    else if (inputType === "insertText" && data !== null && !view.state.selection.main.empty) insert(view, data);
    else return false;
    return true;
  },
});

const selectAll = keymap.of([
  {
    key: "Mod-a",
    run: (view) => {
      view.dispatch({ selection: { anchor: 0, head: view.state.doc.length } });
      return true;
    },
  },
]);

export const editing: Extension = [beforeInput, selectAll];
