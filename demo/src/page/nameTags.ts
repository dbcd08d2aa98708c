/** Shows the name at somebody's caret for a moment whenever they move or write; on hover y-codemirror.next shows it. */
import type { Extension } from "@codemirror/state";
import { ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { Room } from "copresence";
import { caretOf } from "./caret.ts";

const SHOWN_MS = 2_500;

export function nameTags(room: Room): Extension {
  return ViewPlugin.define((view) => {
    let heads = new Map<number, number>();

    const show = (names: ReadonlySet<string>) => {
      for (const tag of view.dom.querySelectorAll(".cm-ySelectionInfo")) {
        if (!names.has(tag.textContent)) continue;
        for (const animation of tag.getAnimations()) animation.cancel();
        tag.animate({ opacity: [1, 1, 0] }, { duration: SHOWN_MS, easing: "ease-in" });
      }
    };

    return {
      update({ changes }: ViewUpdate) {
        const before = heads;
        const moved = new Set<string>();
        heads = new Map();
        for (const [clientId, state] of room.awareness.getStates()) {
          const head = clientId === room.awareness.clientID ? null : caretOf(room, clientId);
          if (head === null) continue;
          heads.set(clientId, head);
          const last = before.get(clientId);
          // text that others wrote carries a caret along; text written at the caret is its owner's
          const carried = last === undefined || last > changes.length ? last : changes.mapPos(last, -1);
          if (head !== carried) moved.add(String(state["user"]?.name ?? "Anonymous"));
        }
        if (moved.size > 0) requestAnimationFrame(() => show(moved));
      },
    };
  });
}
