import type { Awareness } from "y-protocols/awareness";
import type { Unsubscribe } from "../presence/index.ts";
import { type CaretUser, caretUserOf } from "./user.ts";

/** Writes the style rules of one client's caret. `cssName` is the name as a CSS string, for `content`. */
export type CaretRules = (clientId: number, user: CaretUser & { readonly cssName: string }) => string;

/**
 * Keeps a style sheet with rules for everybody else's caret, for bindings that give carets a class by client id and no
 * name or colour of their own, as y-monaco does.
 *
 * @returns takes the style sheet away
 */
export function caretStyles(awareness: Awareness, rules: CaretRules): Unsubscribe {
  const sheet = document.createElement("style");
  document.head.append(sheet);
  // [EDIT-10]
  const write = (): void => {
    const others = [...awareness.getStates()].filter(([clientId]) => clientId !== awareness.clientID);
    const text = others.map(([clientId, state]) => {
      const user = caretUserOf(clientId, state);
      return rules(clientId, {
        ...user,
        color: cssColor(user.color),
        colorLight: cssColor(user.colorLight),
        cssName: cssString(user.name),
      });
    });
    const now = text.join("\n");
    if (now !== sheet.textContent) sheet.textContent = now;
  };
  write();
  awareness.on("change", write);
  return () => {
    awareness.off("change", write);
    sheet.remove();
  };
}

/** A text as a CSS string: somebody else chose it, so that every character that is no letter or digit is written by its number. */
function cssString(text: string): string {
  const escaped = Array.from(text, (letter) =>
    /[\p{L}\p{N}]/u.test(letter) ? letter : `\\${(letter.codePointAt(0) ?? 0).toString(16)} `,
  );
  return `"${escaped.join("")}"`;
}

/** A colour that somebody else chose, without what would end the declaration. */
function cssColor(color: string): string {
  return /^[#\w(),.%/ -]*$/.test(color) ? color : "currentColor";
}
