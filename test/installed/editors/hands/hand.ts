/** How a test writes in one kind of editor, and reads what it shows. */
import type { Page } from "playwright-core";

/** A caret as an editor draws it. */
export interface SeenCaret {
  readonly name: string;
  readonly color: string;
}

/** `place` is the selector of the element that an editor is in. */
export interface Hand {
  /** What is there once the editor is. */
  readonly ready: string;
  /** Goes into the editor, to the end of what is there. */
  goTo(page: Page, place: string): Promise<void>;
  /** Goes there and writes a word; in a drawing a word is a mark. */
  write(page: Page, place: string, word: string): Promise<void>;
  undo(page: Page, times: number): Promise<void>;
  /** The words that are shown. */
  words(page: Page, place: string): Promise<readonly string[]>;
  carets(page: Page, place: string): Promise<readonly SeenCaret[]>;
}

/** Presses the keys of undo. */
export async function undoByKeys(page: Page, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await page.keyboard.press("Control+z");
}
