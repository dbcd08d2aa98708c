/**
 * The real clock, for those who wait, whatever a test does to time. Imported before anything of lib0, which keeps the
 * `Date.now` it finds: so that told time (`vi.useFakeTimers`) is told to y-protocols as well.
 */
import { vi } from "vitest";

const RealDate = Date;
const systemNow = Date.now;

RealDate.now = () => (globalThis.Date === RealDate ? systemNow() : globalThis.Date.now());

export const { setTimeout: realTimeout } = globalThis;
export const realNow: () => number = performance.now.bind(performance);

/** What can be told besides what time it is. */
type Timer = "setTimeout" | "clearTimeout" | "setInterval" | "clearInterval";

/**
 * From now on a test tells what time it is, and when these timers fire. Both clocks go on from where they are, so what
 * was begun before ends after. `vi.setSystemTime` sets the wall clock alone, as an administrator does.
 */
export function fakeTime(...timers: readonly Timer[]): void {
  // told time is exact, and would not be if it went on from a fraction of a millisecond
  const from = Math.ceil(performance.now());
  vi.useFakeTimers({ toFake: [...timers, "Date", "performance"] });
  const told = performance.now.bind(performance);
  performance.now = () => from + told();
}
