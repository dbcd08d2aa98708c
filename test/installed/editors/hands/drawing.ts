/** Drawings: each word is a mark at a place of its own, and what is shown is read from the pixels. */
import type { Page } from "playwright-core";
import { type Hand, type SeenCaret, undoByKeys } from "./hand.ts";

// a drag on a board that is only looked at moves all that is on it to the right: "no" stands left of what could come there
const MARKS = ["no", "Hello", "world", "AAA", "BBB", "again", "first", "second", "more", "before", "after"];
const STEP = 40;

interface Surface {
  /** The canvas on which marks are drawn. */
  readonly canvas: string;
  /** What is clicked. */
  readonly top: string;
  /** Where the first mark is. */
  readonly left: number;
  readonly y: number;
  readonly draw: (page: Page, x: number, y: number) => Promise<void>;
  readonly carets: (page: Page, place: string) => Promise<readonly SeenCaret[]>;
}

function drawingHand({ canvas, top, left, y, draw, carets }: Surface): Hand {
  const corner = async (page: Page, place: string): Promise<{ readonly x: number; readonly y: number }> => {
    const locator = page.locator(`${place} ${top}`).first();
    await locator.scrollIntoViewIfNeeded();
    const box = await locator.boundingBox();
    if (box === null) throw new Error(`${place} ${top} is not shown`);
    return box;
  };
  return {
    ready: top,
    async goTo(page, place) {
      const at = await corner(page, place);
      await page.mouse.move(at.x + left + 3, at.y + y + STEP);
      await page.mouse.move(at.x + left, at.y + y + STEP, { steps: 3 });
    },
    async write(page, place, word) {
      const index = MARKS.indexOf(word);
      if (index === -1) throw new Error(`no mark for ${word}`);
      const at = await corner(page, place);
      await draw(page, at.x + left + index * STEP, at.y + y);
    },
    undo: undoByKeys,
    async words(page, place) {
      const marks = await page.evaluate(
        ([selector, x, atY, step, count]) => {
          const element = document.querySelector<HTMLCanvasElement>(selector);
          const context = element?.getContext("2d");
          if (!context) return [];
          // a mark is where not all pixels are alike
          return Array.from({ length: count }, (_, i) => {
            const { data } = context.getImageData(x + i * step - 4, atY - 4, 28, 28);
            return data.some((value, j) => value !== data[j % 4]);
          });
        },
        [`${place} ${canvas}`, left, y, STEP, MARKS.length] as const,
      );
      return MARKS.filter((_, i) => marks[i]);
    },
    carets,
  };
}

/** examples/editors/canvas.js */
export const canvasHand: Hand = drawingHand({
  canvas: "canvas",
  top: "canvas",
  left: 20,
  y: 20,
  draw: (page, x, y) => page.mouse.click(x, y),
  async carets(page, place) {
    return await page.evaluate(
      (carets) =>
        Array.from(document.querySelectorAll(carets), (element) => ({
          name: element.textContent ?? "",
          color: getComputedStyle(element).backgroundColor,
        })),
      `${place} .pointer`,
    );
  },
});

/** Excalidraw draws names into a canvas: what it writes there is noted on the way. */
export const excalidrawHand: Hand = drawingHand({
  canvas: "canvas.static",
  // a board that is only looked at has no other canvas
  top: "canvas.static",
  left: 300,
  y: 300,
  async draw(page, x, y) {
    // a click in the board, so that it hears the keys
    await page.mouse.click(x, y);
    await page.keyboard.press("r");
    await page.mouse.down();
    await page.mouse.move(x + 20, y + 20, { steps: 4 });
    await page.mouse.up();
    await page.keyboard.press("Escape");
  },
  async carets(page, place) {
    const written = await page.evaluate((canvas) => {
      const element = document.querySelector<HTMLCanvasElement & { written?: readonly string[] }>(canvas);
      return element?.written ?? [];
    }, `${place} canvas.interactive`);
    return written.map((name) => ({ name, color: "" }));
  },
});

/** Runs in a page before its own scripts: a canvas has what was written on it since it was cleared. */
export function noteWritten(): void {
  // oxlint-disable-next-line typescript/unbound-method -- called for the context that is drawn on
  const { clearRect, fillText } = CanvasRenderingContext2D.prototype;
  type Noting = HTMLCanvasElement & { written?: string[] };
  CanvasRenderingContext2D.prototype.clearRect = function (...args) {
    (this.canvas as Noting).written = [];
    clearRect.apply(this, args);
  };
  CanvasRenderingContext2D.prototype.fillText = function (text, ...args) {
    (this.canvas as Noting).written?.push(text);
    fillText.call(this, text, ...args);
  };
}
