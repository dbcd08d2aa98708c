/**
 * Shows the name at somebody's caret for a moment whenever they move or write; on hover y-codemirror.next shows it. It
 * tells carets apart by their colour alone, so that two of one colour may swap names: each is given its own here, and is
 * kept on the page.
 */
import type { Extension } from "@codemirror/state";
import { type EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { Room } from "copresence";
import { plainColor } from "../color.ts";
import { initialsOf } from "../initials.ts";
import { caretOf } from "./caret.ts";
import { type Box, placeLabel } from "./labels.ts";

const SHOWN_MS = 2_500;
const LESS_MOTION = "(prefers-reduced-motion: reduce)";
const TAGS = ".cm-ySelectionCaret > .cm-ySelectionInfo";

interface Author {
  readonly name: string;
  readonly color: string | null;
}

function authorOf(room: Room, clientId: number): Author {
  const user: unknown = room.awareness.getStates().get(clientId)?.["user"];
  const { name, color } = (user ?? {}) as { readonly name?: unknown; readonly color?: unknown };
  return {
    name: typeof name === "string" && name.trim() !== "" ? name : "Anonymous",
    color: typeof color === "string" ? plainColor(color) : null,
  };
}

function sign(caret: HTMLElement, tag: HTMLElement, { name, color }: Author): void {
  if (tag.textContent !== name) tag.textContent = name;
  tag.dir = "auto";
  // where the system's colours replace all others, the initials tell carets apart
  caret.dataset["initials"] = initialsOf(name);
  caret.style.setProperty("--who", color ?? "var(--ink-3)");
}

/** What can be seen of the column of text. */
function pageOf(view: EditorView): Box {
  const column = view.dom.getBoundingClientRect();
  const seen = (view.dom.closest(".page") ?? document.documentElement).getBoundingClientRect();
  return { left: column.left, right: column.right, top: seen.top, bottom: seen.bottom };
}

function place(caret: HTMLElement, tag: HTMLElement, page: Box): void {
  tag.style.translate = "";
  delete tag.dataset["below"];
  const { dx, below } = placeLabel(tag.getBoundingClientRect(), caret.getBoundingClientRect(), page);
  if (dx !== 0) tag.style.translate = `${dx}px`;
  if (below) tag.dataset["below"] = "";
}

/** How a name goes: it fades, or for those who want less motion it is there until it is not. */
const fade = (still: boolean): PropertyIndexedKeyframes => ({ opacity: still ? [1, 1] : [1, 1, 0] });

export function nameTags(room: Room): Extension {
  return ViewPlugin.define((view) => {
    let heads = new Map<number, number>();
    let moved = new Set<number>();
    let frame = 0;
    const lessMotion = matchMedia(LESS_MOTION);

    const draw = () => {
      const unnamed = new Map(heads);
      const page = pageOf(view);
      for (const tag of view.dom.querySelectorAll<HTMLElement>(TAGS)) {
        const at = view.posAtDOM(tag);
        const owner = [...unnamed.keys()].find((clientId) => unnamed.get(clientId) === at);
        const caret = tag.parentElement;
        if (owner === undefined || caret === null) continue;
        unnamed.delete(owner);
        sign(caret, tag, authorOf(room, owner));
        place(caret, tag, page);
        if (!moved.has(owner)) continue;
        for (const animation of tag.getAnimations()) animation.cancel();
        tag.animate(fade(lessMotion.matches), { duration: SHOWN_MS, easing: "ease-in" });
      }
      moved = new Set();
    };
    const drawSoon = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(draw);
    };
    // a name that is shown already stays for as long as it would have, but goes as the setting now says
    const onMotion = () => {
      for (const tag of view.dom.querySelectorAll<HTMLElement>(TAGS)) {
        for (const { effect } of tag.getAnimations()) {
          if (effect instanceof KeyframeEffect) effect.setKeyframes(fade(lessMotion.matches));
        }
      }
    };
    lessMotion.addEventListener("change", onMotion);
    // a scroller below the editor is none of its business, and does no harm
    document.addEventListener("scroll", drawSoon, { capture: true, passive: true });
    addEventListener("resize", drawSoon);

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
        drawSoon();
      },
      destroy() {
        cancelAnimationFrame(frame);
        lessMotion.removeEventListener("change", onMotion);
        document.removeEventListener("scroll", drawSoon, { capture: true });
        removeEventListener("resize", drawSoon);
      },
    };
  });
}
