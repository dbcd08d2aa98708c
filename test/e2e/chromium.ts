/**
 * A Chromium started by hand and driven by playwright-core over CDP. Playwright's own starts with its timers never
 * throttled and its pages always visible; here the tabs of the first window are hidden and frozen as a user's are.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { findChromium } from "../../scripts/ensure.js";

const FLAGS = [
  "--headless=new",
  "--remote-debugging-port=0",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--hide-scrollbars",
  // each window would load two pages for the suggestions below its address bar, which nobody sees
  "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
  // a machine without a mouse: the pages shall believe in one
  "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
];

export interface Chromium {
  /** Each new context is a user or device of its own; Playwright says to its pages that they are visible and focused. */
  readonly browser: Browser;
  /** A window with tabs, of which one is visible: the one that was last brought to the front. */
  readonly window: BrowserContext;
  /** Ends all of it, or the processes of its pages, as the kernel does when memory runs out. */
  kill(what: "browser" | "pages"): Promise<void>;
}

export async function launchChromium(flags: readonly string[] = []): Promise<Chromium> {
  const path = findChromium();
  if (path === null) throw new Error("no Chromium: see `node scripts/ensure.js chromium`");
  const profile = await mkdtemp(join(tmpdir(), "copresence-e2e-"));
  const child = spawn(path, [...FLAGS, ...flags, `--user-data-dir=${profile}`, "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
    // a group of processes, which is killed as one
    detached: true,
  });
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  const endpoint = await new Promise<string>((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const url = /^DevTools listening on (ws:\S+)/m.exec(said)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`Chromium ended:\n${said}`)));
  });
  const browser = await chromium.connectOverCDP(endpoint, { noDefaults: true });
  return {
    browser,
    window: browser.contexts()[0]!,
    async kill(what) {
      if (what === "pages") {
        const devtools = await browser.newBrowserCDPSession();
        const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
        for (const { type, id } of processInfo) if (type === "renderer") process.kill(id, "SIGKILL");
        return;
      }
      if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, "SIGKILL");
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}
