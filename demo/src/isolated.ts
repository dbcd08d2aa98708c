/** A name or a title within other words, where only text can stand: its direction leaves theirs alone (see `Name`). */
export function isolated(text: string): string {
  return `\u2068${text}\u2069`;
}
