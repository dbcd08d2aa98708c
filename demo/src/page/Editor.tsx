import { markdown, markdownKeymap } from "@codemirror/lang-markdown";
import { syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, type Extension, Prec } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { tagHighlighter, tags } from "@lezer/highlight";
import type { Room } from "copresence";
import { memo, useEffect, useRef, useState } from "react";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import * as Y from "yjs";
import { editing } from "./editing.ts";
import { focusRing } from "./focusRing.ts";
import { nameTags } from "./nameTags.ts";
import { whereabouts } from "./whereabouts.ts";

const look = tagHighlighter([
  { tag: tags.heading1, class: "md-h md-h1" },
  { tag: tags.heading2, class: "md-h md-h2" },
  { tag: tags.heading, class: "md-h" },
  { tag: tags.strong, class: "md-strong" },
  { tag: tags.emphasis, class: "md-em" },
  { tag: tags.quote, class: "md-quote" },
  { tag: tags.monospace, class: "md-code" },
  { tag: tags.link, class: "md-link" },
  { tag: [tags.processingInstruction, tags.url, tags.contentSeparator], class: "md-mark" },
]);

/** Who may only read still has a caret, and can select and copy. */
const reader: Extension = [
  EditorState.readOnly.of(true),
  EditorView.contentAttributes.of({ "aria-readonly": "true" }),
  placeholder("Nothing is written here."),
];
const writer: Extension = placeholder("Write something. Everyone here sees it as you type.");

/** CodeMirror on the room's shared text; y-codemirror.next draws the others' carets and selections from `awareness`. */
export const Editor = memo(function Editor({ room, readOnly }: { room: Room; readOnly: boolean }) {
  const host = useRef<HTMLDivElement>(null);
  const [editor, setEditor] = useState<EditorView | null>(null);
  const [access] = useState(() => new Compartment());

  useEffect(() => {
    if (host.current === null) return;
    const text = room.doc.getText("text");
    const undoManager = new Y.UndoManager(text);
    const view = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: text.toJSON(),
        extensions: [
          yCollab(text, room.awareness, { undoManager }),
          Prec.high(keymap.of([...yUndoManagerKeymap, ...markdownKeymap])),
          editing,
          focusRing,
          markdown(),
          syntaxHighlighting(look),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": "Text", spellcheck: "true", "data-testid": "editor" }),
          access.of(writer),
          nameTags(room),
          whereabouts(room),
        ],
      }),
    });
    setEditor(view);
    // on a touch screen the keyboard would come up
    if (matchMedia("(hover: hover)").matches) view.focus();
    return () => {
      setEditor(null);
      view.destroy();
      undoManager.destroy();
    };
  }, [room, access]);

  useEffect(() => {
    editor?.dispatch({ effects: access.reconfigure(readOnly ? reader : writer) });
  }, [editor, access, readOnly]);

  return <div className="editor" ref={host} />;
});
