/** The colours that people come with: any client may send any text as one. */

const PLAIN = /^(?:#[\da-f]{3,8}|[a-z]+|(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\([^()]*\))$/i;
/** Words that stand for another colour than their own, or for none. */
const BORROWED = /^(?:transparent|currentcolor|inherit|initial|unset|revert)$/i;

/** The colour, if CSS can draw it by itself; else null. */
export function plainColor(color: string | undefined): string | null {
  const text = color?.trim() ?? "";
  return PLAIN.test(text) && !BORROWED.test(text) ? text : null;
}
