import { expect, it } from "vitest";
import { Incoming, Numbers, Outgoing } from "../../../../src/relay/cluster/topic/sequence.ts";

it("[BUS-3] a number that does not follow is a gap; what comes then waits for all that was asked for", () => {
  const incoming = new Incoming();
  expect(incoming.order(5, false)).toBe("wait");
  expect([incoming.isAskDue(0), incoming.isAskDue(999), incoming.isAskDue(1_000)]).toEqual([true, false, true]);
  incoming.whole(5);
  expect([incoming.order(5, false), incoming.order(6, false), incoming.order(6, true)]).toEqual([
    "old",
    "take",
    "take",
  ]);
  expect(incoming.order(8, false)).toBe("gap");
  expect(incoming.order(9, false)).toBe("wait");
  incoming.whole(9);
  expect(incoming.order(10, false)).toBe("take");
  expect(incoming.order(12, true)).toBe("gap");
});

it("[BUS-4] the last number is said again after 1 s, and then every 15 s", () => {
  const outgoing = new Outgoing();
  expect(outgoing.next(0)).toBe(1);
  expect([outgoing.isTailDue(999), outgoing.isTailDue(1_000)]).toEqual([false, true]);
  expect([outgoing.isTailDue(15_999), outgoing.isTailDue(16_000)]).toEqual([false, true]);
  expect(outgoing.next(20_000)).toBe(2);
  expect(outgoing.isTailDue(21_000)).toBe(true);
});

it("[BUS-4] a relay that has not said anything for 20 s, not even its last number, is asked", () => {
  const incoming = new Incoming();
  incoming.heard(0);
  expect(incoming.isAskDue(0)).toBe(true);
  incoming.whole(5);
  expect(incoming.isAskDue(19_999)).toBe(false);
  expect(incoming.isAskDue(20_000)).toBe(true);
  // what is known counts until the answer
  expect(incoming.isWhole).toBe(true);
  expect([incoming.isAskDue(20_999), incoming.isAskDue(21_000)]).toEqual([false, true]);
  incoming.isComing(21_500);
  expect(incoming.isAskDue(30_000)).toBe(false);
});

it("[BUS-38] who did not hear that a room was closed and opened anew takes what is new for a gap, not for old", () => {
  const numbers = new Numbers();
  const before = numbers.begin();
  const incoming = new Incoming();
  incoming.whole(before.seq);
  for (let i = 0; i < 5; i++) expect(incoming.order(before.next(0), false)).toBe("take");
  numbers.ended(before);
  const anew = numbers.begin();
  expect([incoming.isPast(anew.seq), incoming.order(anew.seq, true)]).toEqual([false, "gap"]);
  incoming.whole(before.seq);
  expect(incoming.order(anew.next(0), false)).toBe("gap");
});
