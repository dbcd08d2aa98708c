import * as fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  type Claim,
  type Session,
  bySessionPresence,
  departed,
  equal,
  joinSessions,
  newerManual,
  newestManual,
  userOf,
} from "../../src/presence/index.ts";
import { anyClaim, anyManual, anySession, claim, session } from "./claims.ts";

afterEach(() => {
  vi.useRealTimers();
});

const alice = (...sessions: Session[]): Claim[] => sessions.map((one) => ({ user: { id: "alice" }, session: one }));

describe("userOf", () => {
  it("[USER-1] makes one user of however many sessions", () => {
    const user = userOf("alice", alice(session("s1"), session("s2"), session("s3", { rooms: ["atrium"] })));
    expect(user).toMatchObject({ id: "alice", status: "online", rooms: ["atrium", "room"], self: false });
    expect(user.sessions.map(({ id }) => id)).toEqual(["s1", "s2", "s3"]);
  });

  it("[USER-2] says the same whatever the order, and however often each is seen", () => {
    const claims = fc.array(anyClaim(fc.constant("alice")), { minLength: 1, maxLength: 7 });
    const shuffled = claims.chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 }),
        fc.constant(new Set(all.map((each) => each.session.id)).size),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([all, again, sessions]) => {
        const user = userOf("alice", all);
        expect({ ...userOf("alice", again), lastSeen: 0 }).toEqual({ ...user, lastSeen: 0 });
        expect(user.sessions).toHaveLength(sessions);
        expect(user.sessions).toEqual(user.sessions.toSorted(bySessionPresence));
      }),
      { numRuns: 2_000 },
    );
  });

  const order: [more: string, less: string, a: Partial<Session>, b: Partial<Session>][] = [
    ["connected and away", "reconnecting and online", { status: "away", since: 1 }, { reconnecting: true, since: 2 }],
    ["online", "away since later", { since: 1 }, { status: "away", since: 2 }],
    ["changed last", "changed before", { since: 2 }, { since: 1 }],
    ["first by id", "second by id", { id: "s1" }, { id: "s2" }],
  ];
  it.each(order)("[USER-4] holds %s for more present than %s", (_more, _less, a, b) => {
    const [more, less] = [session("s9", a), session("s1", b)];
    expect(bySessionPresence(more, less)).toBeLessThan(0);
    expect(bySessionPresence(less, more)).toBeGreaterThan(0);
    for (const claims of [alice(more, less), alice(less, more)]) expect(userOf("alice", claims).sessions[0]).toBe(more);
  });

  it("[USER-5] has the device of the most present session that names one, and all devices", () => {
    const user = userOf(
      "alice",
      alice(
        session("s1", { device: "tablet", status: "away" }),
        session("s2", { device: "unknown", since: 9 }),
        session("s3", { device: "mobile", since: 5 }),
        session("s4", { device: "mobile", since: 1 }),
      ),
    );
    expect([user.device, user.devices]).toEqual(["mobile", ["unknown", "mobile", "tablet"]]);
    expect(userOf("alice", alice(session("s1", { device: "unknown" }))).device).toBe("unknown");
  });

  it("[USER-6] has the metadata of the most present session, and keeps each session's own", () => {
    const away = session("s1", { status: "away", since: 9, meta: { page: 1 } });
    const user = userOf("alice", alice(away, session("s2", { meta: { page: 2 } })));
    expect(user.meta).toEqual({ page: 2 });
    expect(user.sessions.map(({ meta }) => meta)).toEqual([{ page: 2 }, { page: 1 }]);
    expect(userOf("alice", []).meta).toEqual({});
  });

  it("[USER-7] says that who is here is seen now, each time it is asked", () => {
    vi.useFakeTimers({ now: 1_000 });
    const user = userOf("alice", alice(session("s1")));
    expect(user.lastSeen).toBe(1_000);
    vi.advanceTimersByTime(500);
    expect([user.lastSeen, { ...user }.lastSeen]).toEqual([1_500, 1_500]);
    expect(departed(user, 1_200).lastSeen).toBe(1_200);
  });

  it("names the user as the most present session that gives a name does", () => {
    const nameless = claim("alice", "s1", { since: 9 }, { color: "#111" });
    const old = claim("alice", "s2", { since: 1 }, { name: "Al" });
    const named = claim("alice", "s3", { since: 5 }, { name: "Alice", avatar: "a.png" });
    const user = userOf("alice", [nameless, old, named]);
    expect([user.name, user.color, user.avatar]).toEqual(["Alice", undefined, "a.png"]);
    expect(userOf("alice", [nameless]).color).toBe("#111");
  });

  it("is reconnecting when every session is", () => {
    const [here, lost] = [session("s1"), session("s2", { reconnecting: true })];
    expect(userOf("alice", alice(lost)).reconnecting).toBe(true);
    expect(userOf("alice", alice(lost, here)).reconnecting).toBe(false);
    expect(userOf("alice", []).reconnecting).toBe(false);
  });

  it("freezes what it gives out", () => {
    const user = userOf("alice", alice(session("s1")));
    for (const part of [user, user.devices, user.sessions, user.rooms, departed(user, 1)]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });
});

describe("the status of a user", () => {
  const away = { status: "away" } as const;
  const dnd = { manual: { status: "dnd", at: 5 } } as const;
  const cases: [what: string, sessions: Partial<Session>[], status: string, manual: string | null][] = [
    ["offline without a session", [], "offline", null],
    ["online if any session is", [away, {}], "online", null],
    ["away if all are", [away, away], "away", null],
    ["what the user chose, though no session is online", [away, { ...away, ...dnd }], "dnd", "dnd"],
    ["the newest choice of two", [{ manual: { status: "busy", at: 6 } }, dnd], "busy", "busy"],
    ["away if that is chosen", [{}, { manual: { status: "away", at: 1 } }], "away", "away"],
    [
      "offline to others if invisible is chosen",
      [{}, { manual: { status: "invisible", at: 1 } }],
      "offline",
      "invisible",
    ],
  ];
  it.each(cases)("[STATUS-1] is %s", (_what, sessions, status, manual) => {
    const user = userOf("alice", alice(...sessions.map((fields, i) => session(`s${i}`, fields))));
    expect([user.status, user.manual]).toEqual([status, manual]);
  });

  it("[STATUS-2] is automatic again in every session once any session cleared it", () => {
    const chose = session("s1", { ...away, ...dnd });
    const cleared = session("s2", { manual: { status: null, at: 6 } });
    for (const claims of [alice(chose, cleared), alice(cleared, chose)]) {
      expect(userOf("alice", claims)).toMatchObject({ status: "online", manual: null });
    }
    const older = session("s2", { manual: { status: null, at: 4 } });
    expect(userOf("alice", alice(chose, older)).status).toBe("dnd");
  });

  it("[STATUS-3] is the choice one later than another, whatever else is newer about the other's session", () => {
    const slow = session("s1", { status: "away", since: 0, manual: { status: "busy", at: 9_001 } });
    const fast = session("s2", { since: 9_999, manual: { status: "dnd", at: 9_000 } });
    expect(userOf("alice", alice(fast, slow)).status).toBe("busy");
  });

  it("[STATUS-3] is the same choice for all observers, in whatever order they hear", () => {
    fc.assert(
      fc.property(fc.array(anyManual, { maxLength: 5 }), fc.array(anyManual, { maxLength: 5 }), (some, more) => {
        const newest = (choices: typeof some): unknown =>
          newestManual(choices.map((manual, i) => session(`s${i}`, { manual })));
        const all = newest([...some, ...more]);
        expect(newest([...more, ...some].toReversed())).toEqual(all);
        expect(newest([...more, ...some])).toEqual(all);
        const latest = Math.max(...[...some, ...more].map((choice) => choice?.at ?? -1));
        expect((all as { at: number } | null)?.at ?? -1).toBe(Math.max(-1, latest));
      }),
    );
    const [busy, dnd5] = [{ status: "busy", at: 5 } as const, { status: "dnd", at: 5 } as const];
    expect([newerManual(busy, dnd5), newerManual(dnd5, busy)]).toEqual([busy, busy]);
    expect(newerManual(busy, { ...busy })).toBe(busy);
  });
});

describe("joinSessions", () => {
  const one = anySession(fc.constant("s1"));

  it("[USER-2] does not depend on the order of the places, nor on how often each is heard", () => {
    fc.assert(
      fc.property(one, one, one, (a, b, c) => {
        expect(joinSessions(a, b)).toEqual(joinSessions(b, a));
        expect(joinSessions(joinSessions(a, b), c)).toEqual(joinSessions(a, joinSessions(b, c)));
        expect(joinSessions(joinSessions(a, b), b)).toEqual(joinSessions(a, b));
      }),
      { numRuns: 5_000 },
    );
  });

  it("[USER-3] is one session, in all the rooms, as present as the most present view of it", () => {
    const views = [
      session("s1", { rooms: ["atrium"], reconnecting: true, meta: { page: 1 } }),
      session("s1", { rooms: ["bureau"], device: "unknown", status: "away", since: 2, meta: { page: 2 } }),
      session("s1", { rooms: ["cellar"], device: "unknown", manual: { status: "dnd", at: 1 }, meta: { page: 3 } }),
    ];
    const user = userOf("alice", alice(...views));
    expect(user.sessions).toEqual([{ ...views[2]!, device: "desktop", rooms: ["atrium", "bureau", "cellar"] }]);
    expect([user.status, user.device, user.meta]).toEqual(["dnd", "desktop", { page: 3 }]);
  });

  it("keeps the device that either view names", () => {
    const unknown = session("s1", { device: "unknown", since: 2 });
    expect(joinSessions(unknown, session("s1", { device: "mobile" }))).toEqual({ ...unknown, device: "mobile" });
  });

  it("[ROSTER-4] keeps the identity of a view that the other adds nothing to", () => {
    const [first, second] = [session("s1", { since: 2, rooms: ["a", "b"] }), session("s1", { rooms: ["b"] })];
    expect(joinSessions(first, second)).toBe(first);
    expect(joinSessions(second, first)).toBe(first);
  });
});

describe("departed", () => {
  it("keeps who it was and what was said, and nothing of being here", () => {
    const info = { name: "Alice", color: "#111", colorLight: "#1113", avatar: "a.png" };
    const user = userOf("alice", [claim("alice", "s1", { meta: { page: 1 }, manual: { status: "dnd", at: 1 } }, info)]);
    expect(departed(user, 5)).toEqual({
      id: "alice",
      ...info,
      status: "offline",
      manual: null,
      device: "unknown",
      devices: [],
      meta: { page: 1 },
      sessions: [],
      rooms: [],
      reconnecting: false,
      lastSeen: 5,
      self: false,
      guest: false,
    });
    expect(departed({ id: "guest:1" }, 5)).toMatchObject({ guest: true, meta: {}, self: false });
    expect("name" in departed({ id: "bob" }, 5)).toBe(false);
    expect(equal(departed(user, 5), departed(user, 6))).toBe(false);
  });
});
