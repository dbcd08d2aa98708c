/**
 * What bindings of editors leave to the application: labels that follow renames, cursors that go when an editor is
 * unmounted, carets that are drawn when one is mounted late. It depends on no editor, and what is not imported costs
 * nothing. Which binding needs what is in docs/editors.
 */
export { type CaretBuilder, type CaretClasses, caretBuilder } from "./caret.ts";
export { type ClearOptions, clearOnUnmount } from "./cursors/clear.ts";
export { distinctCarets } from "./distinct.ts";
export { type CursorsOptions, cursorsIn } from "./cursors/field.ts";
export { type LexicalAwareness, type LexicalProvider, type LexicalState, lexicalProvider } from "./lexical.ts";
export { nudge } from "./nudge.ts";
export { onRename } from "./rename.ts";
export type { EditorRoom } from "./room.ts";
export { type CaretRules, caretStyles } from "./styles.ts";
export { othersStay } from "./undo.ts";
export { type CaretUser, caretUser } from "./user.ts";
