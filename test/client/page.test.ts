// @vitest-environment happy-dom
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type PageSignal, browserDevice, browserPage, noPage } from "../../src/client/page.ts";
import { ownClient, startRelay, until } from "../support.ts";
import { tellTime } from "../tab.ts";

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
  ] as const)("[LIVE-6] wakes on %s: %s", ([type, , target]) => {
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

  it.for(["pointerdown", "pointermove", "keydown", "wheel", "touchstart"])(
    "takes %s for input, at most once a second, though the app keeps it to itself",
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
      vi.advanceTimersByTime(1);
      act();
      expect(signals).toEqual(["input", "input"]);
    },
  );

  it("[LIVE-6] wakes when the clock has jumped, as after the machine slept, and not when a timer is merely late", () => {
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
