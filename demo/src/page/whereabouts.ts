/** Tells the room which part of the text one is in, and whether one writes there or reads. */
import type { EditorState, Extension, Transaction } from "@codemirror/state";
import { ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { Room } from "copresence";
import type { Doing, RoomMeta } from "../presence.ts";

/** So long after the last key the writer has become a reader. */
const PAUSE_MS = 2_500;
const SETTLE_MS = 150;
const HEADING = /^#{1,6}\s+(.*?)\s*#*$/;

/** The nearest heading above the caret, else its line. */
export function placeOf(state: EditorState): Omit<RoomMeta, "doing"> {
  const line = state.doc.lineAt(state.selection.main.head).number;
  for (let n = line; n > 0; n--) {
    const section = HEADING.exec(state.doc.line(n).text)?.[1];
    if (section) return { section: section.slice(0, 60) };
  }
  return state.doc.length === 0 ? {} : { line };
}

const wrote = (tr: Transaction) => tr.docChanged && (tr.isUserEvent("input") || tr.isUserEvent("delete"));

export function whereabouts(room: Room): Extension {
  return ViewPlugin.define((view) => {
    let settle: ReturnType<typeof setTimeout> | undefined;
    let pause: ReturnType<typeof setTimeout> | undefined;
    let doing: Doing = "reading";
    const tell = () => {
      settle = undefined;
      room.setMeta({ doing, ...placeOf(view.state) } satisfies RoomMeta);
    };
    const tellSoon = () => (settle ??= setTimeout(tell, SETTLE_MS));
    tellSoon();
    return {
      update(update: ViewUpdate) {
        if (update.transactions.some(wrote)) {
          doing = "writing";
          clearTimeout(pause);
          pause = setTimeout(() => {
            doing = "reading";
            tell();
          }, PAUSE_MS);
        } else if (!update.selectionSet) return;
        tellSoon();
      },
      destroy() {
        clearTimeout(settle);
        clearTimeout(pause);
      },
    };
  });
}
