import { expect, it, onTestFinished, vi } from "vitest";
import { type HubListener, Hub } from "../../../../src/relay/core/hub.ts";
import { Flusher } from "../../../../src/relay/core/flush/flusher.ts";
import { FlushLoad } from "../../../../src/relay/core/flush/pace.ts";
import { resolveOptions } from "../../../../src/relay/options.ts";
import { systemClock } from "../../../../src/relay/ports/clock.ts";

function flusher(): { readonly flusher: Flusher; readonly flushes: () => number } {
  let flushes = 0;
  const made = new Flusher({
    clock: systemClock,
    load: new FlushLoad(),
    shortestMs: 0,
    usualMs: 33,
    audience: null,
    flush: () => flushes++,
  });
  return { flusher: made, flushes: () => flushes };
}

it("[ROOM-5] what waits when a room ends is flushed, if it is told to; where nothing waits nothing is", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  for (const [what, flush, expected] of [
    ["schedule", true, 1],
    ["scheduleLater", true, 1],
    ["schedule", false, 0],
    ["flushNow", true, 1],
    [null, true, 0],
  ] as const) {
    const { flusher: ending, flushes } = flusher();
    if (what !== null) ending[what]();
    ending.close({ flush });
    vi.runAllTimers();
    expect({ what, flush, flushes: flushes() }).toEqual({ what, flush, flushes: expected });
  }
});

it("[ROOM-3] a room that nobody needs any more is flushed once, and then it is gone", () => {
  const flushed: string[] = [];
  const listener: HubListener = { opened() {}, closed() {}, events() {}, edited() {}, error() {} };
  const probe = { flushed: (room: string) => void flushed.push(room), received() {} };
  const hub = new Hub(resolveOptions({}), listener, { clock: systemClock, store: null, hasDocuments: true, probe });
  onTestFinished(() => hub.close());
  const { room, release } = hub.hold("doc");
  room.scheduleFlush();
  release();
  expect(hub.rooms.has("doc")).toBe(false);
  expect(flushed).toEqual(["doc"]);
});
