import { EditorView } from "@codemirror/view";
import type { Room, User } from "copresence";
import * as Y from "yjs";

/** Where the caret of a connection is in the text: what y-codemirror.next keeps in the awareness field `cursor`. */
export function caretOf(room: Room, clientId: number): number | null {
  const head: unknown = room.awareness.getStates().get(clientId)?.["cursor"]?.head;
  if (head === undefined || head === null) return null;
  try {
    return (
      Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(head), room.doc)?.index ?? null
    );
  } catch {
    // another client's words: a position that is none is nowhere
    return null;
  }
}

/** Scrolls the editor to somebody's caret, if they have one. */
export function reveal(room: Room, user: User<unknown>): void {
  const head = user.sessions.map(({ clientId }) => caretOf(room, clientId ?? -1)).find((at) => at !== null);
  const editor = document.querySelector<HTMLElement>(".cm-editor");
  const view = editor && EditorView.findFromDOM(editor);
  if (head === undefined || !view || head > view.state.doc.length) return;
  view.dispatch({ effects: EditorView.scrollIntoView(head, { y: "center" }) });
}
