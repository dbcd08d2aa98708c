import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Counts, MAX_FULLEST } from "../../src/lobby/counts.ts";
import type { Status, User } from "../../src/presence/index.ts";

const user = (id: string, status: Status, ...rooms: string[]): User => ({ id, status, rooms }) as unknown as User;

describe("the numbers of a lobby", () => {
  it("[WATCH-2] say how many there are, with which status, and in which rooms", () => {
    const counts = new Counts([user("alice", "online", "a", "b"), user("bob", "away", "a")], true);
    expect(counts.whole).toEqual({
      users: 2,
      statuses: { online: 1, away: 1 },
      rooms: 2,
      fullest: [
        ["a", 2],
        ["b", 1],
      ],
    });
    expect(counts.news()).toBeNull();
  });

  it("[WATCH-2] tell of what changed, once", () => {
    const counts = new Counts([user("alice", "online", "a", "b"), user("bob", "away", "a")], true);
    counts.set("alice", user("alice", "online", "a", "c"));
    expect(counts.news()).toEqual({
      users: 2,
      statuses: { online: 1, away: 1 },
      rooms: 2,
      fullest: [
        ["c", 1],
        ["b", 0],
      ],
    });
    counts.set("alice", undefined);
    counts.set("nobody", undefined);
    expect(counts.news()).toEqual({
      users: 1,
      statuses: { away: 1 },
      rooms: 1,
      fullest: [
        ["a", 1],
        ["c", 0],
      ],
    });
    counts.set("bob", user("bob", "away", "a"));
    expect(counts.news()).toBeNull();
  });

  it("[WATCH-7] say nothing of rooms where a lobby does not", () => {
    const counts = new Counts([user("alice", "online", "a")], false);
    counts.set("alice", user("alice", "online", "b"));
    expect([counts.news(), counts.whole]).toEqual([null, { users: 1, statuses: { online: 1 }, rooms: 0, fullest: [] }]);
  });

  it("[WATCH-2] name the fullest rooms alone, and no more names than fit", () => {
    const people = Array.from({ length: 3 * MAX_FULLEST }, (_, i) => user(`u${i}`, "online", `room-${i % 150}`, "all"));
    const { rooms, fullest } = new Counts(people, true).whole;
    expect([rooms, fullest.length, fullest[0]]).toEqual([151, MAX_FULLEST, ["all", 300]]);
    const long = people.map((each, i) => user(each.id, "online", `${i}`.padEnd(500, "x")));
    expect(new Counts(long, true).whole.fullest).toHaveLength(8);
  });

  it("[WATCH-2] come to the same for one who hears the news as for one who comes later", () => {
    const step = fc.record({
      id: fc.constantFrom("a", "b", "c", "d"),
      status: fc.constantFrom<Status | null>("online", "away", null),
      rooms: fc.subarray(["r1", "r2", "r3"]),
    });
    fc.assert(
      fc.property(fc.array(fc.array(step)), (flushes) => {
        const counts = new Counts([], true);
        const heard = new Map<string, number>();
        const now = new Map<string, User>();
        for (const flush of flushes) {
          for (const { id, status, rooms } of flush) {
            const next = status === null ? undefined : user(id, status, ...rooms);
            counts.set(id, next);
            if (next === undefined) now.delete(id);
            else now.set(id, next);
          }
          for (const [room, count] of counts.news()?.fullest ?? []) {
            if (count === 0) heard.delete(room);
            else heard.set(room, count);
          }
        }
        const anew = new Counts(now.values(), true).whole;
        expect(counts.whole.users).toBe(now.size);
        expect(counts.whole.statuses).toEqual(anew.statuses);
        expect(Object.fromEntries(heard)).toEqual(Object.fromEntries(anew.fullest));
      }),
    );
  });
});
