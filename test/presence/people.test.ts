import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type Claim,
  People,
  type PresenceEvent,
  type User,
  departed,
  diffUser,
  equal,
  choiceOf,
  newestManual,
  userOf,
} from "../../src/presence/index.ts";
import { anyClaim, claim } from "./claims.ts";

const NAMES = { alice: { name: "Alice" }, bob: { name: "Bob" } };
const alice = (sessionId: string, fields: Parameters<typeof claim>[2] = {}): Claim =>
  claim("alice", sessionId, fields, NAMES.alice);
const bob = (sessionId: string, fields: Parameters<typeof claim>[2] = {}): Claim =>
  claim("bob", sessionId, fields, NAMES.bob);

let people = new People("room");
beforeEach(() => {
  people = new People("room");
});
const types = (events: readonly PresenceEvent[]): string[] => events.map(({ type, userId }) => `${type} ${userId}`);

describe("the events of a place", () => {
  it("[ROSTER-2] are a join with the first session, and a leave with the last", () => {
    people.set(1, alice("s1"));
    people.set(2, bob("s2"));
    expect(types(people.flush(10))).toEqual(["join alice", "join bob"]);
    people.set(3, alice("s3"));
    expect(types(people.flush(11))).toEqual(["update alice"]);
    people.delete(1, 11);
    expect(types(people.flush(12))).toEqual(["update alice"]);
    people.delete(3, 12);
    people.delete(3, 12);
    expect(types(people.flush(13))).toEqual(["leave alice"]);
    people.delete(3, 13);
    expect(people.flush(14)).toEqual([]);
    expect([...people.users.keys()]).toEqual(["bob"]);
  });

  it("[ROSTER-3] say all there is to say", () => {
    people.set(1, alice("s1", { meta: { page: 1 } }));
    const [join] = people.flush(10);
    people.set(1, alice("s1", { meta: { page: 2 }, status: "away" }));
    const [update] = people.flush(20);
    people.delete(1, 25);
    const [leave] = people.flush(30);

    const all = { userId: "alice", roomId: "room" };
    const [first, second] = [join?.user, update?.user];
    expect(join).toEqual({ ...all, type: "join", status: "online", metadata: { page: 1 }, timestamp: 10, user: first });
    expect(update).toEqual({
      ...all,
      type: "update",
      status: "away",
      metadata: { page: 2 },
      timestamp: 20,
      user: second,
      previous: first,
    });
    expect(leave).toEqual({
      ...all,
      type: "leave",
      status: "offline",
      metadata: { page: 2 },
      timestamp: 30,
      user: departed(second!, 25),
    });
    expect(second).toMatchObject({ id: "alice", name: "Alice", meta: { page: 2 }, sessions: [{ id: "s1" }] });
  });

  it("[ROSTER-4] are none for what did not change, and the user keeps its identity", () => {
    people.set(1, alice("s1"));
    people.flush(10);
    const before = people.users.get("alice");
    people.set(1, alice("s1"));
    expect(people.flush(11)).toEqual([]);
    people.delete(1, 11);
    people.set(1, alice("s1"));
    expect(people.flush(12)).toEqual([]);
    people.set(2, alice("s1"));
    expect(people.flush(13)).toEqual([]);
    expect(people.changed).toBe(false);
    expect(people.users.get("alice")).toBe(before);
  });

  it("[ROSTER-2] are none for who came and went between two looks", () => {
    people.set(1, alice("s1"));
    people.delete(1, 10);
    expect(people.flush(11)).toEqual([]);
    expect(people.changed).toBe(false);
    expect(people.users.size).toBe(0);
  });

  it("[ROSTER-2] are a leave of the one and a join of the other when a connection changes its user", () => {
    people.set(1, alice("s1"));
    people.flush(10);
    people.set(1, bob("s1"));
    expect(types(people.flush(11)).toSorted()).toEqual(["join bob", "leave alice"]);
  });

  it("[STATUS-5] are a leave when a user turns invisible, none while they are, and a join when they show", () => {
    const invisible = { manual: { status: "invisible", at: 5 } } as const;
    people.set(1, alice("s1"));
    people.flush(10);
    people.set(2, alice("s2", invisible));
    const [leave] = people.flush(20);
    expect(leave).toMatchObject({
      type: "leave",
      status: "offline",
      user: { manual: null, sessions: [], lastSeen: 20 },
    });
    people.set(1, alice("s1", { meta: { page: 2 } }));
    people.delete(2, 21);
    people.set(1, alice("s1", invisible));
    expect(people.flush(30)).toEqual([]);
    expect(people.users.size).toBe(0);
    people.set(1, alice("s1", { manual: { status: null, at: 6 } }));
    expect(types(people.flush(40))).toEqual(["join alice"]);
  });
});

describe("when a user was last seen", () => {
  it("[USER-7] is when the last of their sessions to be heard of was alive, not when the loss was noticed", () => {
    people.set(1, alice("s1"));
    people.set(2, alice("s2"));
    people.flush(10);
    people.delete(1, 500);
    people.flush(600);
    people.delete(2, 300);
    expect(people.flush(900)[0]?.user.lastSeen).toBe(500);
  });

  it("[USER-7] is not what it was when they left before", () => {
    people.set(1, alice("s1"));
    people.flush(10);
    people.delete(1, 500);
    people.flush(600);
    people.set(1, alice("s1"));
    people.flush(610);
    people.delete(1, 400);
    expect(people.flush(900)[0]?.user.lastSeen).toBe(400);
  });

  it("[USER-7] is the moment in which their connection became somebody else's", () => {
    people.set(1, alice("s1"));
    people.set(2, alice("s2"));
    people.flush(10);
    people.delete(1, 20);
    people.flush(30);
    people.set(2, bob("s2"));
    const events = people.flush(900);
    expect(events.find(({ type }) => type === "leave")?.user.lastSeen).toBe(900);
  });

  it("[USER-7] is the moment in which they turned invisible, though a session of theirs left long before", () => {
    people.set(1, alice("s1"));
    people.set(2, alice("s2"));
    people.delete(1, 5);
    people.flush(10);
    people.set(2, alice("s2", { manual: { status: "invisible", at: 1 } }));
    expect(people.flush(900)[0]?.user.lastSeen).toBe(900);
  });

  it("[USER-7] is now for one whose time is not known", () => {
    people.set(1, alice("s1"));
    people.flush(10);
    people.delete(1, 0);
    expect(people.flush(900)[0]?.user.lastSeen).toBe(900);
  });
});

describe("the observer", () => {
  beforeEach(() => {
    people = new People("room", { selfId: "alice" });
  });

  it("[ROSTER-7] neither joins nor leaves in their own eyes; what changes is an update", () => {
    people.set(1, alice("s1"));
    expect(people.flush(10)).toEqual([]);
    expect(people.changed).toBe(true);
    const before = people.users.get("alice");
    expect(before).toMatchObject({ self: true, status: "online" });
    people.set(1, alice("s1", { status: "away", meta: { page: 2 } }));
    const user = people.users;
    expect(people.flush(11)).toEqual([
      {
        type: "update",
        userId: "alice",
        status: "away",
        metadata: { page: 2 },
        roomId: "room",
        timestamp: 11,
        user: user.get("alice"),
        previous: before,
      },
    ]);
    people.delete(1, 12);
    people.set(1, alice("s1", { status: "away", meta: { page: 2 } }));
    expect([people.flush(12), people.changed]).toEqual([[], false]);
    people.delete(1, 12);
    expect(people.flush(13)).toEqual([]);
    expect([people.changed, people.users.size]).toEqual([true, 0]);
  });

  it("[STATUS-6] is in their own roster though they are invisible", () => {
    people.set(1, alice("s1"));
    people.flush(10);
    people.set(1, alice("s1", { manual: { status: "invisible", at: 5 } }));
    expect(types(people.flush(11))).toEqual(["update alice"]);
    expect(people.users.get("alice")).toMatchObject({ self: true, status: "offline", manual: "invisible" });
  });

  it("[ROSTER-7] is somebody else once they signed in as such", () => {
    people.set(1, alice("s1"));
    people.set(2, bob("s2"));
    people.flush(10);
    people.selfId = "bob";
    people.set(1, bob("s1"));
    expect(types(people.flush(11)).toSorted()).toEqual(["leave alice", "update bob"]);
    expect(people.users.get("bob")?.self).toBe(true);
  });
});

it("[STATUS-2] the newest choice of a user is known before it is published", () => {
  expect(choiceOf(people, "alice")).toBeNull();
  people.set(1, alice("s1", { manual: { status: "dnd", at: 5 } }));
  people.set(2, alice("s2", { manual: { status: null, at: 6 } }));
  expect(choiceOf(people, "alice")).toEqual({ status: null, at: 6 });
  people.delete(2, 0);
  expect(choiceOf(people, "alice")).toEqual({ status: "dnd", at: 5 });
});

describe("any sequence of claims and losses, with looks between", () => {
  type Change = { readonly key: number; readonly claim: Claim } | { readonly key: number; readonly lostAt: number };
  const key = fc.integer({ min: 1, max: 5 });
  const anyChange: fc.Arbitrary<Change> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ key, claim: anyClaim() }) },
    { weight: 3, arbitrary: fc.record({ key, lostAt: fc.integer({ min: 1, max: 999 }) }) },
  );
  const anyRounds = fc.array(fc.array(anyChange, { maxLength: 4 }), { minLength: 1, maxLength: 12 });

  it.each([undefined, "alice"])(
    "[USER-1] [ROSTER-2] [ROSTER-4] leaves who is there, and events that lead there (self: %s)",
    (selfId) => {
      fc.assert(
        fc.property(anyRounds, (rounds) => {
          const place = new People("room", { selfId });
          const claims = new Map<number, Claim>();
          const seen = new Map<string, User>();
          for (const [i, changes] of rounds.entries()) {
            for (const change of changes) {
              if ("claim" in change) place.set(change.key, change.claim);
              else place.delete(change.key, change.lostAt);
              if ("claim" in change) claims.set(change.key, change.claim);
              else claims.delete(change.key);
            }
            for (const id of ["alice", "bob", "guest:1"]) {
              const own = [...claims.values()].filter(({ user }) => user.id === id);
              expect(choiceOf(place, id)).toEqual(newestManual(own.map(({ session }) => session)));
            }
            const before = new Map(place.users);
            const events = place.flush(1_000 + i);

            expect(plain(place.users)).toEqual(plain(recounted(claims, selfId)));
            for (const [id, user] of place.users) expect(user === before.get(id)).toBe(equal(user, before.get(id)));
            const ids = [...new Set([...before.keys(), ...place.users.keys()])];
            expect(place.changed).toBe(ids.some((id) => before.get(id) !== place.users.get(id)));

            expect(new Set(events.map(({ userId }) => userId)).size).toBe(events.length);
            const own = events.filter(({ userId }) => userId === selfId);
            expect(own.every(({ type }) => type === "update")).toBe(true);
            for (const event of events.filter((each) => !own.includes(each))) replay(seen, event);
            const others = [...place.users.values()].filter(({ self }) => !self);
            expect(others.every((user) => seen.get(user.id) === user)).toBe(true);
            expect(seen.size).toBe(others.length);
          }
        }),
        { numRuns: 300 },
      );
    },
  );

  /** Who is there, from nothing but the claims that are held. */
  function recounted(claims: ReadonlyMap<number, Claim>, selfId: string | undefined): Map<string, User> {
    const all = [...claims.values()];
    const users = [...new Set(all.map(({ user }) => user.id))].map((id) =>
      userOf(
        id,
        all.filter(({ user }) => user.id === id),
        { self: id === selfId },
      ),
    );
    return new Map(users.filter(({ status, self }) => self || status !== "offline").map((user) => [user.id, user]));
  }

  /** Follows an event: joins and leaves alternate, and an update leads from what was to something else. */
  function replay(seen: Map<string, User>, event: PresenceEvent): void {
    const { type, userId, user } = event;
    const known = seen.get(userId);
    expect(known === undefined).toBe(type === "join");
    expect("previous" in event ? event.previous : undefined).toBe(type === "update" ? known : undefined);
    expect(equal(known, user)).toBe(false);
    expect(user.sessions.length > 0).toBe(type !== "leave");
    if (type === "leave") seen.delete(userId);
    else seen.set(userId, user);
  }

  function plain(users: ReadonlyMap<string, User>): unknown {
    return Object.fromEntries([...users].map(([id, user]) => [id, { ...user, lastSeen: 0 }]));
  }
});

describe("diffUser", () => {
  const at = { roomId: "room", now: 10 };
  const here = userOf("alice", [alice("s1")]);
  const invisible = userOf("alice", [alice("s1", { manual: { status: "invisible", at: 1 } })]);
  const gone = departed(here, 5);

  it("[ROSTER-2] leads from absent to present by a join, and back by a leave", () => {
    for (const absent of [undefined, gone, invisible]) expect(diffUser(absent, here, at)?.type).toBe("join");
    for (const absent of [gone, invisible]) expect(diffUser(here, absent, at)?.type).toBe("leave");
  });

  it("[ROSTER-4] says nothing where nothing changed, or nobody sees it", () => {
    expect(diffUser(here, userOf("alice", [alice("s1")]), at)).toBeNull();
    for (const a of [undefined, gone, invisible]) {
      for (const b of [undefined, gone, invisible]) expect(diffUser(a, b, at)).toBeNull();
    }
  });
});
