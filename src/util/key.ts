/**
 * One key for several texts, such as a lobby and a user. Two lists of texts never have the same key, whatever characters the
 * texts hold; nor do a list of two and a list of three.
 */
export function keyOf(...texts: readonly string[]): string {
  return JSON.stringify(texts);
}
