/** Who is sent away when, by fake time. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Drain, dueBy, shuffled } from "../../../src/relay/transport/drain.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function drain(count: number, overMs: number) {
  const closed: number[] = [];
  const clients = Array.from({ length: count }, (_, i) => i);
  const made = new Drain({ clients, overMs, now: () => Date.now(), close: (client) => closed.push(client) });
  let isDone = false;
  void made.done.then(() => (isDone = true));
  return { made, closed, isDone: () => isDone };
}

it("[DRAIN-1] nobody is closed at first, and then all evenly", async () => {
  expect([0, 500, 1_000, 2_000, 3_000, 5_000, 9_000].map((ms) => dueBy(1_000, ms, 5_000))).toEqual([
    0, 0, 0, 250, 500, 1_000, 1_000,
  ]);
  // of a short time it is a fifth
  expect([50, 100, 300, 500].map((ms) => dueBy(10, ms, 500))).toEqual([0, 0, 5, 10]);
  const { closed, isDone } = drain(100, 5_000);
  await vi.advanceTimersByTimeAsync(990);
  expect(closed).toEqual([]);
  await vi.advanceTimersByTimeAsync(2_030);
  expect(closed.length).toBeGreaterThanOrEqual(50);
  expect(closed.length).toBeLessThanOrEqual(52);
  expect(isDone()).toBe(false);
  await vi.advanceTimersByTimeAsync(2_000);
  expect([closed.length, new Set(closed).size, isDone()]).toEqual([100, 100, true]);
  expect(vi.getTimerCount()).toBe(0);
});

it("[DRAIN-1] all are closed at once where no time is given, and none after it is stopped", async () => {
  const quick = drain(3, 0);
  await vi.advanceTimersByTimeAsync(0);
  expect([quick.closed.length, quick.isDone(), vi.getTimerCount()]).toEqual([3, true, 0]);
  const slow = drain(10, 1_000);
  await vi.advanceTimersByTimeAsync(600);
  const before = slow.closed.length;
  slow.made.stop();
  await vi.advanceTimersByTimeAsync(1_000);
  expect([slow.closed.length, slow.isDone(), vi.getTimerCount()]).toEqual([before, true, 0]);
});

it("the order is by chance, and nobody is left out", () => {
  const items = Array.from({ length: 50 }, (_, i) => i);
  const mixed = shuffled(items);
  expect(mixed).not.toEqual(items);
  expect(mixed.toSorted((a, b) => a - b)).toEqual(items);
});
