/** A person at the page of examples/editors: what they do there, and what their editor shows. */
import type { Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { until } from "../../support.ts";
import type { Chromium } from "../../e2e/browser/chromium.ts";
import type { EditorUnderTest } from "./editors.ts";
import { noteWritten } from "./hands/drawing.ts";
import type { Hand, SeenCaret } from "./hands/hand.ts";

/** What the page offers to tests. */
interface TestedPage {
  readonly room: { readonly provider: { readonly wsconnected: boolean; readonly synced: boolean } };
  rename(name: string): void;
  leave(): void;
  rejoin(): void;
  mount(): void;
  unmount(): void;
}

type Deed = "leave" | "rejoin" | "mount" | "unmount";

export type Client = "own" | "stock";

const DEADLINE_MS = 10_000;

const placeOf = (field: string): string => `[data-field=${field}]`;

const inOrder = (words: readonly string[]): string => words.toSorted().join(", ") || "nothing";

export class Visitor {
  readonly page: Page;
  readonly #hand: Hand;

  private constructor(page: Page, hand: Hand) {
    this.page = page;
    this.#hand = hand;
  }

  /** Opens the page in a browser of its own, and waits until it is connected and has an editor. */
  static async open(chromium: Chromium, editor: EditorUnderTest, address: string): Promise<Visitor> {
    const context = await chromium.browser.newContext();
    onTestFinished(() => context.close());
    await context.addInitScript(noteWritten);
    const visitor = new Visitor(await context.newPage(), editor.hand);
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
    await this.page.locator(this.#hand.ready).first().waitFor({ timeout: 30_000 });
  }

  async isConnected(): Promise<boolean> {
    return await this.page.evaluate(() => {
      const { provider } = (globalThis as unknown as { page: TestedPage }).page.room;
      return provider.wsconnected && provider.synced;
    });
  }

  /** Does these in one turn of the page. */
  async does(...deeds: readonly Deed[]): Promise<void> {
    await this.page.evaluate((names) => {
      for (const name of names) (globalThis as unknown as { page: TestedPage }).page[name]();
    }, deeds);
  }

  async renames(name: string): Promise<void> {
    await this.page.evaluate((to) => (globalThis as unknown as { page: TestedPage }).page.rename(to), name);
  }

  async writes(word: string, field = "content"): Promise<void> {
    await this.#hand.write(this.page, placeOf(field), word);
  }

  async goesTo(field = "content"): Promise<void> {
    await this.#hand.goTo(this.page, placeOf(field));
  }

  async undoes(times: number): Promise<void> {
    await this.#hand.undo(this.page, times);
  }

  async carets(field = "content"): Promise<readonly SeenCaret[]> {
    return await this.#hand.carets(this.page, placeOf(field));
  }

  /** Waits until these names, and no others, are at the carets. */
  async sees(names: readonly string[], field = "content", deadlineMs = DEADLINE_MS): Promise<void> {
    let seen: readonly string[] = [];
    const isSeen = async (): Promise<boolean> => {
      seen = (await this.carets(field)).map(({ name }) => name);
      return inOrder(seen) === inOrder(names);
    };
    await until(`carets of ${inOrder(names)}`, isSeen, deadlineMs).catch((error: Error) => {
      throw new Error(`${error.message}, but of ${inOrder(seen)}`);
    });
  }

  /** Waits until these words, and no others, are shown. */
  async reads(words: readonly string[], field = "content"): Promise<void> {
    let seen: readonly string[] = [];
    const isRead = async (): Promise<boolean> => {
      seen = await this.#hand.words(this.page, placeOf(field));
      return inOrder(seen) === inOrder(words);
    };
    await until(`the words ${inOrder(words)}`, isRead, DEADLINE_MS).catch((error: Error) => {
      throw new Error(`${error.message}, but ${inOrder(seen)}`);
    });
  }

  /** Who is in the room, as the roster has it; of a page with our client. */
  async people(): Promise<string> {
    return (await this.page.locator("#people").textContent()) ?? "";
  }
}
