/**
 * A Chromium driven by playwright-core over CDP. Playwright's own starts with its timers never throttled and its pages always
 * visible; here the tabs of the first window are hidden and frozen as a user's are.
 */
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { inject } from "vitest";
import { startChromium } from "./process.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where `setup.ts` says the address of the browser that the files of a worker share; undefined: it did not run. */
    readonly browsers: string | undefined;
  }
}

export interface Chromium {
  /** Each new context is a user or device of its own; Playwright says to its pages that they are visible and focused. */
  readonly browser: Browser;
  /** A window with tabs, of which one is visible: the one that was last brought to the front. */
  readonly window: BrowserContext;
  /** Ends all of it, or the processes of its pages, as the kernel does when memory runs out. */
  kill(what: "browser" | "pages"): Promise<void>;
}

/** A browser of one's own, which may be killed. */
export async function launchChromium(flags: readonly string[] = []): Promise<Chromium> {
  const { endpoint, kill } = await startChromium(flags);
  return driven(await connected(endpoint), kill);
}

/** The browser that the files of a worker share. Each context is new; what was opened in the window is to be closed. */
export async function sharedChromium(): Promise<Chromium> {
  const browsers = inject("browsers");
  if (browsers === undefined) return launchChromium();
  const answer = await fetch(`${browsers}/${process.env["VITEST_POOL_ID"]}`);
  if (!answer.ok) throw new Error(await answer.text());
  const browser = await connected(await answer.text());
  return driven(browser, () => browser.close());
}

/** Playwright says to its pages that they are visible and focused, and else leaves the browser as it is. */
const connected = (endpoint: string): Promise<Browser> => chromium.connectOverCDP(endpoint, { noDefaults: true });

function driven(browser: Browser, end: () => Promise<void>): Chromium {
  const [window] = browser.contexts();
  if (window === undefined) throw new Error("the browser has no window");
  return {
    browser,
    window,
    async kill(what) {
      if (what === "browser") return end();
      const devtools = await browser.newBrowserCDPSession();
      const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
      for (const { type, id } of processInfo) if (type === "renderer") process.kill(id, "SIGKILL");
    },
  };
}
