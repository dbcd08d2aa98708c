/** People who have no connection: a server sets them. */
import { describe, expect, it } from "vitest";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { ownClient, pause, startRelay, stockClient, until } from "../../support.ts";
import { FaultyBus } from "../cluster/faulty-bus.ts";
import { rawPeer, stateOf } from "../raw.ts";
import { SECRET, tokenFor } from "../tokens.ts";
import { Caller, KEY, overHttp, startCalledRelay } from "./caller.ts";
import { hosts, idsIn, startSeveral, untilIn, untilStatus } from "./hosts.ts";

const robot = { id: "robot", name: "Robot", color: "#888888" };
const PLACE = "/rooms/doc-1/members/task-1";

describe.each(hosts)("a member that a server sets by %s [API-38]", (_host, start) => {
  it("[API-31] looks like anybody else to stock clients and to ours, with a cursor, marked as an agent", async () => {
    const { dial, api } = await start();
    const alice = ownClient(dial(), "alice");
    const room = alice.join("doc-1");
    const stock = stockClient(dial(), "doc-1", { user: { id: "bob" } });
    await untilIn(api, "doc-1", ["alice", "bob"]);
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
    await untilStatus(api, "robot", "online");
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

  it("[API-32] has the name and the colour that it was given last, or none", async () => {
    const { dial, api } = await start();
    const room = ownClient(dial(), "alice").join("doc-1");
    const seen = () => room.roster.getSnapshot().users.find(({ id }) => id === "robot");
    await api.put(PLACE, { user: robot, ttlMs: 30_000 });
    await until("it is seen", () => seen()?.name === "Robot");
    await api.put(PLACE, { user: { id: "robot", name: "Robbie", color: "#999999" }, ttlMs: 30_000 });
    await until("it is renamed", () => seen()?.name === "Robbie" && seen()?.color === "#999999");
    // refused whole: nothing of it is seen
    const large = { user: { id: "robot", name: "Large" }, ttlMs: 30_000, meta: { text: "x".repeat(17_000) } };
    expect((await api.put(PLACE, large)).status).toBe(413);
    await api.put(PLACE, { user: { id: "robot", color: "#999999" }, ttlMs: 30_000, meta: { step: 2 } });
    await until("it has no name any more", () => seen()?.meta["step"] === 2);
    expect(seen()?.name).toBeUndefined();
  });

  it("[STATE-13] is no user whose id UTF-8 cannot carry: two of them would be one in the lobby", async () => {
    const { api } = await start();
    const refused = await api.put(PLACE, { user: { id: "robot 😀".slice(0, 7) }, ttlMs: 2_000 });
    expect([refused.status, refused.body.error.code]).toEqual([400, "invalid"]);
    expect((await api.get("/rooms/doc-1")).body.users).toEqual([]);
  });

  it("[STATE-12] is of no session that none can have", async () => {
    const { api } = await start();
    const refused = await api.put("/rooms/doc-1/members/__proto__", { user: robot, ttlMs: 2_000 });
    expect([refused.status, refused.body.error.code]).toEqual([400, "invalid"]);
    expect((await api.get("/rooms/doc-1")).body.users).toEqual([]);
  });

  it("[API-32] goes at the end of its time, unless it is set anew", async () => {
    const { api } = await start();
    const startedAt = Date.now();
    const set = { user: robot, ttlMs: 2_000 };
    expect((await api.put(PLACE, set)).status).toBe(200);
    await untilIn(api, "doc-1", ["robot"]);
    await pause(1_200);
    expect((await api.put(PLACE, set)).status).toBe(200);
    await untilIn(api, "doc-1", []);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(3_190);
    await untilStatus(api, "robot", "offline");
  });

  it("[API-31] may be a person whose device only pushes, and gives way to nobody's tab", async () => {
    const { dial, api } = await start();
    const alice = ownClient(dial(), "alice");
    alice.join("doc-1");
    await untilIn(api, "doc-1", ["alice"]);
    const phone = { user: { id: "alice" }, ttlMs: 30_000, agent: false, device: "mobile" };
    expect((await api.put("/rooms/doc-1/members/phone", phone)).status).toBe(200);
    const people = async () => (await api.get("/rooms/doc-1")).body.users;
    await until("she has two sessions", async () => (await people())[0]?.sessions.length === 2);
    expect((await people())[0]).not.toHaveProperty("agent");
    const taken = await api.put(`/rooms/doc-1/members/${alice.session}`, phone);
    expect([taken.status, taken.body.error.code]).toEqual([409, "session_in_use"]);
    // somebody else under the same name
    await api.put("/rooms/doc-1/members/phone", { user: { id: "bob" }, ttlMs: 30_000 });
    await until("Bob is there in her stead", async () => {
      const all = (await people()).map(({ id, sessions }) => `${id} ${sessions.length}`);
      return all.toSorted().join() === "alice 1,bob 1";
    });
  });

  it("[API-31] is bound by the limits of states, and is refused whole", async () => {
    const { api } = await start({ maxState: 2_000, maxMeta: 500 });
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
    expect((await api.get("/rooms")).body.rooms).toEqual([]);
    expect(await put({})).toBe(200);
  });

  it("[API-24] [API-31] is thrown out, and kept out, like anybody else", async () => {
    const { api } = await start();
    await api.put(PLACE, { user: robot, ttlMs: 30_000 });
    expect((await api.post("/users/robot/disconnect", { forMs: 60_000 })).body.connections).toBe(1);
    await untilIn(api, "doc-1", []);
    expect((await api.put(PLACE, { user: robot, ttlMs: 30_000 })).status).toBe(403);
  });

  it("[API-10] a key for one lobby sets members that count there, and takes out no other", async () => {
    const { api } = await start({ jwtSecret: SECRET });
    await api.put(PLACE, { user: robot, ttlMs: 30_000 });
    const acme = api.with(await tokenFor({ sub: "backend", api: { access: "write", lobby: "acme" } }));
    expect((await acme.delete(PLACE)).status).toBe(404);
    await acme.put(PLACE, { user: { id: "other" }, ttlMs: 30_000 });
    await untilStatus(api, "other", "online", "?lobby=acme");
    await untilStatus(api, "robot", "online");
    expect((await acme.put(`${PLACE}?lobby=%40lobby`, { user: robot, ttlMs: 30_000 })).status).toBe(403);
    const read = api.with(await tokenFor({ sub: "backend", api: "read" }));
    expect((await read.put(PLACE, { user: robot, ttlMs: 30_000 })).status).toBe(403);
    expect((await read.delete(PLACE)).status).toBe(403);
  });
});

describe.each(hosts)("on behalf of a user, by %s [API-38]", (_host, start) => {
  it("[API-33] is shown under the user, and goes when the user leaves the room", async () => {
    const { dial, api } = await start();
    const agent = { user: robot, ttlMs: 30_000, onBehalfOf: "alice" };
    const early = await api.put(PLACE, agent);
    expect([early.status, early.body.error.code]).toEqual([409, "not_here"]);
    const alice = ownClient(dial(), "alice");
    const room = alice.join("doc-1");
    const bob = ownClient(dial(), "bob").join("doc-1");
    await untilIn(api, "doc-1", ["alice", "bob"]);
    expect((await api.put(PLACE, agent)).status).toBe(200);
    const seen = () => bob.roster.getSnapshot().users.find(({ id }) => id === "robot");
    await until("Bob sees it with her", () => seen() !== undefined);
    expect(seen()).toMatchObject({ agent: true, onBehalfOf: "alice", sessions: [{ onBehalfOf: "alice" }] });
    await until("the lobby says so, too", () =>
      alice.lobby.getSnapshot().users.some((user) => user.onBehalfOf === "alice"),
    );
    await untilStatus(api, "robot", "online");
    expect((await api.get("/users/robot")).body).toMatchObject({ agent: true, onBehalfOf: "alice" });
    room.leave();
    await until("it is gone", () => seen() === undefined);
    expect((await api.put(PLACE, agent)).status).toBe(409);
  });

  it("[API-33] is not there for a user who is invisible, or may not be there", async () => {
    const { dial, api } = await start({ jwtSecret: SECRET });
    const agent = { user: robot, ttlMs: 30_000, onBehalfOf: "alice" };
    const looking = { "*": ["observe", "read"], "@lobby": ["observe"] };
    const token = await tokenFor({ sub: "alice", rooms: looking });
    const looks = ownClient(dial(), "alice", { token }).join("doc-1");
    await until("she looks on", () => looks.grants?.includes("observe") === true);
    expect((await api.put(PLACE, agent)).status).toBe(409);
    const here = ownClient(dial(), "alice", { token: await tokenFor({ sub: "alice" }) });
    here.join("doc-1");
    await untilIn(api, "doc-1", ["alice"]);
    expect((await api.put(PLACE, agent)).status).toBe(200);
    here.setStatus("invisible");
    await untilIn(api, "doc-1", []);
  });
});

describe("a member that a server sets", () => {
  it("[RUN-3] [API-32] leaves nothing behind when the relay closes", async () => {
    const { relay, api } = await startCalledRelay();
    await api.put(PLACE, { user: robot, ttlMs: 30_000 });
    await relay.close();
    expect(relay.rooms()).toEqual([]);
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

  it("[API-38] is set anew, and taken out, by whichever relay is asked", async () => {
    const { relays, api } = await startSeveral();
    const [here, there] = relays;
    const alice = ownClient(here!.url, "alice").join("doc-1");
    const events: string[] = [];
    for (const type of ["join", "leave"] as const) {
      alice.roster.on(type, ({ userId }) => void (userId === "robot" && events.push(type)));
    }
    const seen = () => alice.roster.getSnapshot().users.find(({ id }) => id === "robot");
    for (const [at, relay] of [here!, there!, ...relays, here!].entries()) {
      const set = await relay.api.put(PLACE, { user: robot, ttlMs: 30_000, meta: { at } });
      expect(set.status).toBe(200);
      await until(`Alice sees it as it was set at last, ${at}`, () => seen()?.meta["at"] === at);
    }
    expect(seen()?.sessions).toHaveLength(1);
    expect(await idsIn(api, "doc-1")).toEqual(["alice", "robot"]);
    expect((await there!.api.delete(PLACE)).status).toBe(204);
    await until("it is gone", () => seen() === undefined);
    await until("it is known everywhere that it is", async () => (await api.delete(PLACE)).status === 404);
    expect(events).toEqual(["join", "leave"]);
  });

  it("[API-38] is set anew by another relay when its own has just died, and nobody sees it go", async () => {
    const bus = new MemoryBus();
    const dying = new FaultyBus(bus);
    const there = await startRelay({ apiKey: KEY, bus: dying });
    const here = await startRelay({ apiKey: KEY, bus });
    await until("each hears the other", () => here.relay.metrics().bus?.relays === 1);
    const alice = ownClient(here.url, "alice").join("doc-1");
    const seen = () => alice.roster.getSnapshot().users.find(({ id }) => id === "robot");
    const left: string[] = [];
    alice.roster.on("leave", ({ userId }) => void left.push(userId));
    expect((await new Caller(overHttp(there.port)).put(PLACE, { user: robot, ttlMs: 30_000 })).status).toBe(200);
    await until("Alice sees it", () => seen() !== undefined);
    dying.isCut = true;
    const set = await new Caller(overHttp(here.port)).put(PLACE, { user: robot, ttlMs: 30_000, meta: { step: 2 } });
    expect(set.status).toBe(200);
    await until("Alice sees what was set", () => seen()?.meta["step"] === 2 && seen()?.reconnecting === false);
    expect(left).toEqual([]);
  });
});
