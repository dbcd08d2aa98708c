import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { Directory, Shard, Union, readState, usersOf } from "../../src/lobby/index.ts";
import { type ShardMap, shardsOf } from "../../src/lobby/layout.ts";
import { report } from "./reports.ts";

const policy = { recentTtl: 60_000, recentMax: 10, lobbyRooms: true };
const state = (shard: string) => ({ copresence: { relay: { shard, startedAt: 0 } } });

/** A writer with people of its own, whose document is read by others as it is written. */
function writer(id: string, doc: Y.Doc) {
  const [directory, shard] = [new Directory<object>("@lobby"), new Shard(id, policy)];
  shard.doc.on("update", (update: Uint8Array) => Y.applyUpdate(doc, update));
  shard.open([], 0);
  let now = 0;
  const flush = (): void => void shard.write(directory.flush(now, now), now, now);
  return {
    comes(key: object, ...args: Parameters<typeof report>): void {
      directory.report(key, report(...args), ++now);
      flush();
    },
    goes(key: object): void {
      directory.withdraw(key, ++now, now);
      flush();
    },
  };
}

describe("a reader of a lobby", () => {
  it("[LOBBY-2] sees whom a live relay vouches for, and nobody else", () => {
    const doc = new Y.Doc();
    const union = new Union(doc);
    const [here, gone] = [writer("r_here", doc), writer("r_gone", doc)];
    here.comes({}, "alice", "s1");
    gone.comes({}, "bob", "s2");
    expect(union.isVouched).toBe(false);
    expect(usersOf(union)).toEqual([]);
    expect(union.vouch([state("r_here"), { user: { id: "carol" } }, null])).toBe(true);
    expect(usersOf(union).map(({ id }) => id)).toEqual(["alice"]);
    expect(union.vouch([state("r_here")])).toBe(false);
    expect([...union.userIds()].toSorted()).toEqual(["alice", "bob"]);
  });

  it("[LOBBY-2] is told that nothing changed when the same relays vouch in another order, and else that something did", () => {
    const union = new Union(new Y.Doc());
    expect(union.vouch([state("a"), state("b")])).toBe(true);
    expect(union.vouch([state("b"), state("a")])).toBe(false);
    // an id may hold any character
    expect(union.vouch([state("a,b")])).toBe(true);
    expect(union.vouch([state("a"), state("b")])).toBe(true);
  });

  it("[LOBBY-2] counts one who is with several relays once, until the last of them says that they left", () => {
    const doc = new Y.Doc();
    const union = new Union(doc);
    const [a, b] = [writer("r_a", doc), writer("r_b", doc)];
    const [tab, phone] = [{}, {}];
    a.comes(tab, "alice", "s1", "atrium");
    b.comes(phone, "alice", "s2", "bureau", { device: "mobile" });
    union.vouch([state("r_a"), state("r_b")]);
    expect(usersOf(union)).toHaveLength(1);
    expect(usersOf(union)[0]).toMatchObject({ rooms: ["atrium", "bureau"], devices: ["desktop", "mobile"] });
    a.goes(tab);
    expect(usersOf(union)[0]).toMatchObject({ rooms: ["bureau"], devices: ["mobile"] });
    b.goes(phone);
    expect(usersOf(union)).toEqual([]);
    // whom a relay remembers is named with when they were last seen
    expect(union.read("alice")).toMatchObject({ info: { id: "alice" }, lastSeen: 2 });
  });

  it("[LOBBY-2] is told of whom something was written, or that anybody may be meant", () => {
    const doc = new Y.Doc();
    const union = new Union(doc);
    const told: (readonly string[] | null)[] = [];
    const undo = union.observe((userIds) => told.push(userIds));
    const a = writer("r_a", doc);
    a.comes({}, "alice", "s1");
    expect(told).toEqual([[], ["alice"]]);
    // a shard that comes in one piece with those whom it names costs nothing for all others
    const other = new Y.Doc();
    writer("r_b", other).comes({}, "bob", "s2");
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(other));
    expect(told.at(-1)).toEqual(["bob"]);
    // one that is written anew may name fewer than before
    const anew: ShardMap = new Y.Map();
    shardsOf(doc).set("r_b", anew);
    expect(told.at(-1)).toBeNull();
    shardsOf(doc).delete("r_b");
    expect(told.at(-1)).toBeNull();
    undo();
    a.comes({}, "carol", "s3");
    expect(told).toHaveLength(5);
  });
});

it("[LOBBY-1] an application without a relay makes a lobby of what its own connections say", () => {
  const directory = new Directory<{ readonly socket: number }>("@lobby");
  const shard = new Shard("my-server", policy);
  const connection = { socket: 1 };
  const claim = readState(1, { user: { id: "alice", name: "Alice" } }, "@lobby");
  if (claim === null) throw new TypeError("unreachable");
  const effects = directory.report(
    connection,
    { room: "doc-1", claim, connected: true, silent: false, bytes: 0 },
    1_000,
  );
  expect(effects).toEqual({ visibility: [[connection, true]], choices: [], isNews: true });
  const events = directory.flush(1, 1_000);
  expect(events.map(({ type, userId }) => `${type} ${userId}`)).toEqual(["join alice"]);
  shard.open(directory.users.values(), 1_000);
  shard.write(events, 1, 1_000);
  const union = new Union(shard.doc);
  union.vouch([state("my-server")]);
  expect(usersOf(union).map(({ id, name, rooms }) => ({ id, name, rooms }))).toEqual([
    { id: "alice", name: "Alice", rooms: ["doc-1"] },
  ]);
});
