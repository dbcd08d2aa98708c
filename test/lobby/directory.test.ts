import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { Directory, type LobbyUser, Shard, Union, shardsOf, usersOf } from "../../src/lobby/index.ts";
import type { ManualStatus, PresenceEvent, User } from "../../src/presence/index.ts";
import { report, types } from "./reports.ts";

const policy = { recentTtl: 60_000, recentMax: 10, lobbyRooms: true };

/** A relay's part of a lobby: what its connections say, its shard, and what it was told of other relays. */
class Relay {
  readonly directory = new Directory<object>("@lobby");
  readonly shard: Shard;
  readonly id: string;

  constructor(id: string) {
    this.id = id;
    this.shard = new Shard(id, policy);
    this.shard.open([], 0);
  }

  flush(now: number): readonly PresenceEvent[] {
    const events = this.directory.flush(now, now);
    this.shard.write(this.directory.ownEvents, now, now);
    return events;
  }

  /** Whom its shard names. */
  get written(): Record<string, LobbyUser> {
    return shardsOf(this.shard.doc).get(this.id)?.toJSON() ?? {};
  }

  imports(other: Relay, now: number) {
    return this.directory.importShard(other.id, shardsOf(other.shard.doc).get(other.id)!.entries(), now);
  }
}

const chose = (status: ManualStatus | null, at: number) => ({ manual: { status, at } });

/** A user with sessions, as another relay's shard holds them. */
function entry(sessions: Record<string, Partial<LobbyUser["sessions"][string]>>, lastSeen = 0): LobbyUser {
  const whole = Object.entries(sessions).map(([id, session]): [string, LobbyUser["sessions"][string]] => [
    id,
    { status: "online", device: "mobile", since: 0, rooms: [], meta: {}, ...session },
  ]);
  return { user: { name: "Alice" }, sessions: Object.fromEntries(whole), lastSeen };
}

describe("a user of whom it is not known yet what they chose elsewhere", () => {
  it("[LOBBY-22] is shown to nobody while withheld, and comes when revealed", () => {
    const { directory } = new Relay("here");
    const key = {};
    expect(directory.isStranger("alice")).toBe(true);
    directory.withhold("alice");
    // those who see the connection already, as that of another relay, go on to see it
    expect(directory.report(key, report("alice", "s1", "atrium"), 10).visibility).toEqual([]);
    expect(directory.isStranger("alice")).toBe(false);
    expect(types(directory.flush(20, 20))).toEqual([]);
    // the first that another relay says of anybody
    directory.importShard("there", [["bob", entry({ s2: {} })]], 30);
    expect(types(directory.flush(40, 40))).toEqual(["join bob"]);
    expect([...directory.users.keys()]).toEqual(["bob"]);
    expect([...directory.ownUsers.keys()]).toEqual([]);
    expect(directory.reveal(["alice", "carol"])).toEqual({ visibility: [[key, true]], choices: [], isNews: true });
    expect(types(directory.flush(50, 50))).toEqual(["join alice"]);
    expect(types(directory.ownEvents)).toEqual(["join alice"]);
  });

  it("[LOBBY-22] is never shown who turns out to be invisible, or leaves before", () => {
    const directory = new Directory<object>("@lobby", 10);
    const [hers, his] = [{}, {}];
    for (const [key, id] of [
      [hers, "alice"],
      [his, "bob"],
    ] as const) {
      directory.withhold(id);
      directory.report(key, report(id, `s_${id}`, null), 10);
    }
    const remembered = directory.remember("alice", { status: "invisible", at: 5 }, 20);
    expect(remembered.visibility).toEqual([[hers, false]]);
    expect(remembered.choices).toEqual([[hers, { status: "invisible", at: 5 }]]);
    directory.withdraw(his, 20, 20);
    expect(directory.reveal(["alice", "bob"]).visibility).toEqual([[hers, false]]);
    expect(directory.flush(30, 30)).toEqual([]);
    directory.report(hers, report("alice", "s_alice", null, chose(null, 40)), 40);
    expect(types(directory.flush(50, 50))).toEqual(["join alice"]);
  });

  it("[LOBBY-22] is hidden where the connection was another user's until now", () => {
    const directory = new Directory<object>("@lobby");
    const key = {};
    expect(directory.report(key, report("alice", "s1", null), 10).visibility).toEqual([[key, true]]);
    directory.withhold("bob");
    expect(directory.report(key, report("bob", "s1", null), 20).visibility).toEqual([[key, false]]);
    expect(directory.reveal(["bob"]).visibility).toEqual([[key, true]]);
  });
});

describe("people of another relay", () => {
  it("[LOBBY-13] Alice, who is with another relay alone, comes when its shard names her and leaves when it says so", () => {
    const { directory } = new Relay("here");
    const effects = directory.importShard("there", [["alice", entry({ s1: { rooms: ["atrium"] } })]], 10);
    expect(effects).toEqual({ visibility: [], choices: [], isNews: true });
    expect(types(directory.flush(20, 20))).toEqual(["join alice"]);
    expect(directory.users.get("alice")).toMatchObject({ name: "Alice", rooms: ["atrium"], devices: ["mobile"] });
    directory.importShard("there", [["alice", entry({}, 25)]], 30);
    const events = directory.flush(40, 40);
    expect(types(events)).toEqual(["leave alice"]);
    expect(events[0]?.user.lastSeen).toBe(25);
  });

  it("[LOBBY-13] [LOBBY-20] is told of some people of a shard, and leaves the others as they are", () => {
    const { directory } = new Relay("here");
    directory.importShard(
      "there",
      [
        ["alice", entry({ s1: {} })],
        ["bob", entry({ s2: {} })],
      ],
      10,
    );
    directory.flush(20, 20);
    directory.importUsers(
      "there",
      [
        ["alice", entry({ s1: { status: "away" } })],
        ["carol", entry({ s3: {} })],
      ],
      30,
    );
    expect(types(directory.flush(40, 40))).toEqual(["update alice", "join carol"]);
    expect(directory.importUsers("there", [["nobody", null]], 50).isNews).toBe(false);
    directory.importUsers("there", [["alice", null]], 60);
    const events = directory.flush(70, 70);
    expect(types(events)).toEqual(["leave alice"]);
    expect(events[0]?.user.lastSeen).toBe(60);
    expect([...directory.users.keys()].toSorted()).toEqual(["bob", "carol"]);
  });

  it("[LOBBY-13] Alice, who is here and there, is one user, and leaves once, with her last session", () => {
    const { directory } = new Relay("here");
    const tab = {};
    directory.report(tab, report("alice", "s1", "atrium"), 10);
    directory.flush(20, 20);
    const users = [["alice", entry({ s2: { rooms: ["bureau"] } })]] as const;
    directory.importShard("there", users, 30);
    expect(types(directory.flush(40, 40))).toEqual(["update alice"]);
    expect(directory.users.get("alice")).toMatchObject({
      rooms: ["atrium", "bureau"],
      sessions: [{ id: "s1" }, { id: "s2" }],
    });
    directory.withdraw(tab, 45, 50);
    expect(types(directory.flush(60, 60))).toEqual(["update alice"]);
    directory.importShard("there", [], 70);
    const events = directory.flush(80, 80);
    expect(types(events)).toEqual(["leave alice"]);
    expect(events[0]?.user.lastSeen).toBe(70);
  });

  it("[LOBBY-13] a session of Alice that is here and there is one session, in the rooms of both", () => {
    const { directory } = new Relay("here");
    directory.report({}, report("alice", "s1", "atrium", { device: "unknown" }), 10);
    directory.importShard("there", [["alice", entry({ s1: { rooms: ["bureau"] } })]], 10);
    directory.flush(20, 20);
    expect(directory.users.get("alice")?.sessions).toMatchObject([
      { id: "s1", device: "mobile", rooms: ["atrium", "bureau"] },
    ]);
  });

  it("[LOBBY-13] who is here already when the first shard comes has not come again, and what waited to be told is told", () => {
    const { directory } = new Relay("here");
    const [alice, bob] = [{}, {}];
    directory.report(alice, report("alice", "s1"), 10);
    directory.report(bob, report("bob", "s2"), 10);
    directory.flush(20, 20);
    directory.withdraw(bob, 22, 25);
    directory.report({}, report("carol", "s3"), 25);
    directory.importShard("there", [["dave", entry({ s4: {} })]], 30);
    const events = directory.flush(40, 40);
    expect(types(events)).toEqual(["leave bob", "join carol", "join dave"]);
    expect(events[0]?.user.lastSeen).toBe(22);
    expect(types(directory.ownEvents)).toEqual(["leave bob", "join carol"]);
    expect([...directory.users.keys()].toSorted()).toEqual(["alice", "carol", "dave"]);
    expect([...directory.ownUsers.keys()].toSorted()).toEqual(["alice", "carol"]);
  });

  it("[LOBBY-13] what is of the wrong shape in a shard counts as absent", () => {
    const { directory } = new Relay("here");
    const broken = [null, 1, [], { sessions: { s1: null } }] as unknown as LobbyUser[];
    directory.importShard(
      "there",
      [...broken.map((user, i) => [`u${i}`, user] as const), ["alice", entry({ s1: {} })]],
      1,
    );
    expect(types(directory.flush(2, 2))).toEqual(["join alice"]);
  });

  it("[LOBBY-13] limits of a relay count its own connections alone", () => {
    const { directory } = new Relay("here");
    directory.importShard("there", [["alice", entry({ s1: {}, s2: {} })]], 1);
    expect([directory.size, directory.has("alice"), directory.sessionCount("alice")]).toEqual([0, false, 0]);
  });

  it("[TIME-1] nobody was last seen later than now, though the other relay's clock is ahead", () => {
    const { directory } = new Relay("here");
    directory.importShard("there", [["alice", entry({ s1: {} })]], 10);
    directory.flush(20, 20);
    directory.importShard("there", [["alice", entry({}, 9_000)]], 30);
    expect(directory.flush(40, 40)[0]?.user.lastSeen).toBe(30);
  });
});

describe("another relay that is lost", () => {
  it("[LOBBY-14] takes its people along, all at once, but for those who have a session elsewhere", () => {
    const { directory } = new Relay("here");
    directory.report({}, report("alice", "s1"), 10);
    directory.importShard(
      "there",
      ["alice", "bob", "carol"].map((id) => [id, entry({ [`${id}2`]: {} })]),
      10,
    );
    directory.importShard("elsewhere", [["carol", entry({ carol3: {} })]], 10);
    directory.flush(20, 20);
    expect(directory.withdrawShard("there", 22, 30).isNews).toBe(true);
    const events = directory.flush(40, 40);
    expect(types(events)).toEqual(["update alice", "leave bob", "update carol"]);
    expect(events[1]?.user.lastSeen).toBe(22);
    expect(directory.withdrawShard("there", 22, 50).isNews).toBe(false);
  });

  it("[LOBBY-14] leaves nothing behind: who is here stays, and what they do is told once", () => {
    const { directory } = new Relay("here");
    const tab = {};
    directory.report(tab, report("alice", "s1"), 10);
    directory.importShard("there", [["alice", entry({ s2: chose("dnd", 5) })]], 10);
    directory.flush(20, 20);
    expect(directory.users.get("alice")?.status).toBe("dnd");
    directory.withdrawShard("there", 25, 30);
    expect(types(directory.flush(40, 40))).toEqual(["update alice"]);
    expect(directory.users.get("alice")?.status).toBe("online");
    expect(directory.users).toBe(directory.ownUsers);
    directory.report(tab, report("alice", "s1", "room", { meta: { page: 2 } }), 50);
    expect(types(directory.flush(60, 60))).toEqual(["update alice"]);
    directory.withdraw(tab, 65, 70);
    expect(types(directory.flush(80, 80))).toEqual(["leave alice"]);
    expect(directory.empty).toBe(true);
  });

  it("[LOBBY-14] a directory is not empty while somebody of another relay is in it, or has yet to be said to have left", () => {
    const { directory } = new Relay("here");
    directory.importShard("there", [["alice", entry({ s1: {} })]], 10);
    expect(directory.empty).toBe(false);
    directory.flush(20, 20);
    directory.withdrawShard("there", 25, 30);
    expect(directory.empty).toBe(false);
    directory.flush(40, 40);
    expect(directory.empty).toBe(true);
  });
});

describe("the own shard beside those of other relays", () => {
  it("[LOBBY-15] names only whom the own connections speak for, and only what these say", () => {
    const [here, there] = [new Relay("here"), new Relay("there")];
    const tab = {};
    here.directory.report(tab, report("alice", "s1", "atrium"), 10);
    there.directory.report({}, report("alice", "s2", "bureau", chose("dnd", 5)), 10);
    there.directory.report({}, report("bob", "s3"), 10);
    there.flush(20);
    here.imports(there, 30);
    here.flush(40);
    there.imports(here, 50);
    there.flush(60);
    expect(Object.keys(here.written)).toEqual(["alice"]);
    expect(here.written["alice"]?.sessions).toMatchObject({ s1: { rooms: ["atrium"] } });
    // two relays would keep a choice alive that they repeat to each other
    expect(here.written["alice"]?.sessions["s1"]?.manual).toBeUndefined();
    expect(Object.keys(there.written).toSorted()).toEqual(["alice", "bob"]);
    here.directory.withdraw(tab, 65, 70);
    here.flush(80);
    expect(here.written["alice"]?.sessions).toEqual({});
  });

  it("[LOBBY-15] names a session of Alice that the other relay named first, though she does not come by it", () => {
    const here = new Relay("here");
    here.directory.importShard(
      "there",
      [["alice", entry({ s1: { device: "desktop", since: 10, rooms: ["room"] } })]],
      10,
    );
    here.flush(20);
    here.directory.report({}, report("alice", "s1", "room", { since: 10 }), 10);
    here.flush(30);
    expect(Object.keys(here.written)).toEqual(["alice"]);
  });
});

describe("choices of status over several relays", () => {
  it("[LOBBY-16] the newest counts, wherever it was made, and tabs here that have not heard of it are to be told", () => {
    const { directory } = new Relay("here");
    const [tab, room] = [{ tab: 1 }, { room: 1 }];
    directory.report(tab, report("alice", "s1", null, chose("busy", 5)), 10);
    directory.report(room, report("alice", "s1", "atrium", chose("busy", 5)), 10);
    const newer = chose("dnd", 7);
    const effects = directory.importShard("there", [["alice", entry({ s2: newer })]], 20);
    expect(effects.choices).toEqual([[tab, newer.manual]]);
    directory.flush(30, 30);
    expect(directory.users.get("alice")?.status).toBe("dnd");
    // one that comes later, too
    const late = { late: 1 };
    expect(directory.report(late, report("alice", "s3", null), 35).choices).toEqual([[late, newer.manual]]);
    // an older one is not told
    expect(directory.importShard("there", [["alice", entry({ s2: chose("away", 4) })]], 40).choices).toEqual([]);
    directory.flush(50, 50);
    expect(directory.users.get("alice")?.status).toBe("busy");
  });

  it("[LOBBY-17] Alice, who turned invisible there, is hidden here: her connections, in the shard, and from the roster", () => {
    const here = new Relay("here");
    const tab = {};
    here.directory.report(tab, report("alice", "s1"), 10);
    here.flush(20);
    const effects = here.directory.importShard("there", [["alice", entry({ s2: chose("invisible", 25) })]], 30);
    expect(effects.visibility).toEqual([[tab, false]]);
    expect(types(here.flush(40))).toEqual(["leave alice"]);
    expect(here.written["alice"]?.sessions).toEqual({});
    // a connection that comes later is hidden from the beginning
    const phone = {};
    expect(here.directory.report(phone, report("alice", "s3"), 50).visibility).toEqual([[phone, false]]);
    expect(here.flush(60)).toEqual([]);
    expect(here.written["alice"]?.sessions).toEqual({});
    // until she chooses anew
    const cleared = here.directory.importShard("there", [["alice", entry({ s2: chose(null, 65) })]], 70);
    expect(cleared.visibility).toEqual([
      [tab, true],
      [phone, true],
    ]);
    expect(types(here.flush(80))).toEqual(["join alice"]);
    expect(Object.keys(here.written["alice"]?.sessions ?? {}).toSorted()).toEqual(["s1", "s3"]);
  });

  it("[LOBBY-17] Alice, who turned invisible here, is not shown by what another relay still says of her", () => {
    const here = new Relay("here");
    here.directory.importShard("there", [["alice", entry({ s2: {} })]], 10);
    here.flush(20);
    const tab = {};
    const hidden = here.directory.report(tab, report("alice", "s1", null, chose("invisible", 25)), 30);
    expect(new Map(hidden.visibility)).toEqual(new Map([[tab, false]]));
    expect(types(here.flush(40))).toEqual(["leave alice"]);
    // and is shown again by a newer choice there, before her tab here has heard of it
    const effects = here.directory.importShard("there", [["alice", entry({ s2: chose("busy", 45) })]], 50);
    expect(effects).toMatchObject({ visibility: [[tab, true]], choices: [[tab, { status: "busy" }]] });
    here.flush(60);
    expect(here.directory.users.get("alice")?.status).toBe("busy");
    expect(here.written["alice"]?.sessions["s1"]?.manual).toEqual({ status: "busy", at: 45 });
  });
});

/** What can be compared of users: the time of the last flush is no part of them. */
function shown(users: Iterable<User>): unknown {
  const each = [...users].map(({ id, status, rooms, sessions }) => ({ id, status, rooms, sessions: sessions.length }));
  return each.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

it("[LOBBY-13] [LOBBY-14] [LOBBY-15] two relays that tell each other show the same people as a reader of both shards, and events lead there", () => {
  const userIds = fc.constantFrom("alice", "bob", "carol");
  const anyStatus = fc.constantFrom<ManualStatus | null>(null, "dnd", "busy");
  const anyStep = fc.oneof(
    fc.record({
      type: fc.constant("report" as const),
      relay: fc.nat(1),
      key: fc.nat(3),
      userId: userIds,
      session: fc.constantFrom("s1", "s2"),
      room: fc.constantFrom("atrium", "bureau", null),
      status: fc.option(anyStatus, { nil: undefined, freq: 3 }),
    }),
    fc.record({ type: fc.constant("withdraw" as const), relay: fc.nat(1), key: fc.nat(3) }),
    fc.record({ type: fc.constant("lose" as const), relay: fc.nat(1) }),
    fc.record({ type: fc.constant("flush" as const), relay: fc.nat(1) }),
  );
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
      const relays = [new Relay("a"), new Relay("b")] as const;
      const keys = Array.from({ length: 4 }, (_, i) => ({ i }));
      const rosters = [new Set<string>(), new Set<string>()] as const;
      const flush = (i: number, now: number): void => {
        for (const { type, userId } of relays[i]!.flush(now)) {
          // joins and leaves alternate
          expect(rosters[i]!.has(userId)).toBe(type !== "join");
          if (type === "leave") rosters[i]!.delete(userId);
          else rosters[i]!.add(userId);
        }
        expect([...rosters[i]!].toSorted()).toEqual([...relays[i]!.directory.users.keys()].toSorted());
      };
      let now = 0;
      for (const step of steps) {
        now += 10;
        const { directory } = relays[step.relay]!;
        const other = relays[1 - step.relay]!;
        if (step.type === "report") {
          const { key, userId, session, room, status } = step;
          const fields = status === undefined ? {} : chose(status, now);
          directory.report(keys[key]!, report(userId, session, room, fields), now);
        } else if (step.type === "withdraw") directory.withdraw(keys[step.key]!, now, now);
        else if (step.type === "lose") directory.withdrawShard(other.id, now, now);
        else {
          flush(step.relay, now);
          other.imports(relays[step.relay]!, now);
        }
      }
      for (const i of [0, 1]) flush(i, now + 10);
      for (const i of [0, 1] as const) relays[i].imports(relays[1 - i]!, now + 20);
      for (const i of [0, 1]) flush(i, now + 30);
      const doc = new Y.Doc();
      for (const { shard } of relays) Y.applyUpdate(doc, Y.encodeStateAsUpdate(shard.doc));
      const union = new Union(doc);
      union.vouch(relays.map(({ id }) => ({ copresence: { relay: { shard: id, startedAt: 0 } } })));
      for (const { directory } of relays) expect(shown(directory.users.values())).toEqual(shown(usersOf(union)));
      // what is lost is gone, and each shows its own again
      for (const i of [0, 1]) relays[i]!.directory.withdrawShard(relays[1 - i]!.id, now, now + 40);
      for (const i of [0, 1]) flush(i, now + 50);
      for (const { directory } of relays) {
        expect(directory.users).toBe(directory.ownUsers);
        expect(shown(directory.users.values())).toEqual(shown(directory.ownUsers.values()));
      }
    }),
    { numRuns: 300 },
  );
});
