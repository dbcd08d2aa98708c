import { expect, it } from "vitest";
import { ofLate, tickMs } from "../../src/relay/tick.ts";

it("[FLOW-3] is as asked in a room of some, and grows with the number of people", () => {
  expect([2, 50, 150, 200, 400, 800].map((peers) => tickMs(33, peers, 0))).toEqual([33, 33, 33, 40, 80, 160]);
});

it("[FLOW-3] leaves two thirds of the time to others, and holds nothing back for more than a second", () => {
  expect([1, 20, 100, 500].map((flushMs) => tickMs(33, 10, flushMs))).toEqual([33, 60, 300, 1_000]);
});

it("[FLOW-3] goes by how long flushes take of late, not by the one that took long", () => {
  let flushMs = ofLate(1, 101);
  expect(flushMs).toBe(21);
  for (let i = 0; i < 20; i++) flushMs = ofLate(flushMs, 1);
  expect(flushMs).toBeLessThan(1.5);
});
