import { describe, expect, it } from "vitest";
import { type Cost, FlushLoad, Pace, intervalMs } from "../../../../src/relay/core/flush/pace.ts";

/** A room of ten whose flushes cost nothing, on a relay that does nothing else. */
const FREE: Cost = { flushMs: 0, echoing: 0, spentMs: 0, roundMs: 0, peers: 10, busy: 0 };
const interval = (cost: Partial<Cost>): number => intervalMs(0, 33, { ...FREE, ...cost });

const often = (ms: number): number[] => Array<number>(200).fill(ms);

/** A room that has flushed so many times, each of them at the same moment. */
function room(load: FlushLoad, times: readonly number[], at = 0): Pace {
  const pace = new Pace(load, 33);
  for (const ms of times) pace.flushed(ms, at);
  return pace;
}

describe("a room", () => {
  it("[FLOW-9] flushes at once while that takes a twentieth of the time, and then waits to stay within it", () => {
    expect(interval({ flushMs: 0.4, spentMs: 49 })).toBe(0);
    expect(interval({ flushMs: 0.4, spentMs: 51, peers: 50 })).toBeCloseTo(8);
    expect(interval({ flushMs: 1.5, spentMs: 51, peers: 100 })).toBeCloseTo(30);
  });

  it("[FLOW-9] waits no longer than its people expect of a room of their number, unless it costs a tenth of the time", () => {
    const slow = { flushMs: 0.9, spentMs: 51 };
    expect([3, 25, 50, 90].map((peers) => interval({ ...slow, peers }))).toEqual([9, 9, 15, 18]);
    // reading what is said back takes its time, too
    expect(interval({ ...slow, peers: 50, echoing: 1 })).toBeCloseTo(19);
    // nobody counts who is told
    expect(interval({ ...slow, peers: null })).toBeCloseTo(18);
    // the relay has other things to do
    expect(interval({ ...slow, peers: 50, busy: 0.45 })).toBeCloseTo(30);
    expect(interval({ ...slow, peers: 50, busy: 1 })).toBeCloseTo(33);
  });

  it("[FLOW-3] waits at most 33 ms, and longer where it is large", () => {
    const cost = { flushMs: 100, spentMs: 1_000 };
    expect([2, 50, 200, 660, 800, 2_000].map((peers) => interval({ ...cost, peers }))).toEqual([
      33, 33, 33, 33, 40, 100,
    ]);
  });

  it("[FLOW-3] leaves half of the time to others, and holds nothing back for more than a second", () => {
    const cost = { flushMs: 100, spentMs: 1_000 };
    expect([1, 20, 100, 900].map((roundMs) => interval({ ...cost, roundMs }))).toEqual([33, 40, 200, 1_000]);
  });

  it("[FLOW-10] has less of the time the more the relay is busy, and none of it on one that is very busy", () => {
    const cost = { flushMs: 0.1, spentMs: 30 };
    expect([0, 0.3, 0.4, 0.59, 0.6, 1].map((busy) => Math.round(interval({ ...cost, busy })))).toEqual([
      0, 0, 0, 33, 33, 33,
    ]);
    expect(interval({ flushMs: 0.1, spentMs: 30, busy: 0.45 })).toBeCloseTo(4);
    // a room that has not flushed for long still does so at once
    expect(interval({ busy: 1 })).toBe(0);
  });

  it("[FLOW-11] never flushes more often than it is asked to", () => {
    expect(intervalMs(50, 33, FREE)).toBe(50);
    expect(intervalMs(50, 33, { ...FREE, flushMs: 10, spentMs: 1_000 })).toBe(50);
  });

  it("[FLOW-9] goes by what its flushes took over the last second", () => {
    const load = new FlushLoad();
    const pace = room(load, often(1));
    expect(pace.intervalMs(0, 100, 0)).toBeCloseTo(20);
    expect(pace.intervalMs(0, 100, 2_000)).toBe(0);
  });

  it("[FLOW-9] reckons with reading what is said back", () => {
    expect(interval({ flushMs: 0.4, spentMs: 51, echoing: 0.5, peers: 50 })).toBeCloseTo(12);
    const pace = new Pace(new FlushLoad(), 33);
    for (let i = 0; i < 200; i++) pace.flushed(0.5, 0, 1);
    expect(pace.intervalMs(0, 100, 0)).toBeCloseTo(20);
  });
});

describe("all rooms", () => {
  it("[FLOW-3] go by how long flushes take of late, not by the one that took long", () => {
    const load = new FlushLoad();
    const pace = room(load, often(1));
    expect(load.roundMs(pace, 0)).toBeCloseTo(1);
    pace.flushed(101, 0);
    expect(load.roundMs(pace, 0)).toBeCloseTo(1.1);
    for (const ms of often(1).slice(0, 30)) pace.flushed(ms, 0);
    expect(load.roundMs(pace, 0)).toBeLessThan(1.01);
  });

  it("[FLOW-3] reckon with longer flushes once several have taken longer", () => {
    const load = new FlushLoad();
    const pace = room(load, often(1));
    for (const ms of often(100)) pace.flushed(ms, 0);
    expect(load.roundMs(pace, 0)).toBeCloseTo(100, 0);
  });

  it("[FLOW-3] share half of the time where their flushes take long, and leave small rooms alone", () => {
    const load = new FlushLoad();
    const large = room(load, often(20));
    expect(load.roundMs(large, 0)).toBeCloseTo(20);
    const larger = room(load, often(30));
    const small = room(load, often(0.5));
    expect(load.roundMs(larger, 0)).toBeCloseTo(50);
    expect(load.roundMs(large, 0)).toBeCloseTo(50);
    expect(load.roundMs(small, 0)).toBeLessThan(1);
  });

  it("[FLOW-3] do not make a small room wait because it was held up once", () => {
    const load = new FlushLoad();
    room(load, often(400));
    const small = room(load, [...often(0.5), 20]);
    expect(small.intervalMs(0, 10, 0)).toBeLessThan(100);
    for (const ms of often(2)) small.flushed(ms, 0);
    expect(small.intervalMs(0, 10, 0)).toBeLessThan(50);
  });

  it("[FLOW-3] do not count where nothing has changed for a second, nor where they are gone", () => {
    const load = new FlushLoad();
    const large = room(load, often(20), 5_000);
    const larger = room(load, often(30), 3_000);
    expect(load.roundMs(large, 5_000)).toBeCloseTo(20);
    larger.flushed(30, 5_000);
    expect(load.roundMs(large, 5_000)).toBeCloseTo(50);
    larger.close();
    expect(load.roundMs(large, 5_000)).toBeCloseTo(20);
    // what was still on its way does not bring it back
    larger.flushed(30, 5_000);
    expect(load.roundMs(large, 5_000)).toBeCloseTo(20);
  });

  it("[FLOW-10] go by how busy the relay has been of late, which is looked at four times a second", () => {
    let looks = 0;
    const load = new FlushLoad(() => {
      looks++;
      return 0.8;
    });
    for (let now = 0; now < 1_000; now += 10) load.busy(now);
    expect(looks).toBe(4);
    expect(load.busy(1_000)).toBeCloseTo(0.8, 1);
  });
});
