import { describe, expect, it } from "vitest";
import {
  type Author,
  type Change,
  type Kind,
  type PresentEntry,
  Register,
  type RegisterLimits,
  type Stamp,
} from "../../src/awareness/index.ts";
import { isStockSession } from "../../src/presence/index.ts";
import { Close, type Entry as SaidEntry, FrameError, StateBytes, fieldsOf } from "../../src/wire/index.ts";
import { type Said, stateOf } from "../relay/raw.ts";

interface TestAuthor extends Author {
  readonly name: string;
}

const entryOf = ([id, clock, state]: Said): SaidEntry => ({
  id,
  clock,
  state: state === null ? null : new TextEncoder().encode(JSON.stringify(state)),
});

const nameOf = (author: Author | null): string => (author as TestAuthor | null)?.name ?? "nobody";

/** A change as a line of text; an entry that entered also says its state. */
function told(change: Change): string[] {
  switch (change.type) {
    case "entered":
      return [`${change.entry.id} of ${nameOf(change.entry.owner)}`, stateIn(change.entry)];
    case "claimed":
    case "renamed":
      return [`${change.entry.id} of ${nameOf(change.entry.owner)}`];
    case "changed":
      return [stateIn(change.entry)];
    case "left":
      return [`${change.entry.id} removed`];
    case "superseded":
      return [`${nameOf(change.author)} superseded as ${change.session}`];
    case "returned":
      return [`${nameOf(change.author)} returned`];
    case "taken":
      return [`${nameOf(change.author)} told that ${change.id} is taken`];
  }
}

function stateIn({ id, publishedState }: PresentEntry): string {
  return `${id} says ${new TextDecoder().decode(publishedState.whole)}`;
}

/** A register whose observers are sent clocks that are a thousand above the authors'. */
function setup(room = "doc", limits: Partial<RegisterLimits> = {}) {
  const register = new Register(room, { maxState: 200, maxStates: 3, maxMeta: 50, ...limits }, (_, __, sessions) => {
    if (sessions.has("one too many")) throw new FrameError("the lobby is full", Close.overloaded);
  });
  let now = 0;
  const send = (entry: PresentEntry): void => {
    const { id, clock } = entry;
    const none = { shown: true, sentAt: 0, pending: null, native: null };
    entry.publication = { id, entry, isElsewhere: false, clock: clock + 1_000, ...none };
  };
  return {
    register,
    connect: (
      name: string,
      given: { kind?: Kind; lobby?: string; answered?: boolean; user?: Stamp } = {},
    ): TestAuthor => {
      const { kind = "stock", lobby = "@lobby", answered = true, user = null } = given;
      const author: TestAuthor = {
        name,
        kind,
        echoing: "after its answer",
        silent: false,
        address: "here",
        access: { lobby, user },
      };
      if (answered) register.answered(author);
      return author;
    },
    /** Says something, and returns what that brought about. */
    say: (author: Author, ...said: readonly Said[]): string[] => {
      now++;
      const changes = register.apply(author, said.map(entryOf), { now, date: now });
      for (const change of changes) if (change.type === "entered" || change.type === "changed") send(change.entry);
      return changes.flatMap(told);
    },
    orphan: (author: Author): PresentEntry[] =>
      register.orphan(author, 7).flatMap((change) => (change.type === "claimed" ? [change.entry] : [])),
    ids: (): number[] => [...register.present()].map(({ id }) => id),
    ownerOf: (id: number): string => nameOf(register.get(id)?.owner ?? null),
    at: (later: number): void => void (now = later),
  };
}

const alice = { user: { id: "alice" } };
const bob = { user: { id: "bob" } };

describe("the times of a state", () => {
  const DAY = 24 * 60 * 60 * 1_000;

  it("[STATUS-7] [TIME-4] that lie ahead of the relay's clock count as of the moment when they were first heard of", () => {
    const { register, connect, say, at } = setup("doc", { maxState: 1_000 });
    const her = connect("alice", { kind: "native" });
    const choose = (clock: number, manual: object, since: number): unknown => {
      say(her, [1, clock, stateOf("alice", "s_1", { manual, since })]);
      return register.get(1)?.claim.session;
    };
    at(10 * DAY);
    const chosen = { status: "invisible", at: 13 * DAY };
    const first = 10 * DAY + 1;
    expect(choose(1, chosen, 5 * DAY)).toMatchObject({ manual: { status: "invisible", at: first }, since: 5 * DAY });
    expect(new TextDecoder().decode(register.get(1)!.publishedState.whole)).toContain(`"at":${first}`);
    // the same choice is no newer for being said again later, with something else
    at(11 * DAY);
    expect(choose(2, chosen, 14 * DAY)).toMatchObject({ manual: { at: first }, since: 11 * DAY + 1 });
    at(12 * DAY);
    expect(choose(3, { status: null, at: 15 * DAY }, 14 * DAY)).toMatchObject({
      manual: { status: null, at: 12 * DAY + 1 },
      since: 11 * DAY + 1,
    });
    // a clock that has been put right is believed again
    expect(choose(4, { status: "dnd", at: 12 * DAY + 2 }, 6 * DAY)).toMatchObject({
      manual: { status: "dnd", at: 12 * DAY + 2 },
      since: 6 * DAY,
    });
  });

  it("[TIME-4] [ID-1] a state whose clock agrees within a second keeps its bytes", () => {
    const { connect, say, register, at } = setup("doc", { maxState: 1_000 });
    at(DAY);
    say(connect("alice", { kind: "native" }), [1, 1, stateOf("alice", "s_1", { since: DAY + 900 })]);
    const { authoredState, publishedState } = register.get(1)!;
    expect(publishedState).toBe(authoredState);
  });
});

describe("who is known", () => {
  it("[ID-1] a state keeps its bytes when it agrees, and what is known is stamped once, not at every move", () => {
    const { connect, say, register } = setup();
    const her = connect("alice", { user: { id: "alice" } });
    say(her, [1, 1, { ...alice, n: 1 }]);
    const first = register.get(1)!;
    expect(first.publishedState).toBe(first.authoredState);
    const stock = connect("bob", { user: { id: "bob", name: "Bob" } });
    expect(say(stock, [2, 1, { n: 1 }])).toEqual(["2 of bob", '2 says {"user":{"id":"bob","name":"Bob"},"n":1}']);
    const row = register.get(2)!;
    const stamped = row.publishedState.fields.get("user");
    expect(say(stock, [2, 2, { n: 2 }])).toEqual(['2 says {"user":{"id":"bob","name":"Bob"},"n":2}']);
    expect(row.publishedState.fields.get("user")).toBe(stamped);
    // another lie makes no news of who it is
    expect(say(stock, [2, 3, { n: 2, user: { id: "alice", name: "Bob" } }])).toEqual([]);
    expect(row.publishedState.fields.get("user")).toBe(stamped);
    expect(say(stock, [2, 4, { n: 2, user: { id: "alice", name: "Bob" } }])).toEqual([]);
  });

  it("[ID-2] an empty state is the known user's in a room, and nobody's in a lobby", () => {
    for (const [room, expected] of [
      ["doc", ["1 of alice", '1 says {"user":{"id":"alice"}}']],
      ["@lobby", []],
    ] as const) {
      const { connect, say } = setup(room);
      expect(say(connect("alice", { user: { id: "alice" } }), [1, 1, {}])).toEqual(expected);
    }
  });

  it("[ID-5] what a tab passes on of another, where somebody else is signed in, is theirs to say", () => {
    const { connect, say, ownerOf } = setup();
    const hers = connect("alice", { user: { id: "alice" } });
    say(hers, [1, 1, {}]);
    expect(say(hers, [2, 1, bob])).toEqual([]);
    const his = connect("bob", { user: { id: "bob" } });
    say(his, [2, 1, bob]);
    say(hers, [3, 1, alice]);
    expect([1, 2, 3].map(ownerOf)).toEqual(["alice", "bob", "alice"]);
  });

  it("[LIMIT-3] finds no place in a lobby that is full", () => {
    const { connect, say, register } = setup();
    const peer = connect("late", { user: { id: "one too many" } });
    expect(() => say(peer, [1, 1, {}])).toThrow("the lobby is full");
    const renamed = connect("renamed");
    say(renamed, [2, 1, alice]);
    expect(() => say(renamed, [2, 2, { user: { id: "one too many" } }])).toThrow("the lobby is full");
    // nothing of it is taken: she is still who she was, to everybody
    expect(register.get(2)?.claim.user.id).toBe("alice");
    expect(new TextDecoder().decode(register.get(2)!.publishedState.whole)).toBe('{"user":{"id":"alice"}}');
  });

  it("[LIMIT-3] [API-24] asks about a user who takes over an id, too, who may have been refused since", () => {
    const asked: string[] = [];
    const limits = { maxState: 200, maxStates: 3, maxMeta: 50 };
    const register = new Register("doc", limits, (_, __, sessions) => {
      for (const [user, ids] of sessions) asked.push(`${user}: ${[...ids].join(" ")}`);
    });
    const { connect } = setup();
    const [old, back] = [connect("old"), connect("back", { answered: false })];
    const at = { now: 1, date: 1 };
    register.apply(old, [entryOf([1, 1, stateOf("alice", "s_1")]), entryOf([2, 1, stateOf("alice", "s_2")])], at);
    register.orphan(old, 1);
    register.apply(back, [entryOf([1, 1, stateOf("alice", "s_1")])], at);
    expect(asked).toEqual(["alice: s_1 s_2", "alice: s_1"]);
    // what is said again is no news
    register.apply(back, [entryOf([1, 2, stateOf("alice", "s_1")])], at);
    register.apply(back, [entryOf([1, 3, stateOf("bob", "s_1")])], at);
    expect(asked).toEqual(["alice: s_1 s_2", "alice: s_1", "bob: s_1"]);
  });

  it("[WIRE-11] a message that is refused for its last part has taken nothing of its first", () => {
    const { connect, say, register } = setup();
    const peer = connect("Bob");
    say(peer, [1, 1, bob]);
    expect(() => say(peer, [1, 2, null], [2, 1, { user: { id: "one too many" } }])).toThrow("the lobby is full");
    expect(() => say(peer, [1, 2, null], [2, 1, 42])).toThrow("not an object");
    expect(() => say(peer, [1, 2, { n: 1 }], [2, 1, bob], [3, 1, bob], [4, 1, bob])).toThrow("more than 3");
    expect(register.size).toBe(1);
    expect(register.get(1)).toMatchObject({ clock: 1, owner: peer });
  });

  it("[LIMIT-4] may say so much metadata and no more, of which nothing is taken", () => {
    const { connect, say, register } = setup("doc", { maxState: 1_000 });
    const peer = connect("alice");
    say(peer, [1, 1, stateOf("alice", "s_1", { meta: { a: "x".repeat(42) } })]);
    expect(register.size).toBe(1);
    const large = stateOf("alice", "s_1", { meta: { a: "x".repeat(43) } });
    expect(() => say(peer, [2, 1, alice], [1, 2, large])).toThrow("session metadata larger than 50 bytes");
    expect(register.size).toBe(1);
  });
});

describe("what a connection says of its own", () => {
  it("[OWN-2] takes what is newer and drops the rest", () => {
    const { connect, say, register } = setup();
    const peer = connect("Alice");
    expect(say(peer, [1, 5, { ...alice, n: 1 }])).toEqual(["1 of Alice", '1 says {"user":{"id":"alice"},"n":1}']);
    expect(say(peer, [1, 5, { ...alice, n: 2 }], [1, 4, { ...alice, n: 3 }])).toEqual([]);
    expect(say(peer, [1, 4, null])).toEqual([]);
    // what is no news about the user is for observers alone
    expect(say(peer, [1, 6, { ...alice, n: 2 }])).toEqual(['1 says {"user":{"id":"alice"},"n":2}']);
    expect(say(peer, [1, 7, { ...alice, n: 2 }])).toEqual([]);
    expect(register.get(1)).toMatchObject({ clock: 7, lastSeen: 4 + 1 });
    expect(say(peer, [1, 7, null])).toEqual(["1 removed"]);
    expect(register.size).toBe(0);
  });

  it("[OWN-1] drops what it says of others', be it older or newer, a state or none", () => {
    const { connect, say, ownerOf } = setup();
    const [a, b] = [connect("Alice"), connect("Bob")];
    say(a, [1, 5, alice]);
    say(b, [2, 5, bob]);
    for (const [clock, state] of [
      [4, alice],
      [5, alice],
      [6, bob],
      [2_000, alice],
      [5, null],
      [9, null],
    ] as const) {
      expect(say(b, [1, clock, state])).toEqual([]);
    }
    // a connection without an id may not remove either
    expect(say(connect("Carol"), [1, 9, null])).toEqual([]);
    expect(ownerOf(1)).toBe("Alice");
  });

  it("[WIRE-11] [WIRE-3] checks all that concerns it before it takes any", () => {
    const { connect, say, register } = setup();
    const peer = connect("Alice");
    expect(() => say(peer, [1, 1, alice], [2, 1, 42])).toThrow("not an object");
    expect(() => say(peer, [1, 1, alice], [2, 1, "x".repeat(200)])).toThrow("larger than 200 bytes");
    expect(register.size).toBe(0);
    say(connect("Bob"), [2, 1, bob]);
    say(peer, [1, 1, alice]);
    // what it says back of others is not looked at, whatever has become of it
    expect(say(peer, [2, 1, "x".repeat(500)], [2, 2, 42])).toEqual([]);
  });

  it("[OWN-10] one connection has so many ids and no more", () => {
    const { connect, say } = setup();
    const peer = connect("Alice");
    say(peer, [1, 1, alice], [2, 1, alice], [3, 1, alice]);
    expect(() => say(peer, [4, 1, alice])).toThrow("more than 3");
    say(peer, [1, 2, null]);
    expect(say(peer, [4, 1, alice])).toHaveLength(2);
  });

  it("[STATE-4] [LOBBY-3] takes an empty state for a guest in a room, for nobody in a lobby", () => {
    const room = setup();
    expect(room.say(room.connect("Alice"), [1, 1, {}])).toEqual(["1 of Alice", "1 says {}"]);
    const lobby = setup("@lobby/acme");
    const peer = lobby.connect("Alice");
    expect(lobby.say(peer, [1, 1, {}])).toEqual([]);
    lobby.say(peer, [1, 2, alice]);
    expect(lobby.say(peer, [1, 3, {}])).toEqual(["1 removed"]);
  });
});

describe("who returns", () => {
  it.each<[string, { kind?: Kind; lobby?: string; answered?: boolean }, number, boolean]>([
    ["a stock client, first of all", { answered: false }, 5, true],
    ["a stock client with something new", { answered: false }, 6, true],
    ["a stock client that is late to speak", { answered: true }, 1_006, true],
    ["a client of ours", { kind: "native" }, 6, true],
    ["an echo", { answered: true }, 5, false],
    ["an echo of what was sent under a clock of the relay", { answered: true }, 1_005, false],
    ["a client of ours whose clock begins anew, for its document keeps its client id", { kind: "native" }, 1, true],
    ["somebody in another lobby", { answered: false, lobby: "@lobby/acme" }, 5, false],
  ])("[OWN-3] [OWN-8] %s", (_, given, clock, moves) => {
    for (const open of [true, false]) {
      const { connect, say, ownerOf, orphan } = setup();
      const old = connect("Alice's old");
      say(old, [1, 5, alice]);
      if (!open) orphan(old);
      const log = say(connect("Alice's new", given), [1, clock, alice]);
      expect(ownerOf(1)).toBe(moves ? "Alice's new" : open ? "Alice's old" : "nobody");
      // what a stock client has dropped is sent to it again only where its loss was not noticed
      expect(log.includes("Alice's new returned")).toBe(moves && open && given.kind !== "native");
      // what the old one said last and comes late is void
      const owner = ownerOf(1);
      if (open)
        say(old, [1, clock - 1, alice], ...(moves ? [[1, clock, null] as const, [1, clock, alice] as const] : []));
      expect(ownerOf(1)).toBe(owner);
    }
  });

  it.each([
    ["another user", { user: { id: "mallory" } }],
    ["another session", stateOf("alice", "s_2")],
    ["a guest", {}],
  ])("[OWN-3] nothing moves to %s", (_, state) => {
    const { connect, say, ownerOf } = setup();
    say(connect("Alice"), [1, 5, stateOf("alice", "s_1")]);
    for (const answered of [true, false]) say(connect("Mallory", { answered }), [1, 2_000, state]);
    expect(ownerOf(1)).toBe("Alice");
  });

  it("[OWN-7] a client of ours that took another session id while its connection was lost takes its client id back", () => {
    const { connect, say, register, ownerOf, orphan } = setup();
    const old = connect("old", { kind: "native" });
    say(old, [1, 5, stateOf("alice", "s_1")]);
    orphan(old);
    say(connect("new", { kind: "native" }), [1, 6, stateOf("alice", "s_2")]);
    expect([ownerOf(1), register.get(1)?.claim.session.id]).toEqual(["new", "s_2"]);
  });

  it("[OWN-5] a duplicated tab with the same client id and session, of which the older one is told", () => {
    const { connect, say, ownerOf } = setup();
    const [old, copy] = [connect("old", { kind: "native" }), connect("copy", { kind: "native" })];
    say(old, [1, 5, stateOf("alice", "s_1")]);
    expect(say(copy, [1, 1, stateOf("alice", "s_1")])).toContain("old superseded as s_1");
    // it takes another session, and is told that the client id is not its own any more either
    expect(say(old, [1, 6, stateOf("alice", "s_1")])).toEqual([]);
    expect(say(old, [1, 7, stateOf("alice", "s_2")])).toEqual(["old told that 1 is taken"]);
    expect(ownerOf(1)).toBe("copy");
  });

  it.each([
    ["another user", "alice", stateOf("bob", "s_2"), "@lobby", true],
    ["a second tab of the same user", "alice", stateOf("alice", "s_2"), "@lobby", false],
    ["somebody in another lobby", "alice", stateOf("alice", "s_1"), "@lobby/acme", true],
  ])(
    "[OWN-9] a client of ours is told that its client id is somebody else's: %s",
    (_, user, state, lobby, isAlsoLater) => {
      const { connect, say, ownerOf, orphan } = setup();
      const first = connect("first", { kind: "native" });
      say(first, [1, 5, stateOf(user, "s_1")]);
      const second = connect("second", { kind: "native", lobby });
      for (const clock of [1, 5, 6]) expect(say(second, [1, clock, state])).toEqual(["second told that 1 is taken"]);
      expect(ownerOf(1)).toBe("first");
      orphan(first);
      expect(say(second, [1, 9, state]).includes("second told that 1 is taken")).toBe(isAlsoLater);
      // a stock client would take the word for an error, and its echoes look the same
      expect(say(connect("stock"), [1, 6, state])).toEqual([]);
    },
  );

  it("[OWN-12] a client of ours may use an id that somebody gave up, however low its clock is", () => {
    const { connect, say, ownerOf } = setup();
    const first = connect("first", { kind: "native" });
    say(first, [1, 50, stateOf("alice", "s_1")]);
    say(first, [1, 51, null]);
    say(connect("second", { kind: "native" }), [1, 1, stateOf("bob", "s_2")]);
    expect(ownerOf(1)).toBe("second");
  });

  it("[OWN-1] [OWN-11] one message brings back one id: the rest of it is hearsay", () => {
    const { connect, say, ownerOf, orphan } = setup();
    const old = connect("old");
    say(old, [1, 5, alice], [2, 5, alice]);
    orphan(old);
    say(connect("Alice", { answered: false }), [1, 5, alice], [2, 5, alice]);
    expect([ownerOf(1), ownerOf(2)]).toEqual(["Alice", "nobody"]);
  });
});

describe("ids that left", () => {
  it("[OWN-6] an echo does not bring them back for two minutes; their owner does at once", () => {
    const { connect, say, register, ownerOf, at } = setup();
    const [a, b] = [connect("Alice"), connect("Bob")];
    const reader = connect("Carol");
    say(a, [1, 5, alice]);
    say(b, [2, 5, bob]);
    say(a, [1, 6, null]);
    for (const peer of [a, b, reader]) expect(say(peer, [1, 5, alice], [1, 6, alice])).toEqual([]);
    expect(say(b, [1, 2_000, alice])).toEqual([]);
    expect(register.known).toBe(2);
    expect(say(connect("Alice again", { answered: false }), [1, 6, alice])).toHaveLength(2);
    expect(ownerOf(1)).toBe("Alice again");

    register.remove(register.get(1)!, 1_000);
    register.sweep(120_999);
    expect(register.known).toBe(2);
    register.sweep(121_000);
    expect(register.known).toBe(1);
    at(121_001);
    expect(say(reader, [1, 5, alice])).toHaveLength(2);
  });

  it("[OWN-6] [OWN-10] a connection may take back only so many while they are remembered", () => {
    const { connect, say, register, at } = setup();
    const peer = connect("Alice");
    for (const id of [1, 2, 3]) {
      say(peer, [id, 1, alice]);
      say(peer, [id, 2, null]);
    }
    // those that are back are no more than they were
    for (let clock = 3; clock < 9; clock += 2) {
      expect(say(peer, [1, clock, alice])).toHaveLength(2);
      expect(say(peer, [1, clock + 1, null])).toEqual(["1 removed"]);
    }
    expect(() => say(peer, [4, 1, alice])).toThrow("more than 3 awareness states on one connection");
    expect(register.known).toBe(3);
    expect(say(connect("Bob"), [4, 1, bob])).toHaveLength(2);
    register.sweep(200_000);
    expect(register.known).toBe(1);
    at(200_000);
    expect(say(peer, [5, 1, alice], [6, 1, alice], [7, 1, alice])).toHaveLength(6);
    expect(() => say(peer, [8, 1, alice])).toThrow("more than 3 awareness states on one connection");
  });

  it("[ID-4] one that was lost is kept for its user for as long as the room lasts, of the last thousand", () => {
    const { connect, say, register, ownerOf, orphan } = setup("doc", { maxStates: 1_100 });
    const as = (id: string, name = id): TestAuthor => connect(name, { user: { id } });
    const lost = as("alice");
    const ids = Array.from({ length: 1_001 }, (_, i) => i);
    say(lost, ...ids.map((id): Said => [id, 1, alice]));
    for (const entry of orphan(lost)) register.remove(entry, 1_000);
    register.sweep(500_000);
    expect(register.known).toBe(1_000);
    const mallory = as("mallory");
    say(mallory, [0, 9, bob], [1, 9, bob], [1_000, 9, bob]);
    expect([0, 1, 1_000].map(ownerOf)).toEqual(["mallory", "nobody", "nobody"]);
    say(as("alice", "alice again"), [0, 10, alice], [1, 2, alice]);
    expect([0, 1].map(ownerOf)).toEqual(["mallory", "alice again"]);
  });

  it("[OWN-6] where nobody is asked who they are, none is kept for anybody", () => {
    const { connect, say, register, ownerOf, orphan } = setup();
    const lost = connect("Alice");
    say(lost, [1, 1, alice]);
    for (const entry of orphan(lost)) register.remove(entry, 1_000);
    register.sweep(500_000);
    say(connect("Bob"), [1, 1, bob]);
    expect(ownerOf(1)).toBe("Bob");
  });

  it("[OWN-6] the same connection takes back a leave with a newer clock", () => {
    const { connect, say } = setup();
    const peer = connect("Alice");
    say(peer, [1, 5, alice]);
    say(peer, [1, 6, null]);
    expect(say(peer, [1, 7, alice])).toEqual(["1 of Alice", '1 says {"user":{"id":"alice"}}']);
  });

  it("[LIVE-2] a lost connection's ids wait without an owner, with its last sign of life", () => {
    const { connect, say, register, ownerOf, orphan } = setup();
    const peer = connect("Alice");
    say(peer, [1, 5, alice], [2, 5, alice]);
    expect(orphan(peer).map((entry) => [entry.id, entry.owner, entry.lastSeen])).toEqual([
      [1, null, 7],
      [2, null, 7],
    ]);
    expect(ownerOf(1)).toBe("nobody");
    expect(register.ownedBy(peer)).toEqual([]);
    expect(orphan(peer)).toEqual([]);
  });
});

describe("sessions", () => {
  it("[OWN-4] [OWN-5] the newer connection of a session ends what the older one said, and the older one is told", () => {
    const { connect, say, ids } = setup();
    const old = connect("old", { kind: "native" });
    const tab = connect("new", { kind: "native" });
    say(old, [1, 1, stateOf("alice", "s_1")]);
    expect(say(tab, [2, 1, stateOf("alice", "s_1")]).slice(2)).toEqual(["1 removed", "old superseded as s_1"]);
    // until it takes another session it would only take over back and forth
    expect(say(old, [1, 2, stateOf("alice", "s_1", { since: 2 })])).toEqual([]);
    expect(say(old, [1, 3, stateOf("alice", "s_2")])).toHaveLength(2);
    expect(ids()).toEqual([2, 1]);
    // once the newer one is gone, nothing stands in the way
    say(old, [1, 4, null]);
    say(tab, [2, 2, null]);
    expect(say(old, [1, 5, stateOf("alice", "s_1")])).toHaveLength(2);
  });

  it("[BUS-9] one is dated when it begins to speak through a connection, and not when it says something else of itself", () => {
    const { connect, say, register } = setup();
    const her = connect("Alice", { kind: "native" });
    const heldAt = (): number => register.get(1)?.heldAt ?? -1;
    say(her, [1, 1, stateOf("alice", "s_1")]);
    const first = heldAt();
    expect(first).toBeGreaterThan(0);
    say(her, [1, 2, stateOf("alice", "s_1", { status: "away" })]);
    expect([register.get(1)?.claim.session.status, heldAt()]).toEqual(["away", first]);
    say(her, [1, 3, stateOf("alice", "s_2")]);
    expect(heldAt()).toBeGreaterThan(first);
  });

  it("[OWN-4] what waits for a lost connection goes without a word", () => {
    const { connect, say, orphan, ids } = setup();
    const old = connect("old", { kind: "native" });
    say(old, [1, 1, stateOf("alice", "s_1")]);
    orphan(old);
    expect(say(connect("new", { kind: "native" }), [2, 1, stateOf("alice", "s_1")])).toContain("1 removed");
    expect(ids()).toEqual([2]);
  });

  it.each([
    ["other user ids", stateOf("bob", "s_1"), "@lobby"],
    ["other lobbies", stateOf("alice", "s_1"), "@lobby/acme"],
    ["other sessions", stateOf("alice", "s_2"), "@lobby"],
    ["ids that only read alike", stateOf("alice\ns_1", "x"), "@lobby"],
  ])("[OWN-4] %s are other sessions", (_, state, lobby) => {
    const { connect, say, register } = setup();
    say(connect("Alice"), [1, 1, stateOf("alice", "s_1\nx")], [3, 1, stateOf("alice", "s_1")]);
    say(connect("Bob", { lobby }), [2, 1, state]);
    expect(register.size).toBe(3);
  });

  it("[OWN-4] a session that a connection takes on is ended elsewhere, too", () => {
    const { connect, say } = setup();
    const [a, b] = [connect("a", { kind: "native" }), connect("b", { kind: "native" })];
    say(a, [1, 1, stateOf("alice", "s_1")]);
    say(b, [2, 1, stateOf("alice", "s_2")]);
    expect(say(b, [2, 2, stateOf("alice", "s_1")])).toContain("a superseded as s_1");
  });

  it("[STATE-1] a stock client has no session to come back as, whatever user it is", () => {
    const { connect, say, register } = setup();
    say(connect("a"), [1, 1, alice], [2, 1, stateOf("alice", "s_1")]);
    say(connect("b"), [3, 1, alice]);
    expect([...register.present()].map(({ claim }) => isStockSession(claim))).toEqual([true, false, true]);
  });
});

it("[LOBBY-2] nobody can speak for the relay's own state", () => {
  const { connect, say, register } = setup("@lobby");
  register.setOwn(9, new StateBytes(fieldsOf({ copresence: { relay: {} } })));
  for (const [clock, state] of [
    [0, {}],
    [5, {}],
    [2_000, { copresence: {} }],
    [5, null],
  ] as const) {
    for (const kind of ["native", "stock"] as const)
      say(connect("Mallory", { kind, answered: false }), [9, clock, state]);
  }
  expect(register.get(9)).toMatchObject({ owner: null, visible: true, isStock: false });
  expect(new TextDecoder().decode(register.get(9)!.publishedState.whole)).toContain("relay");
});

describe("a session that changes in all its rooms at once", () => {
  const busy = { kind: "session", copresence: { status: "away", since: 7 }, user: { name: "Al" } } as const;
  const at = { now: 9, date: 9 };
  const large = { maxState: 1_000, maxMeta: 100 };
  const hers = stateOf("alice", "s_1", { meta: { n: 1 } }, { cursor: 5 });

  it("[LINK-13] keeps what the room alone knows, and the clock of its author, who goes on above it", () => {
    const { register, connect, say } = setup("doc", large);
    const peer = connect("Alice", { kind: "native" });
    say(peer, [1, 5, hers]);
    const changes = register.restate(peer, busy, at);
    expect(changes?.map(({ type }) => type)).toEqual(["renamed", "changed"]);
    const entry = register.get(1)!;
    expect(JSON.parse(new TextDecoder().decode(entry.publishedState.whole))).toEqual({
      cursor: 5,
      user: { id: "alice", name: "Al" },
      copresence: { session: "s_1", status: "away", device: "desktop", since: 7, meta: { n: 1 } },
    });
    expect(entry).toMatchObject({
      clock: 5,
      lastSeen: 9,
      claim: { user: { name: "Al" }, session: { status: "away" } },
    });
    // what is the same is no news
    expect(register.restate(peer, busy, at)).toEqual([]);
    expect(say(peer, [1, 6, { ...hers, cursor: 6 }])).toEqual(["1 of Alice", expect.stringContaining('"cursor":6')]);
  });

  it("[LINK-14] is stamped with what the relay knows, and no later than the relay's clock", () => {
    const { register, connect, say } = setup("doc", large);
    const peer = connect("Alice", { kind: "native", user: { id: "alice", name: "Alice" } });
    say(peer, [1, 1, hers]);
    register.restate(peer, { kind: "session", user: { id: "bob", name: "Bob" }, copresence: { since: 1e12 } }, at);
    expect(register.get(1)?.claim).toMatchObject({ user: { id: "alice", name: "Alice" }, session: { since: 9 } });
  });

  it("[LINK-14] is refused where it is too large or the lobby is full, and nothing of it is taken", () => {
    const { register, connect, say } = setup("doc", large);
    const peer = connect("Alice", { kind: "native" });
    say(peer, [1, 1, hers], [2, 1, { ...hers, text: "x".repeat(800) }]);
    const before = register.get(1)!.publishedState;
    const restate = (change: object) => register.restate(peer, { kind: "session", ...change }, at);
    expect(() => restate({ user: { avatar: "y".repeat(300) } })).toThrow("larger than 1000 bytes");
    expect(() => restate({ copresence: { meta: { text: "z".repeat(101) } } })).toThrow("metadata larger than 100");
    expect(() => restate({ user: { id: "one too many" } })).toThrow("the lobby is full");
    expect(register.get(1)!.publishedState).toBe(before);
  });

  it("[LINK-13] [OWN-4] takes over from an older connection of the session that it names now", () => {
    const { register, connect, say, ids } = setup("doc", large);
    const [old, peer] = [connect("Alice's old", { kind: "native" }), connect("Alice's new", { kind: "native" })];
    say(old, [1, 1, hers]);
    say(peer, [2, 1, stateOf("alice", "s_2")]);
    register.restate(peer, { kind: "session", copresence: { session: "s_1" } }, at);
    expect(ids()).toEqual([2]);
  });

  it("[LINK-15] is of no use where its author owns nothing, no matter who else is there", () => {
    const { register, connect, say } = setup("doc", large);
    say(connect("Bob", { kind: "native" }), [2, 1, stateOf("bob", "s_2")]);
    expect(register.restate(connect("Alice", { kind: "native" }), busy, at)).toBeNull();
  });
});
