/** The editors that are tried. */
import { canvasHand, excalidrawHand } from "./hands/drawing.ts";
import type { Hand } from "./hands/hand.ts";
import { textHand } from "./hands/text.ts";

export interface EditorUnderTest {
  /** Its file in examples/editors. */
  readonly name: string;
  readonly title: string;
  readonly hand: Hand;
  /** What this editor cannot do whatever an application does, by check: why, and what to do instead. */
  readonly faults?: Readonly<Record<string, string>>;
}

/** What is built on ProseMirror shows the carets of `caretBuilder`. */
const proseMirror = textHand({ content: "[contenteditable]", caret: ".caret", label: "div" });

export const EDITORS: readonly EditorUnderTest[] = [
  {
    name: "codemirror",
    title: "CodeMirror 6",
    hand: textHand({ content: ".cm-content", caret: ".cm-ySelectionCaret", label: ".cm-ySelectionInfo" }),
  },
  { name: "tiptap", title: "Tiptap 3", hand: proseMirror },
  { name: "prosemirror", title: "ProseMirror", hand: proseMirror },
  { name: "blocknote", title: "BlockNote", hand: proseMirror },
  {
    name: "monaco",
    title: "Monaco",
    hand: textHand({ content: ".view-lines", caret: "[class*=yRemoteSelectionHead-]", label: "::after" }),
  },
  {
    name: "quill",
    title: "Quill 2",
    hand: textHand({
      content: ".ql-editor",
      caret: ".ql-cursor:not(.hidden)",
      label: ".ql-cursor-name",
      line: ".ql-cursor-caret",
    }),
  },
  {
    name: "lexical",
    title: "Lexical",
    hand: textHand({ content: "[contenteditable]", caret: ".cursors span:has(> span:not(:empty))", label: "span" }),
    faults: {
      "two editors on one awareness":
        "@lexical/yjs keeps every editor's text under the one name `root`: give each editor a room of its own",
    },
  },
  {
    name: "slate",
    title: "Slate",
    hand: textHand({ content: "[contenteditable]", caret: ".caret", label: "div" }),
  },
  {
    name: "excalidraw",
    title: "Excalidraw",
    hand: excalidrawHand,
    faults: {
      colour:
        "Excalidraw gives each pointer a colour of its own, whatever the user's is: go by the name that stands at it",
      "two editors on one awareness":
        "y-excalidraw keeps the pointer in one field, which says nothing of the board: give each board a room of its own",
    },
  },
  { name: "canvas", title: "canvas", hand: canvasHand },
];
