/** What the browser says about a page: the only place that touches its globals. */
import type { ActivitySignal, Device, Unsubscribe } from "../../presence/index.ts";

/**
 * `wake`: the network may have changed, or time may have passed unnoticed. `suspend`: the page is left, perhaps for the
 * back/forward cache, from which it may `wake`.
 */
export type PageSignal = ActivitySignal | "wake" | "suspend";

/** A page, or whatever takes its place where there is no browser. */
export interface Page {
  readonly visible: boolean;
  subscribe(listener: (signal: PageSignal) => void): Unsubscribe;
}

/** Without a browser there is nothing to hide: always visible, never idle. */
export const noPage: Page = { visible: true, subscribe: () => () => {} };

/** [ACT-5] `input` and the rest: text that is dictated, pasted or composed comes without a key. */
const INPUTS = "pointerdown pointermove keydown wheel touchstart beforeinput input compositionupdate paste drop";
/** Input is reported at most once in this time, ms. */
const INPUT_EVERY_MS = 1_000;
/** How often the wall clock is looked at, and by how much more it must have moved to have jumped, ms. */
const CLOCK_EVERY_MS = 5_000;
const CLOCK_JUMP_MS = 5_000;

export function browserPage(): Page {
  if (typeof document === "undefined" || typeof window === "undefined") return noPage;
  const isVisible = (): boolean => document.visibilityState !== "hidden";
  return {
    get visible() {
      return isVisible();
    },
    subscribe(listener) {
      let lastInput = -Infinity;
      const onInput = (): void => {
        const now = performance.now();
        if (now - lastInput < INPUT_EVERY_MS) return;
        lastInput = now;
        listener("input");
      };
      const onVisibility = (): void => {
        listener(isVisible() ? "visible" : "hidden");
        if (isVisible()) wake();
      };
      const onBlur = (): void => {
        if (document.activeElement?.tagName !== "IFRAME") return;
        onInput();
        start();
      };
      const wake = (): void => listener("wake");
      // a page in the back/forward cache would keep its connections, and with them a user who went elsewhere
      const suspend = (): void => listener("suspend");

      const listen = (act: "addEventListener" | "removeEventListener"): void => {
        const each = (target: EventTarget, types: string, react: () => void): void => {
          for (const type of types.split(" ")) target[act](type, react, { capture: true, passive: true });
        };
        // resume: thawed; pageshow: back from the back/forward cache
        each(document, "resume", wake);
        each(window, "pageshow online", wake);
        each(window, "pagehide", suspend);
        each(window, "blur", onBlur);
        each(document, "visibilitychange", onVisibility);
        // [ACT-6] what happens in a frame its page does not hear
        for (const frame of framesOf(window)) {
          each(frame, INPUTS, onInput);
          each(frame.document, "load", start);
        }
      };
      // a listener that is there already is not added again
      const start = (): void => listen("addEventListener");
      start();

      // a machine that slept tells nobody; its clock does
      let lastTick = Date.now();
      const clock = setInterval(() => {
        const now = Date.now();
        if (now - lastTick > CLOCK_EVERY_MS + CLOCK_JUMP_MS) wake();
        lastTick = now;
        // an editor may have written its frame anew, which drops its listeners
        start();
      }, CLOCK_EVERY_MS);
      return () => {
        listen("removeEventListener");
        clearInterval(clock);
      };
    },
  };
}

/** A page, and its frames that are of its own origin, those within them too. */
function framesOf(page: Window): Window[] {
  const found = [page];
  for (let i = 0; i < page.length; i++) {
    const frame = page[i];
    try {
      // throws for one of another origin: what its user does nobody but itself can know
      if (frame?.document) found.push(...framesOf(frame));
    } catch {}
  }
  return found;
}

/** The kind of device that a page runs on, as far as it says. */
export function browserDevice(): Device {
  if (typeof navigator === "undefined") return "desktop";
  const { userAgent, maxTouchPoints } = navigator;
  if (/iPad|Tablet|Silk|Android(?!.*Mobile)/i.test(userAgent)) return "tablet";
  if (/Mobi/i.test(userAgent)) return "mobile";
  // an iPad calls itself a Mac, but no Mac has a touch screen
  return /Macintosh/.test(userAgent) && maxTouchPoints > 1 ? "tablet" : "desktop";
}
