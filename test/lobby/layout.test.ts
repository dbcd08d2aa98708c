import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { type LobbyUser, type RelayState, readShardUser, shardsOf, vouchedShard } from "../../src/lobby/layout.ts";
import { session } from "../presence/claims.ts";

describe("the layout of a lobby", () => {
  it("[LOBBY-1] is shard id → user id → user, under `shards`", () => {
    const doc = new Y.Doc();
    const alice: LobbyUser = { user: { name: "Alice" }, sessions: {}, lastSeen: 5 };
    const shard: Y.Map<LobbyUser> = new Y.Map();
    shardsOf(doc).set("shard1", shard);
    shard.set("alice", alice);
    expect(doc.getMap("shards").toJSON()).toEqual({ shard1: { alice } });
  });

  it("[LOBBY-2] knows the shard that a relay vouches for, and no other state for a relay's", () => {
    const state: RelayState = { copresence: { relay: { shard: "shard1", startedAt: 5 } } };
    expect(vouchedShard(state)).toBe("shard1");
    const others = [null, undefined, 1, [], {}, { copresence: null }, { copresence: { session: "s1" } }];
    const broken = [{ relay: null }, { relay: ["shard1"] }, { relay: { shard: 1 } }].map((copresence) => ({
      copresence,
    }));
    for (const other of [...others, ...broken]) expect(vouchedShard(other)).toBeNull();
  });
});

describe("readShardUser", () => {
  it("[LOBBY-1] reads a user's sessions, with the rooms they are in and the relay's times", () => {
    const user = { name: "Alice", color: "#30bced" };
    const said = {
      status: "away",
      manual: { status: "dnd", at: 5 },
      device: "mobile",
      since: 7,
      rooms: ["atrium"],
      meta: { page: 1 },
    } as const;
    const value = { user, sessions: { s1: said, s2: { ...said, reconnecting: true } }, lastSeen: 9 };
    const info = { id: "alice", ...user };
    expect(readShardUser("alice", value)).toEqual({
      user: info,
      claims: [
        { user: info, session: session("s1", said) },
        { user: info, session: session("s2", { ...said, reconnecting: true }) },
      ],
      lastSeen: 9,
    });
    expect(readShardUser("alice", { ...value, user: { ...user, id: "mallory" } }).user.id).toBe("alice");
  });

  it("[STATE-3] takes what is of the wrong shape for absent, and reads the rest", () => {
    const nobody = { user: { id: "alice" }, claims: [], lastSeen: 0 };
    for (const value of [undefined, null, 1, [], "x", {}, { user: 1, sessions: [], lastSeen: "1" }]) {
      expect(readShardUser("alice", value)).toEqual(nobody);
    }
    const sessions = { s1: null, s2: [], s3: { rooms: "atrium", status: 1 }, s4: { rooms: ["atrium", 1, null] } };
    const fields = { device: "unknown" } as const;
    expect(readShardUser("alice", { sessions }).claims.map((claim) => claim.session)).toEqual([
      session("s3", { ...fields, rooms: [] }),
      session("s4", { ...fields, rooms: ["atrium"] }),
    ]);
  });
});
