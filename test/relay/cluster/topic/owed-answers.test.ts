import { afterEach, expect, it, vi } from "vitest";
import { OwedAnswers } from "../../../../src/relay/cluster/topic/owed-answers.ts";

afterEach(() => void vi.useRealTimers());

function setup() {
  vi.useFakeTimers({ toFake: ["setImmediate", "clearImmediate"] });
  const answered: [relay: string, question: number | undefined][] = [];
  const owed = new OwedAnswers((relay, [question]) => answered.push([relay, question]));
  return { owed, answered };
}

it("[BUS-53] of several questions that are read together the last of each relay is answered, once", () => {
  const { owed, answered } = setup();
  owed.owe("b", Uint8Array.of(1));
  owed.owe("c", Uint8Array.of(2));
  owed.owe("b", Uint8Array.of(3));
  expect(answered).toEqual([]);
  vi.runAllTicks();
  vi.advanceTimersByTime(0);
  expect(answered).toEqual([
    ["b", 3],
    ["c", 2],
  ]);
  owed.owe("b", Uint8Array.of(4));
  vi.advanceTimersByTime(0);
  expect(answered.slice(2)).toEqual([["b", 4]]);
});

it("nobody is answered when the room has closed", () => {
  const { owed, answered } = setup();
  owed.owe("b", Uint8Array.of(1));
  owed.clear();
  vi.advanceTimersByTime(0);
  expect(answered).toEqual([]);
});
