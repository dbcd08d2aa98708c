/** Which webhook may go when. */
import { describe, expect, it } from "vitest";
import { Lanes } from "../../../src/relay/webhooks/lanes.ts";

const message = (number: number, key: string) => ({ number, key, length: 10 });
const always = (ms: number) => () => ms;

describe("lanes", () => {
  it("[HOOK-3] one user's messages go one after the other, those of different users side by side", () => {
    const lanes = new Lanes();
    const [a1, a2, b1] = [message(1, "alice"), message(2, "alice"), message(3, "bob")];
    for (const each of [a1, a2, b1]) lanes.add(each);
    expect([lanes.next(0), lanes.next(0), lanes.next(0)]).toEqual([a1, b1, null]);
    expect(lanes.oldest).toBe(a1);
    lanes.taken(a1);
    expect([lanes.next(0), lanes.next(0)]).toEqual([a2, null]);
    lanes.taken(a2);
    lanes.taken(b1);
    expect([lanes.size, lanes.characters, lanes.oldest]).toEqual([0, 0, undefined]);
  });

  it("[HOOK-5] what failed rests, and what waits behind it with it", () => {
    const lanes = new Lanes();
    const [a1, b1] = [message(1, "alice"), message(2, "bob")];
    lanes.add(a1);
    lanes.add(message(3, "alice"));
    expect(lanes.next(0)).toBe(a1);
    lanes.failed(a1, 0, false, always(100));
    expect([lanes.next(99), lanes.waitMs(40)]).toEqual([null, 60]);
    lanes.add(b1);
    expect(lanes.next(99)).toBe(b1);
    expect(lanes.next(100)).toBe(a1);
  });

  it("[HOOK-11] of a receiver that takes nothing, the next is tried that has not failed; and all that rest may be hurried", () => {
    const lanes = new Lanes();
    const [a1, b1, c1] = [message(1, "alice"), message(2, "bob"), message(3, "carol")];
    for (const each of [a1, b1]) lanes.add(each);
    for (const each of [a1, b1]) {
      expect(lanes.next(0)).toBe(each);
      lanes.failed(each, 0, true, always(1_000));
    }
    expect(lanes.nextAtAll(0)).toBe(a1);
    lanes.failed(a1, 0, true, always(1_000));
    lanes.add(c1);
    expect(lanes.nextAtAll(0)).toBe(c1);
    lanes.hurry();
    expect(new Set([lanes.next(0), lanes.next(0), lanes.next(0)])).toEqual(new Set([a1, b1, null]));
  });

  it("[HOOK-19] knows what waits behind failures of its own, which no other's success hurries", () => {
    const lanes = new Lanes();
    const bad = message(1, "mallory");
    lanes.add(bad);
    lanes.add(message(2, "mallory"));
    let now = 0;
    for (let i = 0; i < 5; i++) {
      expect(lanes.next(now)).toBe(bad);
      lanes.failed(bad, now, false, (failures) => failures * 1_000);
      now += 10_000;
    }
    expect([lanes.size, lanes.stuck]).toEqual([2, 2]);
    lanes.add(message(3, "mallory"));
    expect(lanes.stuck).toBe(3);
    lanes.hurry();
    expect(lanes.next(40_000)).toBeNull();
    expect(lanes.next(45_000)).toBe(bad);
    lanes.taken(bad);
    expect([lanes.size, lanes.stuck]).toEqual([2, 0]);
  });
});
