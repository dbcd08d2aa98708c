import { describe, expect, it } from "vitest";
import {
  type ConnectionLimitOptions,
  ConnectionLimits,
  type Lease,
} from "../../../src/relay/access/connection-limits.ts";
import { LobbyPlaces } from "../../../src/relay/access/lobby-places.ts";

describe("connection limits", () => {
  const none: ConnectionLimitOptions = {
    connectRate: 0,
    maxAddressConnections: 0,
    maxAddressRooms: 0,
    maxUserConnections: 0,
    maxUserRooms: 0,
  };
  const anyLobbies = (): LobbyPlaces => new LobbyPlaces({ maxLobbies: 0, maxAddressLobbies: 0, maxUserLobbies: 0 });
  const enter = (
    limits: ConnectionLimits,
    address: string,
    user: string | null,
    room: string,
    now = 0,
  ): Lease | string => {
    const lease = limits.connect(address, now);
    if ("ok" in lease) return lease.reason;
    const refused = limits.enter(lease, { user, room, lobby: "@lobby" });
    if (refused === null) return lease;
    limits.leave(lease);
    return refused.reason;
  };

  it.each<[keyof ConnectionLimitOptions, string, (i: number) => [string, string | null, string]]>([
    ["maxAddressConnections", "too many connections from your address", () => ["a", null, "doc"]],
    ["maxAddressRooms", "too many rooms from your address", (i) => ["a", null, `doc${i}`]],
    ["maxUserConnections", "too many connections of yours", (i) => [`a${i}`, "alice", "doc"]],
    ["maxUserRooms", "too many rooms of yours", (i) => [`a${i}`, "alice", `doc${i}`]],
    ["connectRate", "too many connections at once from your address", () => ["a", null, "doc"]],
  ])("[LIMIT-2] [LIMIT-12] %s lets in so many and no more, until one leaves", (limit, reason, visit) => {
    // ten seconds' worth of connects may come at once
    const max = limit === "connectRate" ? 10 : 3;
    const limits = new ConnectionLimits({ ...none, [limit]: limit === "connectRate" ? 1 : 3 }, anyLobbies());
    const entered = Array.from({ length: max }, (_, i) => enter(limits, ...visit(i)));
    expect(entered.filter((each) => typeof each === "string")).toEqual([]);
    expect(enter(limits, ...visit(max))).toBe(reason);
    expect(enter(limits, "other", "other", "doc0")).toBeTypeOf("object");
    limits.leave(entered[0] as Lease);
    expect(enter(limits, ...visit(max), 1_000)).toBeTypeOf("object");
    expect(enter(limits, ...visit(max + 1), 1_000)).toBe(reason);
  });

  it("[LIMIT-2] counts a room once, however many connections are in it", () => {
    const limits = new ConnectionLimits({ ...none, maxUserRooms: 1 }, anyLobbies());
    const leases = [enter(limits, "a", "alice", "doc"), enter(limits, "a", "alice", "doc")] as Lease[];
    expect(enter(limits, "a", "alice", "other")).toBe("too many rooms of yours");
    limits.leave(leases[0]!);
    expect(enter(limits, "a", "alice", "other")).toBe("too many rooms of yours");
    limits.leave(leases[1]!);
    expect(enter(limits, "a", "alice", "other")).toBeTypeOf("object");
  });

  it("[LIMIT-11] a lobby has its place from when a connection is let in until its last one is over", () => {
    const places = new LobbyPlaces({ maxLobbies: 1, maxAddressLobbies: 0, maxUserLobbies: 0 });
    const limits = new ConnectionLimits(none, places);
    const [first, second, third] = ["a", "b", "c"].map((address) => limits.connect(address, 0) as Lease);
    const stay = { user: null, room: "doc", lobby: "@lobby/acme" };
    expect([limits.enter(first!, stay), limits.enter(second!, stay)]).toEqual([null, null]);
    expect(limits.enter(third!, { ...stay, lobby: "@lobby" })).toMatchObject({ because: "lobbies", code: 4503 });
    limits.leave(first!);
    expect(limits.enter(third!, { ...stay, lobby: "@lobby" })).toMatchObject({ because: "lobbies" });
    limits.leave(second!);
    expect(limits.enter(third!, { ...stay, lobby: "@lobby" })).toBeNull();
    limits.leave(third!);
    expect(places.size).toBe(0);
  });
});

describe("the places of lobbies", () => {
  const limits = { maxLobbies: 4, maxAddressLobbies: 3, maxUserLobbies: 2 };
  const alice = { address: "a", user: "alice" };

  it("[LIMIT-10] [LIMIT-11] are so many, those counted that the hub holds and nobody is connected to", () => {
    const places = new LobbyPlaces({ ...limits, maxAddressLobbies: 0 });
    for (const name of ["a", "b", "c", "d"]) places.hold(name);
    expect(places.refusal("e", alice)).toMatchObject({ because: "lobbies", reason: "too many lobbies" });
    expect(places.refusal("d", alice)).toBeNull();
    places.release("a");
    expect(places.refusal("e", alice)).toBeNull();
  });

  it("[LIMIT-8] are charged to the user and the address through whom they came about, until they are free", () => {
    const places = new LobbyPlaces(limits);
    for (const name of ["a", "b"]) {
      places.hold(name, alice);
      // the hub remembers somebody there
      places.hold(name);
      places.release(name);
    }
    expect(places.refusal("c", alice)).toMatchObject({ because: "user", reason: "too many lobbies of yours" });
    // from another address she is the same user, and another user there is not
    expect(places.refusal("c", { ...alice, address: "b" })).toMatchObject({ because: "user" });
    const bob = { address: "a", user: "bob" };
    places.hold("c", bob);
    const fromAddress = { because: "address", reason: "too many lobbies from your address" };
    expect(places.refusal("d", bob)).toMatchObject(fromAddress);
    expect(places.refusal("d", { address: "a", user: null })).toMatchObject(fromAddress);
    // others come into a lobby that there is, and are charged for none
    expect([places.refusal("a", bob), places.refusal("d", { address: "b", user: "carol" })]).toEqual([null, null]);
    places.release("a");
    expect([places.refusal("d", alice), places.refusal("d", bob)]).toEqual([null, null]);
    for (const name of ["b", "c"]) places.release(name);
    expect(places.size).toBe(0);
    expect(places.refusal("x", alice)).toBeNull();
  });
});
