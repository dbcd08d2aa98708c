import { expect, it } from "vitest";
import { FlushLoad, tickMs } from "../../../src/relay/core/tick.ts";

/** How long the last of so many flushes is believed to take. */
function afterFlushes(load: FlushLoad, room: object, times: readonly number[]): number {
  for (const ms of times) load.flushed(room, ms, 0);
  return load.roundMs(room, 0);
}

const often = (ms: number): number[] => Array<number>(60).fill(ms);

it("[FLOW-3] is as asked in a room of some, and grows with the number of people", () => {
  expect([2, 50, 200, 660, 800, 2_000].map((peers) => tickMs(33, peers, 0))).toEqual([33, 33, 33, 33, 40, 100]);
});

it("[FLOW-3] leaves half of the time to others, and holds nothing back for more than a second", () => {
  expect([1, 20, 100, 500].map((roundMs) => tickMs(33, 10, roundMs))).toEqual([33, 40, 200, 1_000]);
});

it("[FLOW-3] goes by how long flushes take of late, not by the one that took long", () => {
  const room = {};
  const load = new FlushLoad();
  expect(afterFlushes(load, room, often(1))).toBeCloseTo(1);
  expect(afterFlushes(load, room, [101])).toBeCloseTo(21);
  expect(afterFlushes(load, room, often(1).slice(0, 20))).toBeLessThan(1.5);
});

it("[FLOW-3] shares that half among the rooms whose flushes take long, and leaves small ones alone", () => {
  const [large, larger, small] = [{}, {}, {}];
  const load = new FlushLoad();
  expect(afterFlushes(load, large, often(20))).toBeCloseTo(20);
  expect(afterFlushes(load, larger, often(30))).toBeCloseTo(50);
  expect(load.roundMs(large, 0)).toBeCloseTo(50);
  expect(afterFlushes(load, small, often(0.5))).toBeLessThan(1);
  expect(load.roundMs(large, 0)).toBeCloseTo(50);
});

it("[FLOW-3] does not make a small room wait for the large ones because it was held up once", () => {
  const [small, large] = [{}, {}];
  const load = new FlushLoad();
  afterFlushes(load, large, often(400));
  afterFlushes(load, small, often(0.5));
  expect(tickMs(33, 10, afterFlushes(load, small, [20]))).toBeLessThan(100);
  expect(tickMs(33, 10, afterFlushes(load, small, often(2)))).toBeLessThan(50);
});

it("[FLOW-3] does not count rooms where nothing has changed for a second, nor those that are gone", () => {
  const [large, larger] = [{}, {}];
  const load = new FlushLoad();
  for (const ms of often(20)) load.flushed(large, ms, 5_000);
  for (const ms of often(30)) load.flushed(larger, ms, 3_000);
  expect(load.roundMs(large, 5_000)).toBeCloseTo(20);
  load.flushed(larger, 30, 5_000);
  expect(load.roundMs(large, 5_000)).toBeCloseTo(50);
  load.forget(larger);
  expect(load.roundMs(large, 5_000)).toBeCloseTo(20);
});
