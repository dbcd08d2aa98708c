import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { immediate } from "../../src/relay/util/immediate.ts";
import { Ticker, microtask } from "../../src/util/ticker.ts";

describe.each([
  ["microtask", microtask],
  ["immediate", immediate],
] as const)("with what is soon as %s", (_name, soon) => {
  let flushed: number[] = [];
  let ticker: Ticker;
  beforeEach(() => {
    vi.useFakeTimers({ now: 100_000 });
    flushed = [];
    ticker = new Ticker(
      () => 100,
      () => flushed.push(Date.now() - 100_000),
      soon,
    );
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("[ROOM-5] flushes a lone change at once, but not before the turn is over", async () => {
    ticker.schedule();
    expect(flushed).toEqual([]);
    await vi.advanceTimersByTimeAsync(0);
    expect(flushed).toEqual([0]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(flushed).toEqual([0]);
  });

  it("[ROOM-5] [LOBBY-5] flushes at most once per interval when there is always something", async () => {
    for (let i = 0; i < 250; i++) {
      ticker.schedule();
      ticker.schedule();
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(flushed).toEqual([0, 100, 200]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(flushed).toEqual([0, 100, 200, 300]);
    ticker.schedule();
    await vi.advanceTimersByTimeAsync(0);
    expect(flushed.at(-1)).toBe(1_250);
  });

  it("flushes now when told to, in the place of what was scheduled, and counts that as the last", async () => {
    ticker.schedule();
    ticker.run();
    expect(flushed).toEqual([0]);
    ticker.schedule();
    await vi.advanceTimersByTimeAsync(99);
    expect(flushed).toEqual([0]);
    await vi.advanceTimersByTimeAsync(1);
    expect(flushed).toEqual([0, 100]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(flushed).toEqual([0, 100]);
  });

  it("flushes again what a flush brings about, an interval later", async () => {
    let more = 2;
    const again: Ticker = new Ticker(
      () => 100,
      () => {
        flushed.push(Date.now() - 100_000);
        if (more-- > 0) again.schedule();
      },
      soon,
    );
    again.schedule();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(flushed).toEqual([0, 100, 200]);
  });

  it("[RUN-3] leaves no timer once stopped, and goes on when there is something again", async () => {
    ticker.schedule();
    ticker.stop();
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(flushed).toEqual([]);
    ticker.schedule();
    await vi.advanceTimersByTimeAsync(0);
    expect(flushed).toEqual([1_000]);
  });

  it.each([-3_600_000, 3_600_000])("[TIME-1] waits an interval though the wall clock is set by %i ms", async (ms) => {
    ticker.run();
    vi.setSystemTime(100_000 + ms);
    ticker.schedule();
    await vi.advanceTimersByTimeAsync(99);
    expect(flushed).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(flushed).toHaveLength(2);
  });
});
