/** What stands in for a browser: pages that are hidden and shown by hand, tabs that crash and reload, time that is told. */
import { onTestFinished, vi } from "vitest";
import { fakeTime } from "./clock.ts";
import { WebSocket } from "ws";
import type { Page, PageSignal, Presence, PresenceOptions, PresenceStorage } from "../src/client/index.ts";
import type { JsonMeta, JsonObject } from "../src/presence/index.ts";
import { ownClient, pause, until } from "./support.ts";

export interface TestPage extends Page {
  /** Says what a browser would; hiding and showing change `visible` first. */
  signal(signal: PageSignal): void;
  /** Shows it again, as a browser does: visible, and awake. */
  show(): void;
  /** How many listen. */
  readonly listeners: number;
}

export function testPage(visible = true): TestPage {
  const listeners = new Set<(signal: PageSignal) => void>();
  let shown = visible;
  const signal = (what: PageSignal): void => {
    if (what === "visible" || what === "hidden") shown = what === "visible";
    for (const listener of listeners) listener(what);
  };
  return {
    get visible() {
      return shown;
    },
    get listeners() {
      return listeners.size;
    },
    signal,
    show() {
      signal("visible");
      signal("wake");
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A storage that outlives the client, as a browser's does. */
export function memory(): PresenceStorage {
  const values = new Map<string, string>();
  return { get: (key) => values.get(key) ?? null, set: (key, value) => void values.set(key, value) };
}

export interface Tab<Meta = JsonObject, RoomMeta = JsonObject> {
  readonly presence: Presence<Meta, RoomMeta>;
  readonly page: TestPage;
  /** All that it opened, the last one last. */
  readonly sockets: readonly WebSocket[];
  /** Cuts its connections under it (1006); it may come back by itself. */
  cut(): void;
  /** Ends it without a leave: the process is killed (1006), or the page is unloaded (1001, as a browser says it). */
  end(how: "killed" | "unloaded"): void;
  /** The page once more in the same tab, after `end`. */
  reload(options?: Partial<PresenceOptions<Meta>>): Tab<Meta, RoomMeta>;
}

/** A tab of a user: our client, with a page and a storage of its own unless given others. */
export function openTab<Meta extends JsonMeta<Meta> = JsonObject, RoomMeta extends JsonMeta<RoomMeta> = JsonObject>(
  url: string,
  id: string,
  given: Partial<PresenceOptions<Meta>> = {},
): Tab<Meta, RoomMeta> {
  const sockets: WebSocket[] = [];
  class TabSocket extends WebSocket {
    constructor(address: string, protocols?: string[]) {
      super(address, protocols);
      sockets.push(this);
    }
  }
  const page = testPage();
  const options = { tabStorage: memory(), userStorage: memory(), page, WebSocket: TabSocket, ...given };
  const presence = ownClient<Meta, RoomMeta>(url, id, options);
  return {
    presence,
    page,
    sockets,
    cut() {
      for (const socket of sockets) socket.terminate();
    },
    end(how) {
      for (const socket of sockets) {
        if (how === "killed") socket.terminate();
        else socket.close(1001);
      }
      // what it says now reaches nobody any more
      presence.destroy();
    },
    reload: (changes = {}) =>
      openTab<Meta, RoomMeta>(url, id, {
        ...given,
        ...changes,
        tabStorage: options.tabStorage,
        userStorage: options.userStorage,
      }),
  };
}

/** From now on time passes only by `elapse`, until the end of the test. Sockets are real all the same. */
export function tellTime(): void {
  fakeTime("setTimeout", "clearTimeout", "setInterval", "clearInterval");
  onTestFinished(() => void vi.useRealTimers());
}

/** Lets told time pass, with real turns in between, in which sockets carry what was sent. */
export async function elapse(ms: number, stepMs = 250): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    await vi.advanceTimersByTimeAsync(Math.min(left, stepMs));
    await pause(1);
  }
}

/** As `until`, in told time. */
export function untilTold(what: string, condition: () => boolean): Promise<void> {
  return until(what, async () => {
    if (!condition()) await elapse(10, 10);
    return condition();
  });
}
