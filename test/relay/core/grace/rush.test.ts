import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Rush, isRush } from "../../../../src/relay/core/grace/rush.ts";
import { systemClock } from "../../../../src/relay/ports/clock.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A relay to which people come, and people who ask whether somebody is gone. */
function setup(before = 0) {
  let all = before;
  const askers = new Map<string, object>();
  const askerOf = (name: string): object => {
    const asker = askers.get(name) ?? { name };
    askers.set(name, asker);
    return asker;
  };
  const rush = new Rush(systemClock, () => all);
  const start = systemClock.now();
  const answered: [string, number][] = [];
  return {
    rush,
    answered,
    come: (count: number) => {
      for (let i = 0; i < count; i++) {
        all++;
        rush.came();
      }
    },
    go: (count: number) => void (all -= count),
    ask: (name: string) => rush.answer(askerOf(name), () => answered.push([name, systemClock.now() - start])),
  };
}

it.each([
  [19, 19, false],
  [20, 20, true],
  [100, 5_000, true],
  [100, 5_001, false],
])("[ROSTER-11] when %i of %i came within 2.5 s, that is a rush: %s", (came, all, is) => {
  expect(isRush(came, all)).toBe(is);
});

it("[ROSTER-11] Alice's question is answered at once while few come, and leaves no timer", () => {
  const { come, ask, answered } = setup();
  come(19);
  ask("Alice");
  expect([answered, vi.getTimerCount()]).toEqual([[["Alice", 0]], 0]);
});

it("[ROSTER-11] Alice's question is answered when no more come", () => {
  const { come, ask, answered } = setup();
  for (let ms = 0; ms < 3_000; ms += 100) {
    come(10);
    if (ms === 500) ask("Alice");
    vi.advanceTimersByTime(100);
  }
  expect(answered).toEqual([]);
  ask("Bob");
  vi.advanceTimersByTime(5_000);
  expect(answered.map(([name]) => name)).toEqual(["Alice", "Bob"]);
  expect(Math.max(...answered.map(([, ms]) => ms))).toBeLessThanOrEqual(6_000);
  expect(vi.getTimerCount()).toBe(0);
});

it("[ROSTER-11] nobody waits longer than 20 s for an answer while as many go as come", () => {
  const { come, go, ask, answered } = setup(1_000);
  for (let ms = 0; ms < 30_000; ms += 100) {
    for (let i = 0; i < 50; i++) {
      come(1);
      go(1);
    }
    if (ms === 500) ask("Alice");
    vi.advanceTimersByTime(100);
  }
  expect(answered).toHaveLength(1);
  expect(answered[0]?.[1]).toBeGreaterThanOrEqual(20_500);
  expect(answered[0]?.[1]).toBeLessThanOrEqual(20_900);
});

it("[ROSTER-11] Alice's question waits until a relay is full that lets thirteen clients in a second, each with a room and the lobby", () => {
  const { come, ask, answered } = setup();
  for (let s = 0; s < 40; s++) {
    come(26);
    if (s === 5) ask("Alice");
    vi.advanceTimersByTime(1_000);
  }
  expect(answered).toEqual([]);
  vi.advanceTimersByTime(3_000);
  expect(answered).toHaveLength(1);
});

it("[ROSTER-11] a rush goes on for as long as those who were not let in wait before they try again", () => {
  const { come, ask, answered } = setup();
  come(10);
  vi.advanceTimersByTime(2_000);
  come(10);
  vi.advanceTimersByTime(1_000);
  // ten of the last 2.5 s are left
  ask("Alice");
  vi.advanceTimersByTime(1_400);
  expect(answered).toEqual([]);
  vi.advanceTimersByTime(500);
  expect(answered).toHaveLength(1);
});

it("[ROSTER-11] nobody waits longer than 60 s for an answer while a relay fills", () => {
  const { come, ask, answered } = setup();
  for (let ms = 0; ms < 70_000; ms += 100) {
    come(50);
    if (ms === 500) ask("Alice");
    vi.advanceTimersByTime(100);
  }
  expect(answered).toHaveLength(1);
  expect(answered[0]?.[1]).toBeGreaterThanOrEqual(60_500);
  expect(answered[0]?.[1]).toBeLessThanOrEqual(60_900);
});

it("[ROSTER-11] those who come and go all the time on a large relay are no rush", () => {
  const { come, ask, answered } = setup(30_000);
  come(200);
  ask("Alice");
  expect(answered).toEqual([["Alice", 0]]);
});

it("[ROSTER-11] Alice, who asks again and again while many come, is answered once", () => {
  const { come, ask, answered } = setup();
  come(100);
  for (let i = 0; i < 1_000; i++) ask("Alice");
  ask("Bob");
  vi.advanceTimersByTime(5_000);
  expect(answered.map(([name]) => name)).toEqual(["Alice", "Bob"]);
  ask("Alice");
  expect(answered).toHaveLength(3);
});

it("answers nobody after it was stopped, and leaves no timer", () => {
  const { rush, come, ask, answered } = setup();
  come(100);
  ask("Alice");
  rush.stop();
  ask("Bob");
  vi.advanceTimersByTime(30_000);
  expect([answered, vi.getTimerCount()]).toEqual([[], 0]);
});
