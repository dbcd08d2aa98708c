import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Grace } from "../../../../src/relay/core/grace/grace.ts";
import { systemClock } from "../../../../src/relay/ports/clock.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Those who were given up, with the time at which they were. */
function setup(ms: number) {
  const start = systemClock.now();
  const expired: [string, number][] = [];
  const expire = (name: string) => void expired.push([name, systemClock.now() - start]);
  const grace = new Grace<string>({ clock: systemClock, lostMs: ms, sentAwayMs: ms, expire });
  return { grace, expired };
}

it("[LIVE-2] gives up each after the grace, and only those who were not released", () => {
  const { grace, expired } = setup(100);
  grace.hold("Alice");
  vi.advanceTimersByTime(40);
  grace.hold("Bob");
  grace.hold("Carol");
  vi.advanceTimersByTime(20);
  grace.release("Alice");
  grace.release("Bob");
  grace.release("nobody that it knows");
  vi.advanceTimersByTime(79);
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(expired).toEqual([["Carol", 140]]);
  expect(vi.getTimerCount()).toBe(0);
});

it("[LIVE-2] begins anew with each loss", () => {
  const { grace, expired } = setup(100);
  grace.hold("Alice");
  grace.hold("Bob");
  vi.advanceTimersByTime(60);
  grace.hold("Alice");
  vi.advanceTimersByTime(1_000);
  expect(expired).toEqual([
    ["Bob", 100],
    ["Alice", 160],
  ]);
});

it("takes a grace of nothing", () => {
  const { grace, expired } = setup(0);
  grace.hold("Alice");
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(0);
  expect(expired).toEqual([["Alice", 0]]);
});

it("[RUN-3] holds nobody and no timer once stopped", () => {
  const { grace, expired } = setup(100);
  grace.hold("Alice");
  grace.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(1_000);
  expect(expired).toEqual([]);
});

it.each([-3_600_000, 3_600_000])("[TIME-1] waits as long as ever though the wall clock is set by %i ms", (ms) => {
  const { grace, expired } = setup(100);
  grace.hold("Alice");
  vi.advanceTimersByTime(50);
  vi.setSystemTime(Date.now() + ms);
  grace.hold("Bob");
  vi.advanceTimersByTime(100);
  expect(expired).toEqual([
    ["Alice", 100],
    ["Bob", 150],
  ]);
});

it("[TIME-3] gives those who came back while the relay did not run the time to be heard", () => {
  const { grace, expired } = setup(3_000);
  grace.hold("Alice");
  grace.hold("Bob");
  vi.advanceTimersByTime(2_000);
  // the process is stopped for a minute: its timers fire at once when it goes on
  const told = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => told() + 60_000);
  vi.advanceTimersByTime(1_000);
  expect(expired).toEqual([]);
  grace.release("Bob");
  vi.advanceTimersByTime(1_000);
  expect(expired.map(([name]) => name)).toEqual(["Alice"]);
});

it("[DRAIN-7] a client that the relay itself has told to come back has longer, no matter who was lost before or after", () => {
  const start = systemClock.now();
  const expired: [string, number][] = [];
  const expire = (name: string) => void expired.push([name, systemClock.now() - start]);
  const grace = new Grace<string>({ clock: systemClock, lostMs: 100, sentAwayMs: 500, expire });
  grace.lost("Alice", 1012);
  grace.hold("Alice");
  grace.lost("Bob", 1006);
  grace.hold("Bob");
  grace.lost("Carol", 1012);
  grace.hold("Carol");
  grace.release("Carol");
  // Carol came back, and then lost her connection
  grace.lost("Carol", 1006);
  grace.hold("Carol");
  vi.advanceTimersByTime(1_000);
  expect(expired).toEqual([
    ["Bob", 100],
    ["Carol", 100],
    ["Alice", 500],
  ]);
});
