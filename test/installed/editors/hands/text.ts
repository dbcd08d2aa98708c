import type { Page } from "playwright-core";
import { type Hand, undoByKeys } from "./hand.ts";

/** Where an editor shows what. Selectors are within the editor's place. */
export interface TextSelectors {
  /** What is clicked to write, and holds the text. */
  readonly content: string;
  /** One for each caret of somebody else. */
  readonly caret: string;
  /** The label in a caret; empty: the caret itself; `::after`: what the style sheet writes. */
  readonly label: string;
  /** What has the colour in a caret; empty: the caret itself. */
  readonly line?: string;
}

/** An editor of text. */
export function textHand({ content, caret, label, line = "" }: TextSelectors): Hand {
  const goTo = async (page: Page, place: string): Promise<void> => {
    await page.locator(`${place} ${content}`).first().click({ timeout: 5_000 });
    await page.keyboard.press("Control+End");
  };
  return {
    ready: content,
    goTo,
    async write(page, place, word) {
      await goTo(page, place);
      await page.keyboard.type(` ${word}`);
    },
    undo: undoByKeys,
    async words(page, place) {
      const text = await page.evaluate(
        ([inside = "", carets = ""]) => {
          const copy = document.querySelector(inside)?.cloneNode(true) as Element | undefined;
          for (const each of copy?.querySelectorAll(carets) ?? []) each.remove();
          return (copy?.textContent ?? "").replaceAll(/[\u2060\u200b\ufeff]/g, "");
        },
        [`${place} ${content}`, caret],
      );
      return text.split(/\s+/).filter(Boolean);
    },
    async carets(page, place) {
      return await page.evaluate(
        ([carets = "", labels = "", lines = ""]) =>
          Array.from(document.querySelectorAll(carets), (element) => {
            const colored = lines === "" ? element : element.querySelector(lines);
            const style = colored === null ? null : getComputedStyle(colored);
            const name =
              labels === "::after"
                ? getComputedStyle(element, "::after").content.replaceAll('"', "")
                : ((labels === "" ? element : element.querySelector(labels))?.textContent ?? "");
            const isFilled = style !== null && !/, 0\)$|transparent/.test(style.backgroundColor);
            return { name, color: isFilled ? style.backgroundColor : (style?.borderLeftColor ?? "") };
          }),
        [`${place} ${caret}`, label, line],
      );
    },
  };
}
