const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

function firstOf(word: string): string {
  for (const { segment } of graphemes.segment(word)) return segment;
  return "";
}

/** The first letters of the first and the last word; what a reader takes for one letter (é, 👩‍🚀) stays whole. */
export function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const [first = "", last = ""] = [words[0], words.length > 1 ? words.at(-1) : ""];
  return (firstOf(first) + firstOf(last)).toUpperCase();
}
