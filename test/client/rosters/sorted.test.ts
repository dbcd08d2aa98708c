import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RoomIndex } from "../../../src/client/rosters/rooms.ts";
import { byName } from "../../../src/client/rosters/roster.ts";
import { SortedList } from "../../../src/client/rosters/sorted.ts";
import { type User, userOf } from "../../../src/presence/index.ts";
import { readState } from "../../../src/presence/index.ts";

/** A user of this name, in these rooms. */
function user(id: string, name: string, rooms: readonly string[] = []): User {
  const claim = readState(1, { user: { id, name } }, "room");
  if (claim === null) throw new Error("no claim");
  return userOf(id, [{ ...claim, session: { ...claim.session, rooms } }]);
}

/** Who changes, to what name and rooms; null: who goes. */
const change = fc.tuple(
  fc.constantFrom("a", "b", "c", "d", "e", "f"),
  fc.option(fc.tuple(fc.constantFrom("Ann", "Bob", "bob", "Zoë"), fc.subarray(["x", "y", "z"]))),
);
/** Each list of changes is followed by a look. */
const rounds = fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 12 });

describe("[ROSTER-9] users that are kept in order", () => {
  it("are as if they had been sorted, however they change between two looks", () => {
    fc.assert(
      fc.property(rounds, (all) => {
        const present = new Map<string, User>();
        const list = new SortedList<User>(byName);
        for (const changes of all) {
          for (const [id, to] of changes) {
            const after = to === null ? undefined : user(id, to[0]);
            list.change(id, present.get(id), after);
            if (after === undefined) present.delete(id);
            else present.set(id, after);
          }
          const { items } = list;
          expect(items).toEqual([...present.values()].toSorted(byName));
          expect(items.every((item) => present.get(item.id) === item)).toBe(true);
          expect(list.items).toBe(items);
        }
      }),
    );
  });

  it("are the same list when what changed is as it was", () => {
    const list = new SortedList<User>(byName);
    const [alice, bob] = [user("a", "Alice"), user("b", "Bob")];
    list.change("a", undefined, alice);
    const { items } = list;
    list.change("b", undefined, bob);
    list.change("b", bob, undefined);
    expect(list.items).toBe(items);
  });

  it("are in the rooms that they say, each room counted without a walk", () => {
    fc.assert(
      fc.property(rounds, (all) => {
        const present = new Map<string, User>();
        const index = new RoomIndex();
        for (const changes of all) {
          for (const [id, to] of changes) {
            const after = to === null ? undefined : user(id, ...to);
            index.change(id, present.get(id), after);
            if (after === undefined) present.delete(id);
            else present.set(id, after);
          }
          const users = [...present.values()].toSorted(byName);
          const expected = ["x", "y", "z"].flatMap((name) => {
            const inside = users.filter(({ rooms }) => rooms.includes(name));
            expect([index.usersIn(name), index.countIn(name)]).toEqual([inside, inside.length]);
            return inside.length === 0 ? [] : [{ name, users: inside, count: inside.length }];
          });
          expect(index.rooms).toEqual(expected);
          expect(index.rooms).toBe(index.rooms);
        }
      }),
    );
  });
});
