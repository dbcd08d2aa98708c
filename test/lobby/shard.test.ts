import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { Sessions, type ShardPolicy, type Report, Shard } from "../../src/lobby/index.ts";
import { type JsonObject, type User, departed, isGuest, userOf } from "../../src/presence/index.ts";
import { type ShardUser, readShardUser, shardsOf } from "../../src/lobby/layout.ts";
import { anyClaim, anySession } from "../presence/claims.ts";
import { thoroughly } from "../thorough.ts";
import { report } from "./reports.ts";

const DAY = 24 * 3_600_000;
const REMEMBER: ShardPolicy = { recentTtl: DAY, recentMax: 1_000, lobbyRooms: true };
const FORGET: ShardPolicy = { recentTtl: DAY, recentMax: 0, lobbyRooms: true };

/** A lobby as its relay has it and, unless that takes too long, a reader that has heard all that was written. */
class Place {
  readonly sessions = new Sessions("@lobby");
  readonly shard: Shard;
  readonly reader = new Y.Doc();
  /** Updates that readers were sent, and their bytes. */
  updates = 0;
  sent = 0;

  constructor(policy: ShardPolicy = REMEMBER, { followed = true } = {}) {
    this.shard = new Shard("shard1", policy);
    this.shard.open([], 0);
    if (!followed) return;
    Y.applyUpdate(this.reader, Y.encodeStateAsUpdate(this.shard.doc));
    this.shard.doc.on("update", (update: Uint8Array) => {
      this.updates++;
      this.sent += update.length;
      Y.applyUpdate(this.reader, update);
    });
  }

  /** One tick of the lobby. */
  tick(now: number): void {
    this.shard.write(this.sessions.flush(now), now, now);
  }

  get bytes(): Uint8Array {
    return Y.encodeStateAsUpdate(this.shard.doc);
  }
}

/** A reader that comes late. */
function late(bytes: Uint8Array): Y.Doc {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, bytes);
  return doc;
}

function read(doc: Y.Doc, shard = "shard1"): Map<string, ShardUser> {
  const users = shardsOf(doc).get(shard);
  return new Map([...(users?.entries() ?? [])].map(([id, value]) => [id, readShardUser(id, value)]));
}

/** The users whose sessions a document holds, as a reader makes them of it. */
function presentIn(doc: Y.Doc): Map<string, unknown> {
  const users = [...read(doc)].filter(([, { claims }]) => claims.length > 0);
  return new Map(users.map(([id, { claims }]) => [id, { ...userOf(id, claims), lastSeen: 0 }]));
}

function present(users: ReadonlyMap<string, User>): Map<string, unknown> {
  return new Map([...users].map(([id, user]) => [id, { ...user, lastSeen: 0 }]));
}

describe("what is written", () => {
  it("[LOBBY-1] is each user under their id, with their sessions as they are", () => {
    const place = new Place();
    const info = { name: "Alice", color: "#30bced", avatar: "a.png" };
    const manual = { status: "dnd", at: 5 } as const;
    place.sessions.set({}, report("alice", "s1", "room", { since: 7, manual, meta: { page: 1 } }, { info }), 10);
    place.sessions.set({}, report("alice", "s2", null, { device: "unknown" }, { connected: false, info }), 11);
    place.tick(20);
    expect(shardsOf(place.reader).toJSON()).toEqual({
      shard1: {
        alice: {
          user: info,
          sessions: {
            s1: { status: "online", manual, device: "desktop", since: 10, rooms: ["room"], meta: { page: 1 } },
            s2: { status: "online", device: "unknown", since: 11, rooms: [], meta: {}, reconnecting: true },
          },
          lastSeen: 20,
        },
      },
    });
    expect(presentIn(place.reader)).toEqual(present(place.sessions.users));
  });

  it("[LOBBY-1] is not those who are invisible", () => {
    const place = new Place();
    place.sessions.set({}, report("alice", "s1", null, { manual: { status: "invisible", at: 5 } }), 10);
    place.tick(20);
    expect([read(place.reader).size, place.updates]).toEqual([0, 0]);
  });

  it("[STATE-3] is whatever else a user has beside a session named __proto__, which is no name to lib0", () => {
    const place = new Place();
    for (const id of ["__proto__", "s2"]) place.sessions.set({}, report("alice", id), 10);
    place.sessions.set({}, report("__proto__", "s3"), 10);
    place.tick(20);
    const sessions = [...read(place.reader).values()].flatMap(({ claims }) => claims.map(({ session }) => session.id));
    expect(sessions).toEqual(["s2", "s3"]);
  });

  it("[LOBBY-5] is one update for each tick in which something changed, and none where nothing did", () => {
    const place = new Place();
    const [tab, phone] = [{ tab: 1 }, { phone: 1 }];
    place.sessions.set(tab, report("alice", "s1"), 10);
    place.sessions.set(phone, report("alice", "s2"), 10);
    place.sessions.set({}, report("bob", "s3"), 10);
    place.tick(20);
    expect(place.updates).toBe(1);
    const [alice, bob] = ["alice", "bob"].map((id) => shardsOf(place.reader).get("shard1")?.get(id));
    place.tick(30);
    place.sessions.set(tab, report("alice", "s1"), 35);
    place.sessions.set(phone, report("alice", "s2", "room", { status: "away" }), 35);
    place.sessions.set(phone, report("alice", "s2", "room", { meta: { page: 2 } }), 36);
    place.sessions.set(phone, report("alice", "s2"), 37);
    place.tick(40);
    place.shard.write([], 50, 50);
    // away and back leaves a newer time, so that one user is written
    expect(place.updates).toBe(2);
    expect(shardsOf(place.reader).get("shard1")?.get("alice")).not.toBe(alice);
    expect(shardsOf(place.reader).get("shard1")?.get("bob")).toBe(bob);
  });
});

describe("those who left", () => {
  const leave = (place: Place, id: string, lastSeen: number, now: number): void => {
    const tab = {};
    place.sessions.set(tab, report(id, `s_${id}`, "room", {}, { info: { name: id } }), now);
    place.tick(now);
    place.sessions.delete(tab, lastSeen, now);
    place.tick(now);
  };

  it("[LOBBY-7] are remembered without sessions, as last seen when they were alive; guests are not", () => {
    const place = new Place();
    leave(place, "alice", 1_500, 2_000);
    leave(place, "guest:1", 1_500, 2_000);
    expect(shardsOf(place.reader).toJSON()).toEqual({
      shard1: { alice: { user: { name: "alice" }, sessions: {}, lastSeen: 1_500 } },
    });
    expect(place.shard.recent).toBe(1);
  });

  it("[TIME-6] are dated anew when the clock is set back, and not when it is set forward", () => {
    const place = new Place();
    const hour = 3_600_000;
    const lastSeen = (id: string): number | undefined => read(place.reader).get(id)?.lastSeen;
    leave(place, "alice", 1_500, 2_000);
    // the clock is set an hour ahead, and Bob leaves
    const tab = {};
    place.sessions.set(tab, report("bob", "s_bob", "room", {}, { info: { name: "bob" } }), hour + 3_000);
    place.shard.write(place.sessions.flush(hour + 3_000), 3_000, hour + 3_000);
    place.sessions.delete(tab, hour + 4_000, hour + 5_000);
    place.shard.write(place.sessions.flush(hour + 5_000), 5_000, hour + 5_000);
    expect([lastSeen("alice"), lastSeen("bob")]).toEqual([1_500, hour + 4_000]);
    // it is set back, and nothing happens in the lobby but that the relay looks after it from time to time
    place.shard.write([], 9_000, 9_000);
    expect([lastSeen("alice"), lastSeen("bob")]).toEqual([1_500, 5_000]);
    expect(place.shard.leaver("bob", 9_000)?.lastSeen).toBe(5_000);
    const told = place.updates;
    place.shard.write([], 10_000, 10_000);
    expect(place.updates).toBe(told);
  });

  it("[RUN-4] are known by their id, for as long as they are remembered", () => {
    const place = new Place();
    leave(place, "alice", 1_500, 2_000);
    leave(place, "guest:1", 1_500, 2_000);
    const known = place.shard.leaver("alice", 2_000 + DAY - 1);
    expect(known).toMatchObject({ id: "alice", name: "alice", status: "offline", sessions: [], lastSeen: 1_500 });
    expect(place.shard.leaver("alice", 2_000 + DAY)).toBeUndefined();
    expect([place.shard.leaver("guest:1", 2_001), place.shard.leaver("bob", 2_001)]).toEqual([undefined, undefined]);
  });

  it("[LOBBY-7] are remembered for a day", () => {
    const place = new Place();
    leave(place, "alice", 1_000, 2_000);
    leave(place, "bob", 5_000, 6_000);
    // from when it was noticed, so that those who left first are forgotten first
    place.shard.write([], 2_000 + DAY - 1, 2_000 + DAY - 1);
    expect([...read(place.reader).keys()]).toEqual(["alice", "bob"]);
    place.shard.write([], 2_000 + DAY, 2_000 + DAY);
    expect([...read(place.reader).keys()]).toEqual(["bob"]);
    place.tick(6_000 + DAY);
    expect([read(place.reader).size, place.shard.recent]).toEqual([0, 0]);
  });

  it("[LOBBY-7] are remembered up to the given number, the last to leave", () => {
    const place = new Place({ ...REMEMBER, recentMax: 2, lobbyRooms: true });
    for (const [i, id] of ["alice", "bob", "carol", "alice", "dave"].entries()) leave(place, id, 1_000 + i, 1_000 + i);
    expect([...read(place.reader).keys()].toSorted()).toEqual(["alice", "dave"]);
    const none = new Place(FORGET);
    leave(none, "alice", 1_000, 1_000);
    expect(read(none.reader).size).toBe(0);
  });

  it("[LOBBY-7] are here again when they come back, and not forgotten by the clock of their last leave", () => {
    const place = new Place();
    leave(place, "alice", 1_000, 1_000);
    place.sessions.set({}, report("alice", "s1"), 2_000);
    place.tick(2_000);
    expect(place.shard.recent).toBe(0);
    place.shard.write([], 1_000 + 2 * DAY, 1_000 + 2 * DAY);
    expect([...presentIn(place.reader).keys()]).toEqual(["alice"]);
  });
});

it("[LOBBY-1] [LOBBY-5] [LOBBY-7] any readers, early or late, have who is present and who left lately, and nobody else", () => {
  const ids = fc.constantFrom("alice", "bob", "carol", "guest:1", "__proto__");
  const anyChange = fc.record({
    source: fc.integer({ min: 0, max: 4 }),
    said: fc.option(anyClaim(ids, anySession(fc.constantFrom("s1", "s2"))), { freq: 3 }),
    connected: fc.boolean(),
  });
  const rounds = fc.array(fc.array(anyChange, { maxLength: 4 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(rounds, fc.integer({ min: 0, max: 2 }), fc.nat(), (ticks, recentMax, n) => {
      const place = new Place({ recentTtl: 20_000, recentMax, lobbyRooms: true });
      // one that nobody reads before a while has passed
      const unread = new Shard("shard1", { recentTtl: 20_000, recentMax, lobbyRooms: true });
      const openedAt = n % ticks.length;
      const sources = Array.from({ length: 5 }, (_, i) => ({ i }));
      const left = new Map<string, number>();
      for (const [i, changes] of ticks.entries()) {
        const now = (i + 1) * 1_000;
        for (const { source, said, connected } of changes) {
          const at = sources[source]!;
          if (said === null) place.sessions.delete(at, now - 500, now);
          else place.sessions.set(at, { room: "room", claim: said, connected, silent: false, bytes: 100 }, now);
        }
        const events = place.sessions.flush(now);
        place.shard.write(events, now, now);
        unread.write(events, now, now);
        if (i >= openedAt) unread.open(place.sessions.users.values(), now);
        expect(shardsOf(unread.doc).size).toBe(i < openedAt ? 0 : 1);
        for (const { type, userId, user } of events) {
          left.delete(userId);
          if (type === "leave" && !isGuest(userId)) left.set(userId, user.lastSeen);
        }
        const remembered = [...left].slice(Math.max(0, left.size - recentMax));
        const recent = new Map(remembered.filter(([, lastSeen]) => lastSeen > now - 20_000));
        for (const id of left.keys()) if (!recent.has(id)) left.delete(id);
        const docs = [place.reader, late(place.bytes), ...(i < openedAt ? [] : [unread.doc])];
        for (const doc of docs) {
          expect(presentIn(doc)).toEqual(present(place.sessions.users));
          const gone = [...read(doc)].filter(([, { claims }]) => claims.length === 0);
          expect(new Map(gone.map(([id, { lastSeen }]) => [id, lastSeen]))).toEqual(recent);
        }
        expect([place.shard.recent, unread.recent]).toEqual([recent.size, recent.size]);
      }
    }),
    { numRuns: 60 },
  );
});

describe("the size of the document", () => {
  /** One of a crowd. Written out, not built up: a million are made. */
  const who = (i: number, page = 0): Report => ({
    room: "room",
    claim: {
      user: { id: `u_${i}`, name: `User ${i}`, color: "#30bced" },
      session: {
        id: `s_${i}_9fK2mQ7x`,
        status: "online",
        manual: null,
        device: "desktop",
        since: 0,
        meta: { page },
        rooms: ["room"],
        reconnecting: false,
        clientId: i,
      },
    },
    connected: true,
    bytes: 100,
    silent: false,
  });

  /** They come one after the other; each leaves when `atOnce` others have come. Returns those who are left. */
  function comeAndGo(place: Place, users: number, atOnce: number): object[] {
    const here: object[] = [];
    for (let i = 0; i < users; i++) {
      const tab = { i };
      place.sessions.set(tab, who(i), i);
      here.push(tab);
      if (here.length > atOnce) place.sessions.delete(here.shift()!, i, i);
      if (i % 50 === 0) place.tick(i);
    }
    place.tick(users);
    return here;
  }

  /** They change what they are doing, one after the other and some times in a row each. */
  function change(place: Place, tabs: readonly object[], changes: number, inARow: number, perTick: number): void {
    const first = Number(place.sessions.reportOf(tabs[0]!)?.claim.user.id?.slice(2));
    for (let i = 1; i <= changes; i++) {
      const tab = Math.floor(i / inARow) % tabs.length;
      if (!place.sessions.set(tabs[tab]!, who(first + tab, i), i)) throw new Error("no change");
      if (i % perTick === 0) place.tick(i);
    }
    place.tick(changes);
  }

  const here = ({ claims }: ShardUser): boolean => claims.length > 0;
  const anybody = (): boolean => true;

  /** The size of a document to that of the JSON of those in it who count. */
  function ratio(doc: Y.Doc, counts: (user: ShardUser) => boolean): number {
    const values = shardsOf(doc).get("shard1")!;
    const counted = [...read(doc)].filter(([, user]) => counts(user)).map(([id]) => [id, values.get(id)]);
    return Y.encodeStateAsUpdate(doc).length / JSON.stringify(Object.fromEntries(counted)).length;
  }

  const MANY = thoroughly(200_000, 1_000_000);
  const lobbies: [what: string, policy: ShardPolicy, changes: number, remembered: number][] = [
    [`as many as by default are remembered, and ${MANY} changes`, REMEMBER, MANY, 1_000],
    ["nobody is remembered, and a hundred thousand changes", FORGET, 100_000, 0],
  ];
  it.each(lobbies)(
    "[LOBBY-6] is within three times the JSON of who is present after ten thousand came and went, of whom %s",
    (_what, policy, changes, remembered) => {
      const place = new Place(policy, { followed: false });
      const tabs = comeAndGo(place, 10_000, 300);
      expect(ratio(place.shard.doc, here)).toBeLessThan(3);
      change(place, tabs, changes, 5, 50);

      const reader = late(place.bytes);
      expect(presentIn(reader)).toEqual(present(place.sessions.users));
      expect(read(reader).size).toBe(300 + remembered);
      for (const doc of [place.shard.doc, reader]) {
        expect(ratio(doc, here)).toBeLessThan(3);
        expect(ratio(doc, anybody)).toBeLessThan(1.5);
      }
    },
    120_000,
  );

  it("[LOBBY-6] is within three times the JSON of who is present however long a few are, for those who follow too", () => {
    const place = new Place(FORGET);
    // sits still all the while
    place.sessions.set({}, report("alice", "s1"), 0);
    const tabs = comeAndGo(place, 1_000, 10);
    change(place, tabs, 40_000, 1, 5);
    expect(presentIn(place.reader)).toEqual(present(place.sessions.users));
    for (const doc of [place.shard.doc, place.reader, late(place.bytes)]) {
      expect(read(doc).size).toBe(11);
      expect(ratio(doc, here)).toBeLessThan(3);
    }
  });

  it("[LOBBY-5] is kept small without sending everybody again and again: twice what changed at most", () => {
    const place = new Place(FORGET);
    const tabs = comeAndGo(place, 300, 300);
    const user = place.bytes.length / 300;
    const before = place.sent;
    change(place, tabs, 5_000, 1, 50);
    expect((place.sent - before) / (5_000 * user)).toBeLessThan(2);
  });
});

it("[LOBBY-21] those who left take no more memory than there is, over all lobbies: the longest gone are forgotten first", () => {
  let left = 3_000;
  const memory = {
    reserve(bytes: number): boolean {
      if (bytes > left) return false;
      left -= bytes;
      return true;
    },
    release: (bytes: number): void => void (left += bytes),
  };
  const limits = { recentTtl: 20_000, recentMax: 1_000, lobbyRooms: true };
  const [one, other] = [new Shard("one", limits, memory), new Shard("other", limits, memory)];
  const leave = (shard: Shard, id: string, name = "x"): readonly string[] => {
    const user = departed<JsonObject>({ id, name }, 1_000);
    const event = {
      type: "leave",
      userId: id,
      status: "offline",
      metadata: {},
      roomId: "@lobby",
      timestamp: 1_000,
    } as const;
    return shard.write([{ ...event, user }], 1_000, 1_000);
  };
  expect(["alice", "bob", "carol", "dave"].flatMap((id) => leave(one, id))).toEqual([]);
  // there is room for one more, and then only in the place of others
  expect(leave(other, "erin")).toEqual([]);
  expect(leave(one, "frank")).toEqual(["alice"]);
  expect(leave(other, "grace", "x".repeat(250))).toEqual(["erin", "grace"]);
  expect(leave(one, "grace", "x".repeat(250))).toEqual(["bob"]);
  expect([one.leaver("frank", 1_000)?.id, one.leaver("grace", 1_000)?.id, one.leaver("bob", 1_000)]).toEqual([
    "frank",
    "grace",
    undefined,
  ]);
  one.destroy();
  other.destroy();
  expect(left).toBe(3_000);
});
