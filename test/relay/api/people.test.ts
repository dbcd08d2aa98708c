/** Who is here, as the HTTP API says it, wherever it is asked. */
import { describe, expect, it } from "vitest";
import { createRelay } from "../../../src/relay/index.ts";
import { ownClient, stockClient, until } from "../../support.ts";
import { rawPeer, stateOf, statesFrame } from "../raw.ts";
import { type Body, startCalledRelay } from "./caller.ts";
import { hosts } from "./hosts.ts";

describe.each(hosts)("the HTTP API of %s [API-17] [API-37]", (_host, start) => {
  it("[API-5] [API-6] [API-18] lists who is online, and answers one user", async () => {
    const { dial, api } = await start();
    const alice = ownClient(dial(), "alice", { meta: { page: "home" } });
    alice.join("doc-1");
    stockClient(dial(), "doc-1", { user: { id: "bob", name: "Bob" } });
    await until("both are in the lobby", async () => (await api.get("/users")).body.users.length === 2);
    const { body } = await api.get("/users");
    expect(body.users.map(({ id }) => id)).toEqual(["alice", "bob"]);
    expect(body.cursor).toBeNull();

    await until("she is in her room", async () => (await api.get("/users/alice")).body.rooms.length === 1);
    const before = Date.now();
    const one = (await api.get("/users/alice")).body;
    expect(one).toMatchObject({
      id: "alice",
      name: "Alice",
      status: "online",
      rooms: ["doc-1"],
      meta: { page: "home" },
    });
    expect(one.sessions[0]?.id).toBe(alice.session);
    expect(one.lastSeen).toBeGreaterThanOrEqual(before);
    expect((await api.get("/users/carol")).body.error.code).toBe("no_such_user");
  });

  it("[API-5] [API-6] knows who left, as offline, and who is of which status", async () => {
    const { dial, api } = await start();
    const alice = ownClient(dial(), "alice");
    alice.setStatus("dnd");
    const bob = ownClient(dial(), "bob");
    await until("both are there", async () => (await api.get("/users")).body.users.length === 2);
    await until("she is busy", async () => (await api.get("/users/alice")).body.status === "dnd");
    bob.destroy();
    await until("he is gone", async () => (await api.get("/users")).body.users.length === 1);
    const gone = (await api.get("/users/bob")).body;
    expect(gone).toMatchObject({ id: "bob", status: "offline", sessions: [], rooms: [] });
    expect(gone.lastSeen).toBeGreaterThan(Date.now() - 10_000);
    const ids = async (query: string): Promise<string[]> =>
      (await api.get(`/users?${query}`)).body.users.map(({ id }) => id);
    expect(await ids("status=dnd")).toEqual(["alice"]);
    expect(await ids("status=online")).toEqual([]);
    expect(await ids("status=offline,dnd")).toEqual(["alice", "bob"]);
    expect(await ids("ids=bob,carol,alice")).toEqual(["alice", "bob"]);
    expect(await ids("ids=bob&status=dnd")).toEqual([]);
  });

  it("[API-5] does not list an invisible user", async () => {
    const { dial, api } = await start();
    ownClient(dial(), "bob");
    const alice = ownClient(dial(), "alice");
    alice.join("doc-1");
    await until("both are there", async () => (await api.get("/users")).body.users.length === 2);
    alice.setStatus("invisible");
    await until("she is gone", async () => (await api.get("/users")).body.users.length === 1);
    expect((await api.get("/rooms/doc-1")).body).toMatchObject({ users: [], counts: { users: 0 } });
    expect((await api.get("/users/alice")).body.status).toBe("offline");
  });

  it("[API-7] [API-8] [API-14] lists rooms with counts, and answers who is in one, whose name may hold anything", async () => {
    const { dial, api, ofAsked } = await start();
    const alice = ownClient(dial(), "alice");
    for (const name of ["team/a b", "team/ü", "other"]) alice.join(name);
    stockClient(dial(), "other", { user: { id: "bob" } });
    await until("all are there", async () => {
      const { body } = await api.get("/rooms");
      return body.rooms.length === 3 && body.rooms[0]?.counts.users === 2;
    });
    const { rooms } = (await api.get("/rooms?prefix=team%2F")).body;
    expect(rooms.map(({ name }) => name)).toEqual(["team/a b", "team/ü"]);
    expect(rooms[0]).toEqual({
      name: "team/a b",
      counts: { users: 1, online: 1, away: 0, busy: 0, dnd: 0 },
      connections: ofAsked(1),
      hasDocument: false,
    });
    const room = (await api.get(`/rooms/${encodeURIComponent("team/ü")}`)).body;
    expect(room.users).toMatchObject([{ id: "alice", rooms: ["team/ü"] }]);
    expect((await api.get("/rooms/other?people=false")).body).not.toHaveProperty("users");
    expect((await api.get("/rooms/nobody")).body).toMatchObject({ users: [], counts: { users: 0 }, connections: 0 });
    expect((await api.get("/rooms/%40lobby")).body.counts.users).toBe(2);
    expect((await api.get("/rooms/a/b")).status).toBe(404);
    expect((await api.get("/rooms/%40other")).body.error.code).toBe("reserved");
  });

  it("[API-9] [API-14] answers many users and many rooms in one request", async () => {
    const { dial, api } = await start();
    ownClient(dial(), "alice").join("room-7");
    await until("she is there", async () => (await api.get("/rooms/room-7")).body.users.length === 1);
    const rooms = Array.from({ length: 500 }, (_, i) => `room-${i}`);
    const counted = await api.post("/rooms:batch", { rooms });
    expect(counted.body.rooms.map(({ name }) => name)).toEqual(rooms);
    expect(counted.body.rooms.map(({ counts }) => counts.users).indexOf(1)).toBe(7);
    expect(counted.body.rooms[7]).not.toHaveProperty("users");
    const withPeople = await api.post("/rooms:batch", { rooms: ["room-7", "@lobby"], people: true });
    expect(withPeople.body.rooms).toMatchObject([{ users: [{ id: "alice" }] }, { users: [{ id: "alice" }] }]);
    const users = await api.post("/users:batch", { ids: ["nobody", "alice"] });
    expect(users.body.users).toMatchObject([
      { id: "nobody", status: "offline", lastSeen: null },
      { id: "alice", status: "online" },
    ]);
    const tooMany = Array.from({ length: 1_001 }, (_, i) => `${i}`);
    expect((await api.post("/users:batch", { ids: tooMany })).status).toBe(400);
    expect((await api.post("/rooms:batch", { rooms: tooMany })).status).toBe(400);
    expect((await api.post("/users:batch", { ids: tooMany.slice(1) })).body.users).toHaveLength(1_000);
  });

  it("[API-12] pages through users by a cursor, no matter who comes and goes meanwhile", async () => {
    const { dial, api } = await start();
    const room = "crowd";
    const clients = Array.from({ length: 25 }, (_, i) => {
      return stockClient(dial(), room, { user: { id: `u${String(i).padStart(2, "0")}` } });
    });
    const areThere = async () => (await api.get("/users?limit=1000")).body.users.length === 25;
    await until("all are there", areThere, 20_000);
    const seen: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const from: string = cursor === null ? "" : `&cursor=${cursor}`;
      const { body } = await api.get(`/users?limit=10${from}`);
      seen.push(...body.users.map(({ id }) => id));
      cursor = body.cursor;
      if (pages++ > 0) continue;
      clients[3]!.destroy();
      stockClient(dial(), room, { user: { id: "u00a" } });
      await until("somebody left and somebody came", async () => {
        return (await api.get("/users?ids=u03,u00a&status=online")).body.users[0]?.id === "u00a";
      });
    } while (cursor !== null);
    expect(pages).toBe(3);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toHaveLength(25);
    expect((await api.get("/users?cursor=%21%21")).body.error.code).toBe("bad_cursor");
    expect((await api.get("/rooms?limit=1")).body).toMatchObject({ rooms: [{ name: room }], cursor: null });
  });

  it("[API-13] answers 304 until anything but the time changes", async () => {
    const { dial, api } = await start();
    const alice = ownClient(dial(), "alice");
    const inRoom = alice.join("doc-1");
    for (const path of ["/users", "/users/alice", "/rooms", "/rooms/doc-1"]) {
      await until("she is there", async () => JSON.stringify((await api.get(path)).body).includes("doc-1"));
    }
    for (const path of ["/users", "/users/alice", "/rooms/doc-1"]) {
      const tag = (await api.get(path)).headers.get("etag")!;
      const again = await api.get(path, { "if-none-match": tag });
      expect([again.status, again.body]).toEqual([304, null]);
      alice.setMeta({ path });
      inRoom.setMeta({ path });
      await until("it says something else", async () => (await api.get(path, { "if-none-match": tag })).status === 200);
    }
  });
});

it("[API-18] a relay that is closed answers 503", async () => {
  const relay = createRelay({ apiKey: "key" });
  await relay.close();
  const response = await relay.api(new Request("http://relay/api/v1/users"));
  expect([response.status, (await response.json()).error.code]).toEqual([503, "stopping"]);
});

it("[API-12] a page ends nowhere between two ids that are hard to write, such as a pair of surrogates", async () => {
  const { api, url } = await startCalledRelay();
  const ids = ["a", "\ud83d\ude00", "\ud83d\ude00b", "\ue000", "\uffff", "z"];
  for (const [i, id] of ids.entries()) {
    const peer = await rawPeer(url, "doc");
    peer.send(statesFrame([i + 1, 1, stateOf(id, `s_${i}`)]));
  }
  await until("all are there", async () => (await api.get("/users")).body.users.length === ids.length);
  const seen: string[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const { body }: { body: Body } = await api.get(`/users?limit=1${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.users.map(({ id }) => id));
    cursor = body.cursor;
  }
  expect(seen).toEqual(ids.toSorted());
  expect((await api.get("/users?cursor=YQ")).body.error.code).toBe("bad_cursor");
});

it("[API-9] a user or room that is named a thousand times costs no more than once, and an answer is not endlessly long", async () => {
  const { api } = await startCalledRelay();
  const meta = { text: "x".repeat(1_000) };
  await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      api.put(`/rooms/doc/members/m${i}`, { user: { id: `u${i}` }, ttlMs: 60_000, meta }),
    ),
  );
  // they are shown with the next flush of the room
  await until("all are there", async () => (await api.get("/rooms/doc")).body.users.length === 100);
  const thousand = <T>(each: T): T[] => Array.from({ length: 1_000 }, () => each);
  const rooms = await api.post("/rooms:batch", { rooms: thousand("doc") });
  expect(rooms.body.rooms).toHaveLength(1_000);
  expect(rooms.body.rooms.at(-1)?.counts.users).toBe(100);
  const users = await api.post("/users:batch", { ids: [...thousand("u7").slice(1), "nobody"] });
  expect(users.body.users.map(({ id }) => id)).toEqual([...thousand("u7").slice(1), "nobody"]);
  const long = await api.post("/rooms:batch", { rooms: thousand("doc"), people: true });
  expect([long.status, long.body.error.code]).toEqual([413, "too_large"]);
  expect((await api.post("/rooms:batch", { rooms: ["doc", "doc"], people: true })).body.rooms[1]?.users).toHaveLength(
    100,
  );
});
