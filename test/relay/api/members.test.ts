/** People who have no connection: a server sets them. */
import { describe, expect, it } from "vitest";
import { ownClient, pause, stockClient, until } from "../../support.ts";
import { rawPeer, stateOf } from "../raw.ts";
import { SECRET, tokenFor } from "../tokens.ts";
import { startCalledRelay } from "./caller.ts";

const robot = { id: "robot", name: "Robot", color: "#888888" };
const PLACE = "/rooms/doc-1/members/task-1";

describe("a member that a server sets", () => {
  it("[API-31] looks like anybody else to stock clients and to ours, with a cursor, marked as an agent", async () => {
    const { url, api, relay } = await startCalledRelay();
    const alice = ownClient(url, "alice");
    const room = alice.join("doc-1");
    const stock = stockClient(url, "doc-1", { user: { id: "bob" } });
    await until("both are there", () => relay.room("doc-1")?.users.length === 2);
    const cursor = { anchor: 4, head: 7 };
    const set = await api.put(PLACE, { user: robot, ttlMs: 30_000, meta: { task: "spelling" }, state: { cursor } });
    expect(set.status).toBe(200);
    expect(set.body.expiresAt).toBeGreaterThan(Date.now() + 20_000);
    const seen = () => room.roster.getSnapshot().users.find(({ id }) => id === "robot");
    await until("our client sees it", () => seen() !== undefined);
    expect(seen()).toMatchObject({ name: "Robot", status: "online", agent: true, meta: { task: "spelling" } });
    await until("a stock client sees it", () => stock.awareness.getStates().has(set.body.clientId));
    const state = stock.awareness.getStates().get(set.body.clientId)!;
    expect(state).toMatchObject({ user: robot, cursor, copresence: { session: "task-1", agent: true } });
    expect(room.awareness.getStates().get(set.body.clientId)).toEqual(state);
    await until("it is in the lobby", () => alice.lobby.getSnapshot().users.some(({ agent }) => agent === true));
    expect((await api.get("/users/robot")).body).toMatchObject({ agent: true, rooms: ["doc-1"] });

    await api.put(PLACE, { user: robot, ttlMs: 30_000, state: { cursor: { anchor: 9, head: 9 } }, status: "away" });
    await until("its cursor moves", () => {
      const { cursor: now } = stock.awareness.getStates().get(set.body.clientId) as { cursor?: typeof cursor };
      return now?.anchor === 9;
    });
    await until("it is away", () => seen()?.status === "away");
    expect((await api.delete(PLACE)).status).toBe(204);
    await until("it is gone for our client", () => seen() === undefined);
    await until("and for the stock one", () => !stock.awareness.getStates().has(set.body.clientId));
    expect((await api.delete(PLACE)).body.error.code).toBe("no_such_member");
  });

  it("[API-32] goes at the end of its time, unless it is set anew", async () => {
    const { relay, api } = await startCalledRelay();
    const startedAt = Date.now();
    await api.put(PLACE, { user: robot, ttlMs: 1_000 });
    expect(relay.room("doc-1")?.users).toMatchObject([{ id: "robot" }]);
    await pause(700);
    await api.put(PLACE, { user: robot, ttlMs: 1_000 });
    await until("it is gone", () => relay.room("doc-1") === undefined);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(1_690);
    await until("it is offline", () => relay.user("robot")?.status === "offline");
  });

  it("[API-31] may be a person whose device only pushes, and gives way to nobody's tab", async () => {
    const { url, relay, api } = await startCalledRelay();
    const alice = ownClient(url, "alice");
    alice.join("doc-1");
    await until("her tab is there", () => relay.room("doc-1")?.users.length === 1);
    const phone = { user: { id: "alice" }, ttlMs: 30_000, agent: false, device: "mobile" };
    expect((await api.put("/rooms/doc-1/members/phone", phone)).status).toBe(200);
    await until("she has two sessions", () => relay.room("doc-1")?.users[0]?.sessions.length === 2);
    expect(relay.room("doc-1")?.users[0]).not.toHaveProperty("agent");
    const taken = await api.put(`/rooms/doc-1/members/${alice.session}`, phone);
    expect([taken.status, taken.body.error.code]).toEqual([409, "session_in_use"]);
    // somebody else under the same name
    await api.put("/rooms/doc-1/members/phone", { user: { id: "bob" }, ttlMs: 30_000 });
    await until("Bob is there in her stead", () => {
      return (
        relay
          .room("doc-1")
          ?.users.map(({ id, sessions }) => `${id} ${sessions.length}`)
          .join() === "alice 1,bob 1"
      );
    });
  });

  it("[API-31] is bound by the limits of states, and is refused whole", async () => {
    const { relay, api } = await startCalledRelay({ maxState: 2_000, maxMeta: 500 });
    const put = async (more: object): Promise<number> =>
      (await api.put(PLACE, { user: robot, ttlMs: 1_000, ...more })).status;
    expect(await put({ meta: { text: "x".repeat(600) } })).toBe(413);
    expect(await put({ state: { text: "x".repeat(2_500) } })).toBe(413);
    const deep = JSON.parse(`${"[".repeat(80)}${"]".repeat(80)}`) as unknown;
    expect(await put({ state: { deep } })).toBe(400);
    for (const wrong of [
      { ttlMs: 0 },
      { ttlMs: 1e12 },
      { user: {} },
      { user: { id: "guest:1" } },
      { status: "dnd" },
      { meta: [] },
      { state: [] },
    ]) {
      expect(await put(wrong)).toBe(400);
    }
    expect((await api.put("/rooms/%40lobby/members/x", { user: robot, ttlMs: 1_000 })).status).toBe(400);
    expect(relay.rooms()).toEqual([]);
    expect(await put({})).toBe(200);
  });

  it("[API-24] [API-31] is thrown out, and kept out, like anybody else", async () => {
    const { relay, api } = await startCalledRelay();
    await api.put(PLACE, { user: robot, ttlMs: 30_000 });
    expect((await api.post("/users/robot/disconnect", { forMs: 60_000 })).body.connections).toBe(1);
    await until("it is gone", () => relay.room("doc-1") === undefined);
    expect((await api.put(PLACE, { user: robot, ttlMs: 30_000 })).status).toBe(403);
  });

  it("[RUN-3] [API-32] leaves nothing behind when the relay closes", async () => {
    const { relay, api } = await startCalledRelay();
    await api.put(PLACE, { user: robot, ttlMs: 30_000 });
    await relay.close();
    expect(relay.rooms()).toEqual([]);
  });

  it("[API-10] a key for one lobby sets members that count there, and takes out no other", async () => {
    const { api, relay } = await startCalledRelay({ jwtSecret: SECRET });
    await api.put(PLACE, { user: robot, ttlMs: 30_000 });
    const acme = api.with(await tokenFor({ sub: "backend", api: { access: "write", lobby: "acme" } }));
    expect((await acme.delete(PLACE)).status).toBe(404);
    await acme.put(PLACE, { user: { id: "other" }, ttlMs: 30_000 });
    await until("it counts there", () => relay.user("other", "acme") !== undefined);
    expect(relay.user("robot")?.status).toBe("online");
    expect((await acme.put(`${PLACE}?lobby=%40lobby`, { user: robot, ttlMs: 30_000 })).status).toBe(403);
    const read = api.with(await tokenFor({ sub: "backend", api: "read" }));
    expect((await read.put(PLACE, { user: robot, ttlMs: 30_000 })).status).toBe(403);
    expect((await read.delete(PLACE)).status).toBe(403);
  });
});

describe("on behalf of a user", () => {
  it("[API-33] is shown under the user, and goes when the user leaves the room", async () => {
    const { url, api, relay } = await startCalledRelay();
    const agent = { user: robot, ttlMs: 30_000, onBehalfOf: "alice" };
    const early = await api.put(PLACE, agent);
    expect([early.status, early.body.error.code]).toEqual([409, "not_here"]);
    const alice = ownClient(url, "alice");
    const room = alice.join("doc-1");
    const bob = ownClient(url, "bob").join("doc-1");
    await until("she is there", () => relay.room("doc-1")?.users.length === 2);
    expect((await api.put(PLACE, agent)).status).toBe(200);
    const seen = () => bob.roster.getSnapshot().users.find(({ id }) => id === "robot");
    await until("Bob sees it with her", () => seen() !== undefined);
    expect(seen()).toMatchObject({ agent: true, onBehalfOf: "alice", sessions: [{ onBehalfOf: "alice" }] });
    await until("the lobby says so, too", () =>
      alice.lobby.getSnapshot().users.some((user) => user.onBehalfOf === "alice"),
    );
    expect((await api.get("/users/robot")).body).toMatchObject({ agent: true, onBehalfOf: "alice" });
    room.leave();
    await until("it is gone", () => seen() === undefined);
    expect((await api.put(PLACE, agent)).status).toBe(409);
  });

  it("[API-33] is not there for a user who is invisible, or may not be there", async () => {
    const { url, api, relay } = await startCalledRelay({ jwtSecret: SECRET });
    const agent = { user: robot, ttlMs: 30_000, onBehalfOf: "alice" };
    const looking = { "*": ["observe", "read"], "@lobby": ["observe"] };
    const token = await tokenFor({ sub: "alice", rooms: looking });
    ownClient(url, "alice", { token }).join("doc-1");
    await until("she looks on", () => relay.room("doc-1")?.connections === 1);
    expect((await api.put(PLACE, agent)).status).toBe(409);
    const here = ownClient(url, "alice", { token: await tokenFor({ sub: "alice" }) });
    here.join("doc-1");
    await until("she is there", () => relay.room("doc-1")?.users.length === 1);
    expect((await api.put(PLACE, agent)).status).toBe(200);
    here.setStatus("invisible");
    await until("it goes with her", () => relay.room("doc-1")?.users.length === 0);
  });

  it("[API-34] nobody but a server speaks for others, where the relay knows who its clients are", async () => {
    const { url } = await startCalledRelay({ jwtSecret: SECRET });
    const mallory = await rawPeer(url, `doc-1?token=${await tokenFor({ sub: "mallory" })}`);
    const bob = await rawPeer(url, `doc-1?token=${await tokenFor({ sub: "bob" })}`);
    mallory.say([1, 1, stateOf("mallory", "s1", { agent: true, onBehalfOf: "alice" }, { cursor: 1 })]);
    await until("Bob sees it", () => bob.states.has(1));
    const state = bob.states.get(1) as { copresence: object };
    expect(state).toMatchObject({ cursor: 1, copresence: { session: "s1", agent: true } });
    expect(state.copresence).not.toHaveProperty("onBehalfOf");
    mallory.say([1, 2, stateOf("mallory", "s1", { agent: true, onBehalfOf: "alice" }, { cursor: 2 })]);
    await until("he sees it move", () => (bob.states.get(1) as { cursor?: number }).cursor === 2);
    expect((bob.states.get(1) as { copresence: object }).copresence).not.toHaveProperty("onBehalfOf");
  });
});
