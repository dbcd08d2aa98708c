/** The editors that are tried, and where in the page each shows what. Selectors are within the editor's place. */

export interface EditorUnderTest {
  readonly name: string;
  readonly title: string;
  /** What is clicked to write. */
  readonly focus: string;
  /** What holds the text. */
  readonly content: string;
  /** One for each caret of somebody else. */
  readonly caret: string;
  /** The label in a caret; empty: the caret itself; `::after`: what the style sheet writes. */
  readonly label: string;
  /** What has the colour in a caret; empty: the caret itself. */
  readonly line: string;
  /** What this editor cannot do whatever an application does, by check: why, and what to do instead. */
  readonly faults?: Readonly<Record<string, string>>;
}

export const EDITORS: readonly EditorUnderTest[] = [
  {
    name: "codemirror",
    title: "CodeMirror 6",
    focus: ".cm-content",
    content: ".cm-content",
    caret: ".cm-ySelectionCaret",
    label: ".cm-ySelectionInfo",
    line: "",
  },
  {
    name: "prosemirror",
    title: "ProseMirror",
    focus: ".ProseMirror",
    content: ".ProseMirror",
    caret: ".caret",
    label: "div",
    line: "",
  },
  {
    name: "quill",
    title: "Quill 2",
    focus: ".ql-editor",
    content: ".ql-editor",
    caret: ".ql-cursor:not(.hidden)",
    label: ".ql-cursor-name",
    line: ".ql-cursor-caret",
  },
  {
    name: "monaco",
    title: "Monaco",
    focus: ".view-lines",
    content: ".view-lines",
    caret: "[class*=yRemoteSelectionHead-]",
    label: "::after",
    line: "",
    faults: {
      "two editors": "with y-monaco, two editors of one room show no caret reliably: give each a room of its own",
    },
  },
];
