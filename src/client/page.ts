/** What the browser says about a page: the only place that touches its globals. */
import type { ActivitySignal, Device, Unsubscribe } from "../presence/index.ts";

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
const INPUTS = "pointerdown pointermove keydown wheel touchstart beforeinput input compositionupdate paste drop".split(
  " ",
);
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
      const scope = new AbortController();
      const options = { capture: true, passive: true, signal: scope.signal };
      const on = (target: EventTarget, types: readonly string[], act: () => void): void => {
        for (const type of types) target.addEventListener(type, act, options);
      };
      const wake = (): void => listener("wake");
      on(document, ["visibilitychange"], () => {
        listener(isVisible() ? "visible" : "hidden");
        if (isVisible()) wake();
      });
      // a page in the back/forward cache would keep its connections, and with them a user who went elsewhere
      on(window, ["pagehide"], () => listener("suspend"));
      // resume: thawed; pageshow: back from the back/forward cache
      on(document, ["resume"], wake);
      on(window, ["pageshow", "online"], wake);

      let lastInput = -Infinity;
      const onInput = (): void => {
        const now = performance.now();
        if (now - lastInput < INPUT_EVERY_MS) return;
        lastInput = now;
        listener("input");
      };
      on(window, INPUTS, onInput);

      // [ACT-6] what happens in a frame its page does not hear; a listener that is there already is not added again
      const eachFrame = (act: "addEventListener" | "removeEventListener"): void => {
        for (const frame of framesOf(window)) {
          for (const type of INPUTS) frame[act](type, onInput, { capture: true, passive: true });
          frame.document[act]("load", onLoad, true);
        }
      };
      const onLoad = (): void => eachFrame("addEventListener");
      on(document, ["load"], onLoad);
      on(window, ["blur"], () => {
        if (document.activeElement?.tagName !== "IFRAME") return;
        onInput();
        onLoad();
      });
      onLoad();

      // a machine that slept tells nobody; its clock does
      let lastTick = Date.now();
      const clock = setInterval(() => {
        const now = Date.now();
        if (now - lastTick > CLOCK_EVERY_MS + CLOCK_JUMP_MS) wake();
        lastTick = now;
        // an editor may have written its frame anew, which drops its listeners
        onLoad();
      }, CLOCK_EVERY_MS);
      return () => {
        scope.abort();
        eachFrame("removeEventListener");
        clearInterval(clock);
      };
    },
  };
}

/** The frames of a page that are of its own origin, those within them too. */
function framesOf(page: Window): Window[] {
  const found: Window[] = [];
  for (let i = 0; i < page.length; i++) {
    const frame = page[i];
    try {
      // throws for one of another origin
      if (frame?.document) found.push(frame, ...framesOf(frame));
    } catch {
      // what its user does nobody but itself can know
    }
  }
  return found;
}

/** The kind of device that a page runs on, as far as it says. */
export function browserDevice(): Device {
  if (typeof navigator === "undefined") return "desktop";
  const { userAgent, maxTouchPoints } = navigator;
  if (/iPad|Tablet|PlayBook|Silk|Android(?!.*Mobile)/i.test(userAgent)) return "tablet";
  if (/Mobi|iPhone|iPod|Android/i.test(userAgent)) return "mobile";
  // an iPad calls itself a Mac, but no Mac has a touch screen
  return /Macintosh/.test(userAgent) && maxTouchPoints > 1 ? "tablet" : "desktop";
}
