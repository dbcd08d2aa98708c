/** A person at the page of examples/editors: what they do there, and what their editor shows. */
import type { Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { until } from "../../support.ts";
import type { Chromium } from "../../e2e/chromium.ts";
import type { EditorUnderTest } from "./editors.ts";

/** A caret as an editor draws it. */
export interface SeenCaret {
  readonly name: string;
  readonly color: string;
}

/** What the page offers to tests. */
interface TestedPage {
  readonly room: { readonly provider: { readonly wsconnected: boolean; readonly synced: boolean } };
  rename(name: string): void;
  leave(): void;
  rejoin(): void;
  mount(): void;
  unmount(): void;
}

export type Client = "own" | "stock";

const DEADLINE_MS = 10_000;

export class Visitor {
  readonly page: Page;
  readonly editor: EditorUnderTest;

  private constructor(page: Page, editor: EditorUnderTest) {
    this.page = page;
    this.editor = editor;
  }

  /** Opens the page in a browser of its own, and waits until it is connected and has an editor. */
  static async open(chromium: Chromium, editor: EditorUnderTest, address: string): Promise<Visitor> {
    const context = await chromium.browser.newContext();
    onTestFinished(() => context.close());
    const visitor = new Visitor(await context.newPage(), editor);
    await visitor.page.goto(address);
    await visitor.isReady();
    return visitor;
  }

  async isReady(): Promise<void> {
    await this.page.waitForFunction(
      () => (globalThis as unknown as { page?: TestedPage }).page?.room.provider.synced === true,
      null,
      { timeout: 30_000 },
    );
    await this.page.locator(this.editor.focus).first().waitFor({ timeout: 30_000 });
  }

  async isConnected(): Promise<boolean> {
    return await this.page.evaluate(() => {
      const { provider } = (globalThis as unknown as { page: TestedPage }).page.room;
      return provider.wsconnected && provider.synced;
    });
  }

  async does(what: "leave" | "rejoin" | "mount" | "unmount"): Promise<void> {
    await this.page.evaluate((name) => (globalThis as unknown as { page: TestedPage }).page[name](), what);
  }

  async renames(name: string): Promise<void> {
    await this.page.evaluate((to) => (globalThis as unknown as { page: TestedPage }).page.rename(to), name);
  }

  /** Goes into an editor, to the end of what is there, and writes. */
  async writes(text: string, field = "content"): Promise<void> {
    await this.goesTo(field);
    await this.page.keyboard.type(text);
  }

  async goesTo(field = "content"): Promise<void> {
    const place = this.page.locator(`[data-field=${field}] ${this.editor.focus}`).first();
    await place.click({ timeout: 5_000 });
    await this.page.keyboard.press("Control+End");
  }

  async undoes(times: number): Promise<void> {
    for (let i = 0; i < times; i++) await this.page.keyboard.press("Control+z");
  }

  /** What the editor shows, without carets. */
  async text(field = "content"): Promise<string> {
    return await this.page.evaluate(
      ([place = "", content = "", caret = ""]) => {
        const copy = document.querySelector(`[data-field=${place}] ${content}`)?.cloneNode(true) as Element | undefined;
        for (const each of copy?.querySelectorAll(caret) ?? []) each.remove();
        return (copy?.textContent ?? "").replaceAll(/\u00a0/g, " ").replaceAll(/[\u2060\u200b\ufeff]/g, "");
      },
      [field, this.editor.content, this.editor.caret],
    );
  }

  async carets(field = "content"): Promise<readonly SeenCaret[]> {
    return await this.page.evaluate(
      ([place = "", caret = "", label = "", line = ""]) =>
        Array.from(document.querySelectorAll(`[data-field=${place}] ${caret}`), (element) => {
          const colored = line === "" ? element : element.querySelector(line);
          const style = colored === null ? null : getComputedStyle(colored);
          const isAfter = label === "::after";
          const name = isAfter
            ? getComputedStyle(element, "::after").content.replaceAll('"', "")
            : ((label === "" ? element : element.querySelector(label))?.textContent ?? "");
          const isFilled = style !== null && !/, 0\)$|transparent/.test(style.backgroundColor);
          return { name, color: isFilled ? style.backgroundColor : (style?.borderLeftColor ?? "") };
        }),
      [field, this.editor.caret, this.editor.label, this.editor.line],
    );
  }

  /** Waits until these names, and no others, are at the carets. */
  async sees(names: readonly string[], field = "content", deadlineMs = DEADLINE_MS): Promise<void> {
    let seen: readonly SeenCaret[] = [];
    const isSeen = async (): Promise<boolean> => {
      seen = await this.carets(field);
      return (
        seen
          .map(({ name }) => name)
          .toSorted()
          .join() === names.toSorted().join()
      );
    };
    await until(`carets of ${names.join() || "nobody"}`, isSeen, deadlineMs).catch((error: Error) => {
      throw new Error(`${error.message}, but of ${seen.map(({ name }) => name).join() || "nobody"}`);
    });
  }

  async reads(text: string | RegExp, field = "content"): Promise<void> {
    let seen = "";
    const isRead = async (): Promise<boolean> => {
      seen = await this.text(field);
      return typeof text === "string" ? seen === text : text.test(seen);
    };
    await until(`the text ${text}`, isRead, DEADLINE_MS).catch((error: Error) => {
      throw new Error(`${error.message}, but ${JSON.stringify(seen)}`);
    });
  }

  /** Who is in the room, as the roster has it; of a page with our client. */
  async people(): Promise<string> {
    return (await this.page.locator("#people").textContent()) ?? "";
  }
}
