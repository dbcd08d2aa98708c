/**
 * Shows the name at somebody's caret for a moment whenever they move or write; on hover y-codemirror.next shows it. It
 * tells carets apart by their colour alone, so that two of one colour may swap names: each is given its own here.
 */
import type { Extension } from "@codemirror/state";
import { ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { Room } from "copresence";
import { caretOf } from "./caret.ts";

const SHOWN_MS = 2_500;

export function nameTags(room: Room): Extension {
  return ViewPlugin.define((view) => {
    let heads = new Map<number, number>();
    let moved = new Set<number>();
    let frame = 0;

    const draw = () => {
      const unnamed = new Map(heads);
      for (const tag of view.dom.querySelectorAll<HTMLElement>(".cm-ySelectionCaret > .cm-ySelectionInfo")) {
        const at = view.posAtDOM(tag);
        const owner = [...unnamed.keys()].find((clientId) => unnamed.get(clientId) === at);
        if (owner === undefined) continue;
        unnamed.delete(owner);
        const name = String(room.awareness.getStates().get(owner)?.["user"]?.name ?? "Anonymous");
        if (tag.textContent !== name) tag.textContent = name;
        // at the end of a line it would reach beyond the column, on a phone beyond the screen
        tag.style.translate = "";
        const beyond = tag.getBoundingClientRect().right - view.dom.getBoundingClientRect().right;
        if (beyond > 0) tag.style.translate = `${-beyond}px`;
        if (!moved.has(owner)) continue;
        for (const animation of tag.getAnimations()) animation.cancel();
        tag.animate({ opacity: [1, 1, 0] }, { duration: SHOWN_MS, easing: "ease-in" });
      }
      moved = new Set();
    };

    return {
      update({ changes }: ViewUpdate) {
        const before = heads;
        heads = new Map();
        for (const clientId of room.awareness.getStates().keys()) {
          const head = clientId === room.awareness.clientID ? null : caretOf(room, clientId);
          if (head === null) continue;
          heads.set(clientId, head);
          const last = before.get(clientId);
          // text that others wrote carries a caret along; text written at the caret is its owner's
          const carried = last === undefined || last > changes.length ? last : changes.mapPos(last, -1);
          if (head !== carried) moved.add(clientId);
        }
        cancelAnimationFrame(frame);
        frame = requestAnimationFrame(draw);
      },
      destroy: () => cancelAnimationFrame(frame),
    };
  });
}
