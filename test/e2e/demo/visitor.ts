/** People at the built demo, and what they see there. */
import type { Server } from "node:http";
import type { BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, onTestFinished, vi } from "vitest";
import type { Presence } from "../../../src/client/index.ts";
import { ownClient, until } from "../../support.ts";
import { type Chromium, launchChromium, sharedChromium } from "../browser/chromium.ts";
import { type Middleware, type RelayProcess, serveDemo, spawnRelay } from "./servers.ts";

/** How long anything may take to be seen: machines that run tests are busy. */
const DEADLINE_MS = 15_000;
/** A look into a page keeps the browser from what it is looked at for: ms between two. */
const LOOK_MS = 40;

const COLORS: Readonly<Record<string, string>> = { alice: "#2a73c4", bob: "#d05a3f", carol: "#2f8f5b" };

/** What `comings` says of one who came to the first document, and stayed. */
export const ARRIVED = ["join @lobby", "join field-notes"];
/** And left. */
export const GONE = ["join @lobby", "leave @lobby", "join field-notes", "leave field-notes"];

export interface Place {
  /** This page, or another tab of this browser; default: a context of their own. */
  readonly page?: Page;
  readonly context?: BrowserContext;
  readonly browser?: BrowserContextOptions | undefined;
  readonly document?: string;
  /** More of the demo's query parameters. */
  readonly query?: Readonly<Record<string, string>>;
}

/** The demo and a browser, for all tests of a file. */
export class Demo {
  #server: { readonly url: string; readonly server: Server } | undefined;
  #chromium: Chromium | undefined;

  /**
   * @param flags for a browser of the file's own; default: it shares one
   * @param session where people sign in; default: nowhere
   */
  constructor(flags: readonly string[] = [], session?: Middleware) {
    // on a machine that does other things as well, pages take their time
    vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });
    beforeAll(async () => {
      const browser = flags.length === 0 ? sharedChromium() : launchChromium(flags);
      [this.#server, this.#chromium] = await Promise.all([serveDemo(session), browser]);
    });
    afterAll(async () => {
      await this.#chromium?.kill("browser");
      this.#server?.server.closeAllConnections();
      this.#server?.server.close();
    });
  }

  /** Where the page is. */
  get url(): string {
    return this.#server?.url ?? "";
  }

  get chromium(): Chromium {
    if (this.#chromium === undefined) throw new Error("the browser starts before the first test, no sooner");
    return this.#chromium;
  }

  /** A user or device of its own, closed with the test. */
  async context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await this.chromium.browser.newContext(options);
    onTestFinished(() => context.close());
    return context;
  }

  /**
   * Opens the demo, and waits until it is live.
   *
   * @param id who it is: `alice` is Alice; without one the demo makes somebody up
   */
  async enter(relay: { readonly url: string }, id: string | null, place: Place = {}): Promise<Visitor> {
    const visitor = this.at(place.page ?? (await this.#blank(place)));
    await visitor.page.goto(this.#address(relay, id, place));
    await visitor.isLive();
    return visitor;
  }

  /**
   * Alice, who saw Bob arrive at a relay of theirs.
   *
   * @param flags of the relay
   * @param bobs where he is
   * @param id who he is, if not `bob`
   */
  async meet(
    flags: readonly string[] = [],
    bobs: Place = {},
    id: string | null = "bob",
  ): Promise<{ readonly relay: RelayProcess; readonly alice: Visitor; readonly bob: Visitor }> {
    const [relay, hers, his] = await Promise.all([spawnRelay(flags), this.#blank({}), this.#blank(bobs)]);
    const alice = await this.enter(relay, "alice", { page: hers });
    const bob = await this.enter(relay, id, { ...bobs, page: his });
    const userId = id ?? (await bob.userId());
    await alice.sees(avatar(userId));
    await alice.sees(person(userId, { status: "online" }));
    await alice.finds("his arrival", async () => (await alice.comings(userId)).length === ARRIVED.length);
    return { relay, alice, bob };
  }

  /** The person who is at a page. */
  at(page: Page): Visitor {
    page.setDefaultTimeout(DEADLINE_MS);
    const errors: Error[] = [];
    page.on("pageerror", (error) => errors.push(error));
    onTestFinished(() => {
      if (errors.length > 0) throw new AggregateError(errors, "errors in a page");
    });
    return new Visitor(page);
  }

  async #blank({ context, browser }: Place): Promise<Page> {
    return (context ?? (await this.context(browser))).newPage();
  }

  #address(
    relay: { readonly url: string },
    id: string | null,
    { document = "field-notes", query = {} }: Place,
  ): string {
    const color = COLORS[id ?? ""];
    const search = new URLSearchParams({
      relay: relay.url,
      ...(id !== null && { id, name: id[0]?.toUpperCase() + id.slice(1) }),
      ...(color !== undefined && { color }),
      ...query,
    });
    return `${this.url}/?${search}#/${document}`;
  }
}

/** Somebody unseen, who reads what the page does not show. */
export async function watch(relay: { readonly url: string }): Promise<Presence> {
  const watcher = ownClient(relay.url, "watcher");
  watcher.setStatus("invisible");
  await until("the watcher is live", () => watcher.lobby.status === "live");
  return watcher;
}

/** In the list of who is online. */
export function person(id: string, data: { status?: string; device?: string; reconnecting?: boolean } = {}): string {
  const attributes = Object.entries(data).map(([key, value]) => `[data-${key}="${value}"]`);
  return testId(`user-${id}`) + attributes.join("");
}

/** Among those in the open document. */
export const avatar = (id: string): string => testId(`avatar-${id}`);
export const testId = (id: string): string => `[data-testid="${id}"]`;

export interface Caret {
  readonly name: string;
  readonly color: string;
  /** The text of its line, up to it. */
  readonly before: string;
  /** The text that its user has selected, on its line. */
  readonly selected: string;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

export class Visitor {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Lobby and document are as the relay has them. */
  async isLive(): Promise<void> {
    await this.sees(`${testId("roster-status")}[data-status="live"]`);
    await this.misses(".banner");
    await this.sees(".stack-avatar");
  }

  /** Gives a name where it is asked for. */
  async signIn(name: string): Promise<void> {
    await this.page.locator(testId("sign-in-name")).fill(name);
    await this.page.locator(testId("sign-in")).click();
    await this.isLive();
  }

  async sees(selector: string, text?: string): Promise<void> {
    const found = this.page.locator(selector);
    const wanted = text === undefined ? found : found.filter({ hasText: text });
    await wanted.first().waitFor({ state: "attached" });
  }

  /** Waits until nothing that the selector names is left. */
  async misses(selector: string): Promise<void> {
    await this.finds(`nothing is ${selector}`, async () => (await this.page.locator(selector).count()) === 0);
  }

  /** Looks again until it is so. */
  async finds(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    await until(what, condition, DEADLINE_MS, LOOK_MS);
  }

  async box(selector: string): Promise<Point & { readonly width: number; readonly height: number }> {
    const box = await this.page.locator(selector).boundingBox();
    if (box === null) throw new Error(`not to be seen: ${selector}`);
    return box;
  }

  /** What the event log says of somebody's coming and going: by place, each in order. */
  async comings(id: string): Promise<string[]> {
    const entries = await this.page
      .locator(`${testId("event")}[data-user="${id}"]:not([data-type="update"])`)
      .evaluateAll((found) => found.map(({ dataset }) => ({ type: dataset["type"], room: dataset["room"] ?? "" })));
    return entries
      .toReversed()
      .toSorted((a, b) => (a.room === b.room ? 0 : a.room < b.room ? -1 : 1))
      .map(({ type, room }) => `${type} ${room}`);
  }

  async write(text: string): Promise<void> {
    await this.page.locator(".cm-content").focus();
    const [first = "", ...others] = text.split("\n");
    await this.page.keyboard.insertText(first);
    for (const line of others) {
      await this.page.keyboard.press("Enter");
      await this.page.keyboard.insertText(line);
    }
  }

  /** The document's lines, without what is drawn over them. */
  lines(): Promise<string[]> {
    return this.page.evaluate(() =>
      [...document.querySelectorAll(".cm-line")].map((line) => {
        const copy = line.cloneNode(true) as Element;
        for (const drawn of copy.querySelectorAll(".cm-ySelectionCaret, .cm-placeholder")) drawn.remove();
        return copy.textContent ?? "";
      }),
    );
  }

  /** The others' carets, in the order of the text. */
  carets(): Promise<Caret[]> {
    return this.page.evaluate(() =>
      [...document.querySelectorAll(".cm-ySelectionCaret")].map((caret) => {
        const line = caret.closest(".cm-line")!;
        const range = document.createRange();
        range.setStart(line, 0);
        range.setEndBefore(caret);
        const before = range.cloneContents();
        for (const other of before.querySelectorAll(".cm-ySelectionCaret")) other.remove();
        return {
          name: caret.querySelector(".cm-ySelectionInfo")?.textContent ?? "",
          color: getComputedStyle(caret).borderLeftColor,
          before: before.textContent ?? "",
          selected: [...line.querySelectorAll(".cm-ySelection")].map(({ textContent }) => textContent).join(""),
        };
      }),
    );
  }

  /** Where somebody's pointer points. */
  tipOf(id: string): Promise<Point | null> {
    return this.page.evaluate(
      (selector) => {
        const path = document.querySelector<SVGPathElement>(`${selector} path`);
        const matrix = path?.getScreenCTM();
        if (!path || !matrix) return null;
        const { x, y } = path.getPointAtLength(0).matrixTransform(matrix);
        return { x, y };
      },
      testId(`pointer-${id}`),
    );
  }

  /** Chooses a status from the menu. */
  async choose(status: "online" | "away" | "busy" | "dnd" | "invisible"): Promise<void> {
    await this.page.locator(testId("status-menu")).click();
    await this.page.locator(testId(`status-${status}`)).click();
  }

  /** The id that the demo gave somebody whom it made up. */
  userId(): Promise<string> {
    return this.page.evaluate(() => {
      const identity = JSON.parse(localStorage.getItem("quire:identity") ?? "{}") as { readonly id?: string };
      return identity.id ?? "";
    });
  }

  sessionId(): Promise<string | null> {
    return this.page.evaluate(() => sessionStorage.getItem("copresence:session"));
  }

  /** From now on, the most that were drawn at one time of what the selector names. */
  async countMost(selector: string): Promise<() => Promise<number>> {
    const counts = await this.#record(`document.querySelectorAll(${JSON.stringify(selector)}).length`);
    return async () => Math.max(...(await counts()).map(Number));
  }

  /** From now on, the values of an attribute, one after the other. */
  watchAttribute(selector: string, attribute: string): Promise<() => Promise<string[]>> {
    const element = `document.querySelector(${JSON.stringify(selector)})`;
    return this.#record(`${element}?.getAttribute(${JSON.stringify(attribute)}) ?? null`);
  }

  /** Looks at each change of the page what an expression is there, and keeps what is new. */
  async #record(expression: string): Promise<() => Promise<string[]>> {
    const handle = await this.page.evaluateHandle<string[]>(`(() => {
      const seen = [];
      const look = () => {
        const now = String(${expression});
        if (seen.at(-1) !== now) seen.push(now);
      };
      look();
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
      return seen;
    })()`);
    return () => handle.jsonValue();
  }
}
