import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Sessions, type Report } from "../../src/lobby/index.ts";
import { type AutoStatus, type Claim, type User, equal, newestManual, userOf } from "../../src/presence/index.ts";
import { anyClaim, anySession } from "../presence/claims.ts";
import { report, types } from "./reports.ts";

const [tab, tabInRoom, tabElsewhere, phone] = ["tab", "tabInRoom", "tabElsewhere", "phone"].map((name) => ({ name }));
if (!tab || !tabInRoom || !tabElsewhere || !phone) throw new TypeError("unreachable");

let lobby = new Sessions("@lobby");
beforeEach(() => {
  lobby = new Sessions("@lobby");
});

/** What others see of Alice and of her one session, after a look. */
function alice(now = 0): User {
  lobby.flush(now);
  const user = lobby.users.get("alice");
  expect(user).toBeDefined();
  return user!;
}

describe("counting", () => {
  it("[USER-1] counts a user of two tabs and a phone once, until the last is gone", () => {
    lobby.set(tab, report("alice", "s1"), 0);
    lobby.set(tabElsewhere, report("alice", "s2", "other"), 0);
    lobby.set(phone, report("alice", "s3", null, { device: "mobile" }), 0);
    lobby.set({}, report("bob", "s4"), 0);
    expect(types(lobby.flush(1))).toEqual(["join alice", "join bob"]);
    expect(alice()).toMatchObject({ rooms: ["other", "room"], devices: ["desktop", "mobile"] });
    lobby.delete(tab, 2, 2);
    lobby.delete(phone, 2, 2);
    expect(types(lobby.flush(3))).toEqual(["update alice"]);
    lobby.delete(tabElsewhere, 4, 4);
    lobby.delete(tabElsewhere, 4, 4);
    expect(types(lobby.flush(5))).toEqual(["leave alice"]);
    expect([...lobby.users.keys()]).toEqual(["bob"]);
  });

  it("[USER-3] counts a tab in three rooms and the lobby as one session, until it left all of them", () => {
    const connections = ["atrium", "bureau", "cellar", null].map((room) => ({ room }));
    for (const at of connections) lobby.set(at, report("alice", "s1", at.room), 0);
    expect(types(lobby.flush(1))).toEqual(["join alice"]);
    expect(alice().sessions).toMatchObject([{ id: "s1", rooms: ["atrium", "bureau", "cellar"], clientId: null }]);
    const rooms = connections.map((at, i) => {
      lobby.delete(at, 10 + i, 10 + i);
      const events = lobby.flush(20 + i);
      return [...types(events), ...events.flatMap(({ user }) => user.rooms)];
    });
    expect(rooms).toEqual([
      ["update alice", "bureau", "cellar"],
      ["update alice", "cellar"],
      ["update alice"],
      ["leave alice"],
    ]);
  });

  it("[EVENT-5] tells of nobody who came and went between two flushes, and of a change alone where somebody went and came back", () => {
    lobby.set(phone, report("bob", "s2"), 0);
    expect(types(lobby.flush(1))).toEqual(["join bob"]);
    lobby.set(tab, report("alice", "s1"), 2);
    lobby.delete(tab, 3, 3);
    lobby.delete(phone, 4, 4);
    lobby.set(phone, report("bob", "s2"), 5);
    expect(types(lobby.flush(6))).toEqual(["update bob"]);
    // a flush between the two makes a pair of it
    lobby.set(tab, report("alice", "s1"), 7);
    expect(types(lobby.flush(8))).toEqual(["join alice"]);
    lobby.delete(tab, 9, 9);
    expect(types(lobby.flush(10))).toEqual(["leave alice"]);
  });

  it("[TIME-1] a leaver is last seen by the clock as it is set now, though connections and sessions ended before the clock was set back", () => {
    const hour = 3_600_000;
    lobby.set(tab, report("alice", "s1"), 2 * hour);
    lobby.set(tabInRoom, report("alice", "s1", "other"), 2 * hour);
    lobby.set(phone, report("alice", "s2"), 2 * hour);
    lobby.flush(2 * hour);
    lobby.delete(tabInRoom, 2 * hour, 2 * hour);
    lobby.delete(phone, 2 * hour, 2 * hour);
    lobby.flush(2 * hour);
    // the clock is set back by an hour
    lobby.delete(tab, hour + 5, hour + 10);
    expect(lobby.flush(hour + 10)).toMatchObject([{ type: "leave", user: { lastSeen: hour + 5 } }]);
  });

  it("[USER-2] keeps apart sessions whose ids run together", () => {
    const ids: [string, string][] = [
      ["a\nb", "c"],
      ["a", "b\nc"],
      ["a\n1", "c"],
      ["a", "1\nc"],
      ["__proto__", "__proto__"],
      ["__proto__", "constructor"],
    ];
    for (const [user, session] of ids) lobby.set({}, report(user, session), 0);
    lobby.flush(1);
    const seen = [...lobby.users.values()].flatMap(({ id, sessions }) => sessions.map((one) => [id, one.id]));
    expect(seen).toHaveLength(ids.length);
    expect(seen).toEqual(expect.arrayContaining(ids));
  });

  it("follows a connection that signs in as somebody else, or takes another session id", () => {
    lobby.set(tab, report("guest:1", "client:1"), 0);
    lobby.flush(1);
    lobby.set(tab, report("alice", "s1"), 2);
    expect(types(lobby.flush(3)).toSorted()).toEqual(["join alice", "leave guest:1"]);
    lobby.set(tab, report("alice", "s2"), 4);
    expect(alice().sessions.map(({ id }) => id)).toEqual(["s2"]);
    expect([lobby.reportOf(tab)?.claim.user.id, [...lobby.keysOf("alice")], [...lobby.keysOf("guest:1")]]).toEqual([
      "alice",
      [tab],
      [],
    ]);
  });

  it("says whether what it is told is news", () => {
    const said = report("alice", "s1");
    expect(lobby.set(tab, said, 0)).toBe(true);
    expect(lobby.set(tab, structuredClone(said), 1)).toBe(false);
    expect(lobby.set(tab, { ...said, silent: true }, 2)).toBe(true);
    expect(lobby.set(tab, { ...said, room: "other" }, 3)).toBe(true);
    expect(lobby.set(tabElsewhere, said, 4)).toBe(true);
  });

  it("is empty when no connection speaks", () => {
    expect(lobby.empty).toBe(true);
    lobby.set(tab, report("alice", "s1"), 0);
    expect(lobby.empty).toBe(false);
    lobby.delete(tab, 1, 1);
    expect([lobby.empty, lobby.reportOf(tab)?.claim.user.id, lobby.keysOf("alice").length]).toEqual([
      true,
      undefined,
      0,
    ]);
  });
});

describe("a session in several places", () => {
  it("[USER-6] has the metadata it set for the lobby, else for the room it spoke in last", () => {
    const say = (source: object, room: string | null, meta: string): unknown => {
      lobby.set(source, report("alice", "s1", room, { meta: { page: meta } }), 0);
      return alice().meta["page"];
    };
    expect(say(tabInRoom, "atrium", "a")).toBe("a");
    expect(say(tabElsewhere, "bureau", "b")).toBe("b");
    expect(say(tabElsewhere, "bureau", "b")).toBe("b");
    expect(say(tabInRoom, "atrium", "a2")).toBe("a2");
    expect(say(tab, null, "everywhere")).toBe("everywhere");
    expect(say(tabElsewhere, "bureau", "b2")).toBe("everywhere");
    lobby.delete(tab, 1, 1);
    expect(alice().meta).toEqual({ page: "b2" });
  });

  it("[USER-6] has not spoken when the relay notices something about its connection", () => {
    const [first, last] = ["a", "b"].map((page) => report("alice", "s1", page, { meta: { page } }));
    lobby.set(tabInRoom, first!, 0);
    lobby.set(tabElsewhere, last!, 0);
    for (const noticed of [{ silent: true }, { connected: false }, { connected: true, silent: false }]) {
      lobby.set(tabInRoom, { ...first!, ...noticed }, 1);
      expect(alice().meta).toEqual({ page: "b" });
    }
  });

  it("[USER-5] is on the device that any of its connections names", () => {
    lobby.set(tab, report("alice", "s1", null, { device: "tablet" }), 0);
    lobby.set(tabInRoom, report("alice", "s1", "room", { device: "unknown" }), 0);
    expect(alice()).toMatchObject({ device: "tablet", devices: ["tablet"] });
  });

  it("[STATUS-1] has the newest choice of status and the latest name that any of its connections says", () => {
    const info = { name: "Alice" };
    lobby.set(tab, report("alice", "s1", null, { manual: { status: "dnd", at: 5 } }, { info: { name: "Al" } }), 0);
    lobby.set(tabInRoom, report("alice", "s1", "room", { manual: { status: "busy", at: 4 } }, { info }), 0);
    expect(lobby.choiceOf("alice")).toEqual({ status: "dnd", at: 5 });
    expect(alice()).toMatchObject({ status: "dnd", name: "Alice" });
  });

  it("[LIVE-2] is reconnecting once all its connections are lost, and no longer when one is back", () => {
    lobby.set(tab, report("alice", "s1", null), 0);
    lobby.set(tabInRoom, report("alice", "s1"), 0);
    lobby.set(tab, report("alice", "s1", null, {}, { connected: false }), 1);
    expect(alice().reconnecting).toBe(false);
    lobby.set(tabInRoom, report("alice", "s1", "room", {}, { connected: false }), 2);
    expect(alice().reconnecting).toBe(true);
    lobby.set(phone, report("alice", "s1", null), 3);
    lobby.delete(tab, 1, 3);
    expect(alice()).toMatchObject({ reconnecting: false, sessions: [{ since: 0 }] });
  });

  it("[LIVE-8] is away once no connected page of it speaks, and stays so when its network goes too", () => {
    const silent = { silent: true };
    const page = (): [AutoStatus, number] => {
      const [one] = alice().sessions;
      return [one!.status, one!.since];
    };
    lobby.set(tab, report("alice", "s1", null), 10);
    lobby.set(tabInRoom, report("alice", "s1"), 20);
    lobby.set(tab, report("alice", "s1", null, {}, silent), 30);
    expect(page()).toEqual(["online", 10]);
    lobby.set(tabInRoom, report("alice", "s1", "room", {}, silent), 40);
    expect(page()).toEqual(["away", 40]);
    lobby.set(tab, report("alice", "s1", null, {}, { connected: false }), 50);
    expect(page()).toEqual(["away", 40]);
    lobby.set(tabInRoom, report("alice", "s1", "room", {}, { connected: false }), 60);
    expect(page()).toEqual(["away", 40]);
    lobby.set(tabInRoom, report("alice", "s1"), 70);
    expect(page()).toEqual(["online", 70]);
  });

  it("[LOBBY-1] changed its status when the relay heard of it, by the relay's clock", () => {
    lobby.set(tab, report("alice", "s1", null, { since: 999_999 }), 10);
    expect(alice().sessions[0]?.since).toBe(10);
    lobby.set(tab, report("alice", "s1", null, { since: 5, meta: { page: 2 } }), 20);
    expect(alice().sessions[0]?.since).toBe(10);
    lobby.set(tab, report("alice", "s1", null, { since: 5, status: "away" }), 30);
    expect(alice().sessions[0]).toMatchObject({ status: "away", since: 30 });
  });
});

describe("when a user was last seen", () => {
  it("[USER-7] is when any of a session's connections was last alive, not only the last to be given up", () => {
    lobby.set(tab, report("alice", "s1", null), 0);
    lobby.set(tabInRoom, report("alice", "s1"), 0);
    lobby.flush(1);
    lobby.set(tab, report("alice", "s1", null, {}, { connected: false }), 5_100);
    lobby.delete(tabInRoom, 7_000, 7_000);
    lobby.delete(tab, 5_000, 8_000);
    expect(lobby.flush(8_100)[0]).toMatchObject({ type: "leave", timestamp: 8_100, user: { lastSeen: 7_000 } });
  });

  it("[USER-7] is not when they were last seen before they came back", () => {
    lobby.set(tab, report("alice", "s1"), 0);
    lobby.delete(tab, 900, 900);
    lobby.flush(1_000);
    lobby.set(tab, report("alice", "s1"), 1_000);
    lobby.flush(1_001);
    lobby.delete(tab, 500, 2_000);
    expect(lobby.flush(2_001)[0]?.user.lastSeen).toBe(500);
  });
});

describe("any sequence of reports and losses, with looks between", () => {
  type Change =
    | { readonly source: number; readonly report: Report }
    | { readonly source: number; readonly lostAt: number };
  const source = fc.integer({ min: 0, max: 4 });
  const ids = fc.constantFrom("s1", "s2");
  const anyReport: fc.Arbitrary<Report> = fc.record({
    room: fc.constantFrom(null, "atrium", "bureau"),
    claim: anyClaim(fc.constantFrom("alice", "bob"), anySession(ids)),
    connected: fc.boolean(),
    silent: fc.boolean(),
    bytes: fc.constant(100),
  });
  const anyChange: fc.Arbitrary<Change> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ source, report: anyReport }) },
    { weight: 2, arbitrary: fc.record({ source, lostAt: fc.integer({ min: 1, max: 999 }) }) },
  );
  const anyRounds = fc.array(fc.array(anyChange, { maxLength: 4 }), { minLength: 1, maxLength: 12 });

  it("[USER-1] [USER-2] [LOBBY-1] leaves what the live reports say, with times that change only with the status", () => {
    fc.assert(
      fc.property(anyRounds, (rounds) => {
        const place = new Sessions("@lobby");
        const model = new Model();
        const sources = Array.from({ length: 5 }, (_, i) => ({ i }));
        let now = 1_000;
        for (const changes of rounds) {
          for (const change of changes) {
            now++;
            const news = model.take(change, now);
            expect(take(place, sources[change.source]!, change, now) ?? news).toBe(news);
          }
          const claims = model.claims();
          for (const id of ["alice", "bob"]) {
            const own = claims.filter(({ user }) => user.id === id);
            expect(place.countOf(id)).toBe(new Set(own.map(({ session }) => session.id)).size);
            expect(place.choiceOf(id)).toEqual(newestManual(own.map(({ session }) => session)));
            const speakers = sources.filter((_, i) => model.live.get(i)?.claim.user.id === id);
            expect(new Set(place.keysOf(id))).toEqual(new Set(speakers));
          }
          expect(sources.map((at) => place.reportOf(at)?.claim.user.id)).toEqual(
            sources.map((_, i) => model.live.get(i)?.claim.user.id),
          );
          expect(place.empty).toBe(model.live.size === 0);

          const before = new Map(place.users);
          const events = place.flush(now);
          const expected = ["alice", "bob"]
            .map((id) =>
              userOf(
                id,
                claims.filter(({ user }) => user.id === id),
              ),
            )
            .filter(({ status }) => status !== "offline");
          expect([...place.users.keys()].toSorted()).toEqual(expected.map(({ id }) => id));
          for (const user of expected) {
            const view = place.users.get(user.id)!;
            expect({ ...view, lastSeen: 0 }).toEqual({ ...user, lastSeen: 0 });
            expect(view === before.get(user.id)).toBe(equal(view, before.get(user.id)));
          }
          const came = expected.filter(({ id }) => !before.has(id)).map(({ id }) => `join ${id}`);
          const left = [...before.keys()].filter((id) => !place.users.has(id)).map((id) => `leave ${id}`);
          expect(types(events.filter(({ type }) => type !== "update")).toSorted()).toEqual(
            [...came, ...left].toSorted(),
          );
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Returns whether it was news, where that is said. */
function take(
  place: Sessions<object>,
  source: object,
  change: { readonly report: Report } | { readonly lostAt: number },
  now: number,
): boolean | undefined {
  if ("report" in change) return place.set(source, change.report, now);
  place.delete(source, change.lostAt, now);
  return undefined;
}

/** The same from scratch: the list of live reports, the newest last, and nothing but the times remembered. */
class Model {
  readonly live = new Map<number, Report>();
  readonly #times = new Map<string, { status: AutoStatus; since: number }>();

  /** Returns whether it was news. */
  take(change: { source: number; report?: Report; lostAt?: number }, now: number): boolean {
    const { source, report: said } = change;
    const known = this.live.get(source);
    if (said !== undefined && equal(known, said)) return false;
    // what the relay notices about a connection does not make it the one that spoke last
    if (said === undefined || !equal(known?.claim, said.claim)) this.live.delete(source);
    // a connection that takes another session leaves its old one first
    if (said !== undefined && known !== undefined && keyOf(known) !== keyOf(said)) this.#keepTime(now);
    if (said !== undefined) this.live.set(source, said);
    this.#keepTime(now);
    return true;
  }

  claims(): Claim[] {
    return [...this.#sessions()].map(([key, reports]) => {
      const newest = reports.at(-1)!;
      const { id } = newest.claim.session;
      const named = reports.filter(({ claim: { session } }) => session.device !== "unknown").at(-1) ?? newest;
      const meta = reports.filter(({ room }) => room === null).at(-1) ?? newest;
      const rooms = new Set(reports.flatMap(({ room }) => room ?? []));
      return {
        user: newest.claim.user,
        session: {
          id,
          ...this.#times.get(key)!,
          manual: newestManual(reports.map(({ claim: { session } }) => session)),
          device: named.claim.session.device,
          meta: meta.claim.session.meta,
          rooms: [...rooms].toSorted(),
          reconnecting: reports.every(({ connected }) => !connected),
          clientId: null,
        },
      };
    });
  }

  #sessions(): Map<string, Report[]> {
    const sessions = new Map<string, Report[]>();
    for (const one of this.live.values()) sessions.set(keyOf(one), [...(sessions.get(keyOf(one)) ?? []), one]);
    return sessions;
  }

  #keepTime(now: number): void {
    const sessions = this.#sessions();
    for (const key of this.#times.keys()) if (!sessions.has(key)) this.#times.delete(key);
    for (const [key, reports] of sessions) {
      const said = reports.at(-1)!.claim.session.status;
      const before = this.#times.get(key);
      const connected = reports.filter((each) => each.connected);
      let status = connected.every(({ silent }) => silent) ? "away" : said;
      if (connected.length === 0) status = before?.status ?? said;
      if (status !== before?.status) this.#times.set(key, { status, since: now });
    }
  }
}

function keyOf({ claim: { user, session } }: Report): string {
  return JSON.stringify([user.id, session.id]);
}
