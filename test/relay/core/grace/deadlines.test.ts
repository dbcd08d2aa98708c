import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Deadlines } from "../../../../src/relay/core/grace/deadlines.ts";
import { systemClock } from "../../../../src/relay/ports/clock.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Items that wait 100 ms each, and a rush that goes on until `end`. */
function setup() {
  let isOn = true;
  const expired: string[] = [];
  const deadlines = new Deadlines<string>({
    clock: systemClock,
    waitMs: 100,
    expire: (name) => void expired.push(name),
    awaitedSince: () => (isOn ? systemClock.now() - 20_000 : Infinity),
  });
  return {
    deadlines,
    expired,
    end: () => void (isOn = false),
    holdOthers: (count: number) => {
      for (let i = 1; i <= count; i++) deadlines.hold(`other ${i}`);
      return { release: () => Array.from({ length: count }, (_, i) => deadlines.release(`other ${i + 1}`)) };
    },
  };
}

it.each([
  [0, true],
  [18, true],
  [19, false],
])("[ROSTER-11] lost with %i others, Alice is given up during a rush: %s", (count, isGivenUp) => {
  const { deadlines, expired, end, holdOthers } = setup();
  const others = holdOthers(count);
  deadlines.hold("Alice");
  // the others come back
  vi.advanceTimersByTime(50);
  others.release();
  vi.advanceTimersByTime(5_000);
  expect(expired).toEqual(isGivenUp ? ["Alice"] : []);
  end();
  vi.advanceTimersByTime(250);
  expect(expired).toEqual(["Alice"]);
  expect(vi.getTimerCount()).toBe(0);
});

it("[ROSTER-11] Bob, who is lost alone during a rush, is given up while Alice, who was lost with many, is waited for", () => {
  const { deadlines, expired, holdOthers } = setup();
  const others = holdOthers(19);
  deadlines.hold("Alice");
  others.release();
  vi.advanceTimersByTime(1_000);
  deadlines.hold("Bob");
  vi.advanceTimersByTime(350);
  expect(expired).toEqual(["Bob"]);
});

it("[ROSTER-11] nobody is waited for longer than 20 s, however long the rush goes on", () => {
  const { expired, holdOthers } = setup();
  holdOthers(20);
  vi.advanceTimersByTime(20_000);
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(400);
  expect(expired).toHaveLength(20);
  expect(vi.getTimerCount()).toBe(0);
});

it("[ROSTER-11] Alice, who came back from a rush, is given up in time when she is lost again alone", () => {
  const { deadlines, expired, holdOthers } = setup();
  const others = holdOthers(19);
  deadlines.hold("Alice");
  others.release();
  vi.advanceTimersByTime(50);
  deadlines.release("Alice");
  deadlines.hold("Alice");
  vi.advanceTimersByTime(100);
  expect(expired).toEqual(["Alice"]);
});
