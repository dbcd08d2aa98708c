/** A Chromium that is started by hand, and driven over CDP. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findChromium } from "../../../scripts/ensure.js";

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
  // releases of Chromium differ in whether they keep a page with an open socket in the back/forward cache: tests need one that does
  "--enable-features=DisconnectWebSocketOnBFCache",
  // each window would load two pages for the suggestions below its address bar, which nobody sees
  "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup",
  // a machine without a mouse: the pages shall believe in one
  "--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4",
];

/** A browser that is running. */
export interface Process {
  /** Where it is driven from. */
  readonly endpoint: string;
  readonly isRunning: () => boolean;
  readonly kill: () => Promise<void>;
}

/** Starts a browser with a profile of its own. The caller kills it. */
export async function startChromium(flags: readonly string[] = []): Promise<Process> {
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
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    endpoint,
    isRunning,
    async kill() {
      if (isRunning() && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}
