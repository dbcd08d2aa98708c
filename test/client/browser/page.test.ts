// @vitest-environment happy-dom
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type PageSignal, browserDevice, browserPage, noPage } from "../../../src/client/browser/page.ts";
import { ownClient, startRelay, until } from "../../support.ts";
import { tellTime } from "../../tab.ts";

/** The browser's page in told time, and what it signals. */
function listen() {
  tellTime();
  onTestFinished(() => void vi.restoreAllMocks());
  const page = browserPage();
  const signals: PageSignal[] = [];
  const undo = page.subscribe((signal) => signals.push(signal));
  onTestFinished(undo);
  return { page, signals, undo };
}

function turn(state: "hidden" | "visible"): void {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
  document.dispatchEvent(new Event("visibilitychange"));
}

describe("the page of a browser", () => {
  it("is hidden and visible, and on return asks to make sure of the connection", () => {
    const { page, signals } = listen();
    expect(page.visible).toBe(true);
    turn("hidden");
    expect([page.visible, ...signals]).toEqual([false, "hidden"]);
    turn("visible");
    expect([page.visible, ...signals]).toEqual([true, "hidden", "visible", "wake"]);
  });

  it.for([
    ["resume", "thawed", () => document],
    ["pageshow", "back from the back/forward cache", () => window],
    ["online", "back on the network", () => window],
  ] as const)("[LIVE-17] wakes on %s: %s", ([type, , target]) => {
    const { signals } = listen();
    target().dispatchEvent(new Event(type));
    expect(signals).toEqual(["wake"]);
  });

  it("[LIVE-11] is suspended when it is left, and wakes when it is restored", () => {
    const { signals } = listen();
    window.dispatchEvent(new Event("pagehide"));
    window.dispatchEvent(new Event("pageshow"));
    expect(signals).toEqual(["suspend", "wake"]);
  });

  const pointed = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];
  const written = ["beforeinput", "input", "compositionupdate", "paste", "drop"];
  it.for([...pointed, ...written])(
    "[ACT-5] takes %s for input, at most once a second, though the app keeps it to itself",
    (type) => {
      const { signals } = listen();
      const element = document.body.appendChild(document.createElement("div"));
      element.addEventListener(type, (event) => event.stopPropagation());
      const act = (): boolean => element.dispatchEvent(new Event(type));
      act();
      act();
      vi.advanceTimersByTime(999);
      act();
      expect(signals).toEqual(["input"]);
      // one more than needed: told time goes on from a fraction of a millisecond
      vi.advanceTimersByTime(2);
      act();
      expect(signals).toEqual(["input", "input"]);
    },
  );

  it("[LIVE-17] wakes when the clock has jumped, as after the machine slept, and not when a timer is merely late", () => {
    const { signals } = listen();
    vi.advanceTimersByTime(60_000);
    vi.setSystemTime(Date.now() + 4_000);
    vi.advanceTimersByTime(5_000);
    expect(signals).toEqual([]);
    vi.setSystemTime(Date.now() + 600_000);
    vi.advanceTimersByTime(5_000);
    expect(signals).toEqual(["wake"]);
    vi.advanceTimersByTime(60_000);
    expect(signals).toEqual(["wake"]);
  });

  describe("with frames", () => {
    /** A frame as its page sees it; one of another origin lets nobody look into it. */
    class Frame extends EventTarget {
      readonly inner: Frame[] = [];
      readonly #document: EventTarget | undefined = new EventTarget();
      constructor(isForeign = false) {
        super();
        if (isForeign) this.#document = undefined;
      }
      get document(): EventTarget {
        if (this.#document === undefined) throw new DOMException("blocked", "SecurityError");
        return this.#document;
      }
      get length(): number {
        return this.inner.length;
      }
      get 0(): Frame | undefined {
        return this.inner[0];
      }
      types(): boolean {
        return this.dispatchEvent(new Event("input"));
      }
    }

    /** Puts frames into the page, as `window[0]` and so on. */
    function frames(...all: Frame[]): void {
      const before = window.length;
      Object.defineProperty(window, "length", { value: all.length, configurable: true });
      for (const [i, frame] of all.entries()) Object.defineProperty(window, i, { value: frame, configurable: true });
      onTestFinished(() => {
        Object.defineProperty(window, "length", { value: before, configurable: true });
        for (const i of all.keys()) Reflect.deleteProperty(window, i);
      });
    }

    it("[ACT-6] takes what happens in them for input, whatever another origin keeps to itself", () => {
      const [foreign, own, inner] = [new Frame(true), new Frame(), new Frame()];
      own.inner.push(inner);
      frames(foreign, own);
      const { signals, undo } = listen();
      own.types();
      expect(signals).toEqual(["input"]);
      vi.advanceTimersByTime(1_000);
      inner.types();
      expect(signals).toEqual(["input", "input"]);
      undo();
      vi.advanceTimersByTime(1_000);
      inner.types();
      own.types();
      expect(signals).toHaveLength(2);
    });

    it("[ACT-6] finds those that come later, also within others", () => {
      const { signals } = listen();
      const [own, inner, late] = [new Frame(), new Frame(), new Frame()];
      frames(own);
      document.body.dispatchEvent(new Event("load"));
      own.types();
      expect(signals).toEqual(["input"]);
      own.inner.push(inner);
      own.document.dispatchEvent(new Event("load"));
      vi.advanceTimersByTime(1_000);
      inner.types();
      expect(signals).toHaveLength(2);
      // one that an editor writes anew, with no event that its page would hear
      inner.inner.push(late);
      vi.advanceTimersByTime(5_000);
      late.types();
      expect(signals).toHaveLength(3);
    });

    it("[ACT-6] takes a focus that moves into one for input, and one that leaves the page for none", () => {
      const { signals } = listen();
      window.dispatchEvent(new Event("blur"));
      expect(signals).toEqual([]);
      vi.spyOn(document, "activeElement", "get").mockReturnValue(document.createElement("iframe"));
      window.dispatchEvent(new Event("blur"));
      expect(signals).toEqual(["input"]);
    });
  });

  it("[RUN-3] is not listened to after the undo, and leaves no timer", () => {
    const { signals, undo } = listen();
    undo();
    turn("hidden");
    turn("visible");
    for (const type of ["online", "pageshow", "keydown"]) window.dispatchEvent(new Event(type));
    document.dispatchEvent(new Event("resume"));
    expect([signals, vi.getTimerCount()]).toEqual([[], 0]);
  });

  it("is what a client listens to unless it is given another", async () => {
    const { url } = await startRelay();
    const alice = ownClient(url, "alice", { activity: { hiddenMs: 20 } });
    onTestFinished(() => void vi.restoreAllMocks());
    turn("hidden");
    await until("she is away", () => alice.status.auto === "away");
    turn("visible");
    expect(alice.status.auto).toBe("online");
  });

  it("is always visible where there is no browser", () => {
    onTestFinished(() => void vi.unstubAllGlobals());
    vi.stubGlobal("document", undefined);
    expect(browserPage()).toBe(noPage);
    expect(noPage.visible).toBe(true);
    noPage.subscribe(() => {})();
  });
});

describe("the device", () => {
  const mac =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15";
  const linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36";
  const android = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0";

  it.for([
    ["desktop", "Chrome on Linux", linux, 0],
    ["desktop", "Chrome on a laptop with a touch screen", linux, 10],
    ["desktop", "Safari on a Mac", mac, 0],
    ["tablet", "Safari on an iPad, which calls itself a Mac", mac, 5],
    [
      "tablet",
      "an old iPad",
      "Mozilla/5.0 (iPad; CPU OS 9_3 like Mac OS X) AppleWebKit/601.1 Mobile/13E233 Safari/601.1",
      5,
    ],
    [
      "mobile",
      "an iPhone",
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1",
      5,
    ],
    ["mobile", "Chrome on an Android phone", `${android} Mobile Safari/537.36`, 5],
    ["tablet", "Chrome on an Android tablet", `${android} Safari/537.36`, 5],
    [
      "mobile",
      "Firefox on an Android phone",
      "Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0",
      5,
    ],
    [
      "tablet",
      "Firefox on an Android tablet",
      "Mozilla/5.0 (Android 14; Tablet; rv:128.0) Gecko/128.0 Firefox/128.0",
      5,
    ],
    ["desktop", "what does not say", "", 0],
  ] as const)("is %s: %s", ([device, , userAgent, maxTouchPoints]) => {
    onTestFinished(() => void vi.unstubAllGlobals());
    vi.stubGlobal("navigator", { userAgent, maxTouchPoints });
    expect(browserDevice()).toBe(device);
  });

  it("is a desktop where there is no browser", () => {
    onTestFinished(() => void vi.unstubAllGlobals());
    vi.stubGlobal("navigator", undefined);
    expect(browserDevice()).toBe("desktop");
  });
});
