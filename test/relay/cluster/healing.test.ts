import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Healed, Healing } from "../../../src/relay/cluster/healing.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A room whose other relays answer when told to. */
class AskedRoom implements Healed {
  state: "waits" | "asked" | "whole" = "whole";
  /** How often it was asked for. */
  times = 0;

  get isWhole(): boolean {
    return this.state === "whole";
  }

  postpone(): void {
    this.state = "waits";
  }

  ask(): void {
    this.state = "asked";
    this.times++;
  }

  answer(): void {
    if (this.state === "asked") this.state = "whole";
  }
}

const clock = { now: () => Date.now(), wall: () => Date.now() };
const healingOf = (guarded = (act: () => void): void => act()): Healing => new Healing(clock, guarded);
const count = (rooms: readonly AskedRoom[], state: AskedRoom["state"]): number =>
  rooms.filter((room) => room.state === state).length;
const rooms = (length: number): AskedRoom[] => Array.from({ length }, () => new AskedRoom());

it("[BUS-21] no more than 100 are asked for in 50 ms, though all are answered at once", () => {
  const healing = healingOf();
  const all = rooms(240);
  healing.begin(all);
  expect([count(all, "asked"), count(all, "waits"), healing.isOver]).toEqual([100, 140, false]);
  for (const room of all) room.answer();
  vi.advanceTimersByTime(49);
  expect(count(all, "waits")).toBe(140);
  vi.advanceTimersByTime(1);
  expect(count(all, "waits")).toBe(40);
  for (const room of all) room.answer();
  vi.advanceTimersByTime(50);
  expect([count(all, "waits"), healing.isOver]).toEqual([0, true]);
  vi.advanceTimersByTime(50);
  expect(vi.getTimerCount()).toBe(0);
});

it("[BUS-21] where several relays are found at once, all is asked for once more, and not within 50 ms", () => {
  const healing = healingOf();
  const all = rooms(60);
  const times = (): number[] => [...new Set(all.map((room) => room.times))];
  for (let relay = 0; relay < 3; relay++) healing.begin(all);
  vi.advanceTimersByTime(49);
  expect(times()).toEqual([1]);
  vi.advanceTimersByTime(1);
  expect(times()).toEqual([2]);
  vi.advanceTimersByTime(50);
  expect([times(), vi.getTimerCount()]).toEqual([[2], 0]);
});

it("[BUS-21] a room that cannot be asked for is reported, and keeps none from being asked for", () => {
  const errors: unknown[] = [];
  const healing = healingOf((act) => {
    try {
      act();
    } catch (error) {
      errors.push(error);
    }
  });
  const all = rooms(240);
  const [odd] = all;
  if (odd === undefined) throw new Error("there are 240");
  odd.ask = () => {
    throw new Error("no");
  };
  healing.begin(all);
  for (let i = 0; i < 3; i++) {
    for (const room of all) room.answer();
    vi.advanceTimersByTime(1_000);
  }
  expect([errors, healing.isOver, count(all, "whole")]).toEqual([[new Error("no")], true, 239]);
  healing.begin(rooms(1));
  expect(healing.isOver).toBe(true);
  healing.close();
});

it("[BUS-21] once the relay stops, nothing more is asked for of what waited", () => {
  const healing = healingOf();
  const all = rooms(160);
  healing.begin(all);
  healing.close();
  healing.begin([]);
  expect([count(all, "waits"), healing.isOver, vi.getTimerCount()]).toEqual([60, true, 0]);
});

it("[BUS-21] the next are asked for as answers come, and after a second without one", () => {
  const healing = healingOf();
  const all = rooms(240);
  healing.begin(all);
  vi.advanceTimersByTime(900);
  expect(count(all, "asked")).toBe(100);
  for (const room of all.slice(0, 30)) room.answer();
  vi.advanceTimersByTime(50);
  expect([count(all, "asked"), count(all, "waits")]).toEqual([100, 110]);
  vi.advanceTimersByTime(50);
  expect([count(all, "asked"), count(all, "waits")]).toEqual([170, 40]);
  healing.stop();
  expect(vi.getTimerCount()).toBe(0);
});

it("[BUS-21] a room that closes while it waits, or before it is answered, is forgotten", () => {
  const healing = healingOf();
  const all = rooms(101);
  healing.begin(all);
  const [first, last] = [all[0], all[100]];
  if (first === undefined || last === undefined) throw new Error("there are 101");
  healing.closed(last);
  expect(healing.isOver).toBe(true);
  healing.stop();
  const more = rooms(101);
  healing.begin(more);
  if (more[0] !== undefined) healing.closed(more[0]);
  vi.advanceTimersByTime(50);
  expect([count(more, "waits"), last.state]).toEqual([0, "waits"]);
  healing.stop();
});

it("[BUS-21] those who wait when the bus is lost again come first when it is back", () => {
  const healing = healingOf();
  const all = rooms(160);
  healing.begin(all);
  healing.stop();
  vi.advanceTimersByTime(5_000);
  expect([healing.isOver, count(all, "waits"), vi.getTimerCount()]).toEqual([false, 60, 0]);
  healing.begin(all);
  expect([count(all.slice(100), "asked"), count(all.slice(0, 40), "asked"), count(all, "waits")]).toEqual([60, 40, 60]);
  healing.stop();
});

it("[BUS-21] when it begins again, all are asked for anew, first those that waited", () => {
  const healing = healingOf();
  const all = rooms(240);
  healing.begin(all);
  for (const room of all) room.answer();
  healing.begin(all);
  expect([count(all, "whole"), count(all, "waits")]).toEqual([0, 240]);
  vi.advanceTimersByTime(50);
  expect([count(all.slice(0, 100), "asked"), count(all.slice(100, 200), "asked")]).toEqual([0, 100]);
  for (let i = 0; i < 3; i++) {
    for (const room of all) room.answer();
    vi.advanceTimersByTime(50);
  }
  expect([healing.isOver, count(all, "waits"), vi.getTimerCount()]).toEqual([true, 0, 0]);
});
