import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Ticker } from "../../src/wire/index.ts";

let flushed: number[] = [];
let ticker = new Ticker(0, () => {});
beforeEach(() => {
  vi.useFakeTimers({ now: 100_000 });
  flushed = [];
  ticker = new Ticker(100, () => flushed.push(Date.now() - 100_000));
});
afterEach(() => {
  vi.useRealTimers();
});

it("[ROOM-5] flushes a lone change at once, but not before the turn is over", () => {
  ticker.schedule();
  expect(flushed).toEqual([]);
  vi.advanceTimersByTime(0);
  expect(flushed).toEqual([0]);
  vi.advanceTimersByTime(1_000);
  expect(flushed).toEqual([0]);
});

it("[ROOM-5] [LOBBY-5] flushes at most once per interval when there is always something", () => {
  for (let i = 0; i < 250; i++) {
    ticker.schedule();
    ticker.schedule();
    vi.advanceTimersByTime(1);
  }
  expect(flushed).toEqual([0, 100, 200]);
  vi.advanceTimersByTime(1_000);
  expect(flushed).toEqual([0, 100, 200, 300]);
  ticker.schedule();
  vi.advanceTimersByTime(0);
  expect(flushed.at(-1)).toBe(1_250);
});

it("flushes now when told to, in the place of what was scheduled, and counts that as the last", () => {
  ticker.schedule();
  ticker.run();
  expect(flushed).toEqual([0]);
  ticker.schedule();
  vi.advanceTimersByTime(99);
  expect(flushed).toEqual([0]);
  vi.advanceTimersByTime(1);
  expect(flushed).toEqual([0, 100]);
  vi.advanceTimersByTime(1_000);
  expect(flushed).toEqual([0, 100]);
});

it("flushes again what a flush brings about, an interval later", () => {
  let more = 2;
  const again: Ticker = new Ticker(100, () => {
    flushed.push(Date.now() - 100_000);
    if (more-- > 0) again.schedule();
  });
  again.schedule();
  vi.advanceTimersByTime(1_000);
  expect(flushed).toEqual([0, 100, 200]);
});

it("[RUN-3] leaves no timer once stopped, and goes on when there is something again", () => {
  ticker.schedule();
  ticker.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(1_000);
  expect(flushed).toEqual([]);
  ticker.schedule();
  vi.advanceTimersByTime(0);
  expect(flushed).toEqual([1_000]);
});

it("waits an interval at most, though the clock is set back", () => {
  ticker.run();
  vi.setSystemTime(100_000 - 3_600_000);
  ticker.schedule();
  vi.advanceTimersByTime(99);
  expect(flushed).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(flushed).toHaveLength(2);
});
