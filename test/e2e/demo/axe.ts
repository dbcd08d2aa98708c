/** What keeps somebody from reading or using a page: axe-core's findings, and texts that are too faint. */
import axe from "axe-core";
import type { Page } from "playwright-core";
import { isThorough } from "../../thorough.ts";

/** The rules of axe-core that are tested: WCAG 2.2 A and AA, and what is good practice besides. */
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"];

/** Ends what moves and comes to rest, so that nothing is looked at half-faded. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const animation of document.getAnimations()) {
      if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
    }
  });
}

/** One line for each finding of axe-core: the rule, and where. */
async function axeFindings(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe.source);
  return page.evaluate(async (tags) => {
    const { axe: engine } = globalThis as unknown as { axe: typeof axe };
    const { violations } = await engine.run(document, { runOnly: { type: "tag", values: tags } });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target, html }) => `${id}: ${target.join(" ")} ${html}`));
  }, TAGS);
}

/**
 * Texts with less than 4.5 : 1, or 3 : 1 where they are large. Other than axe-core's rule this looks at what is hidden from
 * screen readers too, such as initials: it is there to be read.
 */
async function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    type Color = readonly [number, number, number, number];
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
    const parse = (color: string): Color => {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      const [r = 0, g = 0, b = 0, a = 0] = context.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (top: Color, below: Color): Color => {
      const mix = (i: 0 | 1 | 2): number => top[i] * top[3] + below[i] * (1 - top[3]);
      return [mix(0), mix(1), mix(2), 1];
    };
    const luminance = ([r, g, b]: Color): number => {
      const linear = (value: number): number =>
        value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
      return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    };
    const ground = (element: Element | null): Color => {
      if (element === null)
        return parse(getComputedStyle(document.documentElement).colorScheme === "dark" ? "#000" : "#fff");
      const own = parse(getComputedStyle(element).backgroundColor);
      return own[3] === 1 ? own : over(own, ground(element.parentElement));
    };
    const opacity = (element: Element | null): number =>
      element === null ? 1 : Number(getComputedStyle(element).opacity) * opacity(element.parentElement);

    const found: string[] = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      const text = texts.currentNode.textContent?.replaceAll("\u2060", "").trim() ?? "";
      if (element === null || text === "" || element.closest(".sr, script, style") !== null) continue;
      if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      const style = getComputedStyle(element);
      const below = ground(element);
      const [r, g, b, a] = parse(style.color);
      const ink = over([r, g, b, a * opacity(element)], below);
      const [dark = 0, light = 0] = [luminance(ink), luminance(below)].toSorted((x, y) => x - y);
      const contrast = (light + 0.05) / (dark + 0.05);
      const size = Number.parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (contrast < (large ? 3 : 4.5)) found.push(`faint, ${contrast.toFixed(2)}: "${text}" in ${element.className}`);
    }
    return found;
  });
}

const COLOURS = {
  light: { colorScheme: "light", forcedColors: "none" },
  dark: { colorScheme: "dark", forcedColors: "none" },
  "forced colours": { colorScheme: "light", forcedColors: "active" },
  "forced colours, dark": { colorScheme: "dark", forcedColors: "active" },
} as const;

/** Where the system forces its colours a page has few of its own: that is looked at by `npm run test:long`. */
const MODES = Object.entries(COLOURS).filter(([, { forcedColors }]) => isThorough || forcedColors === "none");

/** What is wrong with a page as it is, in each of the colours it may be shown in; empty where nothing is. */
export async function findings(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const [mode, media] of MODES) {
    await page.emulateMedia(media);
    await settle(page);
    const faint = media.forcedColors === "active" ? [] : await faintTexts(page);
    found.push(...[...(await axeFindings(page)), ...faint].map((what) => `${mode}: ${what}`));
  }
  await page.emulateMedia(COLOURS.light);
  return found;
}
