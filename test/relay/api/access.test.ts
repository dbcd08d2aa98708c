/** Who may call the HTTP API, and what they are told. */
import { describe, expect, it } from "vitest";
import { createRelay } from "../../../src/relay/index.ts";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";
import { SECRET, tokenFor } from "../tokens.ts";
import { type Answer, Caller, KEY, type CalledRelay, overHttp, startCalledRelay } from "./caller.ts";

const apiToken = (api: unknown, claims: Record<string, unknown> = {}): Promise<string> =>
  tokenFor({ sub: "backend", api, ...claims });

describe("keys", () => {
  it("[API-1] [API-4] answers nobody without a good key, and says how to be answered", async () => {
    const { port, api } = await startCalledRelay({ apiKey: [KEY, "another-key"] });
    expect((await api.get("/users")).status).toBe(200);
    expect((await api.with("another-key").get("/users")).status).toBe(200);
    for (const wrong of [KEY.slice(0, -1), `${KEY}x`, "other", "a.b.c"]) {
      const { status, body, headers } = await api.with(wrong).get("/users");
      expect([status, body.error.code]).toEqual([401, "bad_key"]);
      expect(headers.get("www-authenticate")).toContain("Bearer");
    }
    const without = await api.with(null).get("/users");
    expect([without.status, without.body.error.code]).toEqual([401, "no_key"]);
    const basic = await fetch(`http://127.0.0.1:${port}/api/v1/users?key=${KEY}`, { headers: { authorization: KEY } });
    expect(basic.status).toBe(401);
  });

  it("[API-1] says how to turn the API on where there is no key", async () => {
    const { port } = await startRelay();
    const { status, body } = await new Caller(overHttp(port)).get("/users");
    expect([status, body.error.code]).toEqual([401, "api_off"]);
    expect(body.error.message).toContain("--api-key");
  });

  it("[API-1] refuses at the start what cannot be a key, without repeating it", async () => {
    expect(() => createRelay({ apiKey: "" })).toThrow(RangeError);
    for (const bad of ["with space", "ümlaut"]) {
      expect(() => createRelay({ apiKey: bad })).toThrow(RangeError);
      expect(() => createRelay({ apiKey: bad })).not.toThrow(bad);
    }
  });

  it("[API-4] answers 404 for what there is not, and 405 with what an address takes", async () => {
    const { api } = await startCalledRelay();
    expect((await api.get("/nothing")).body.error.code).toBe("not_found");
    expect((await api.call("POST", "/users//disconnect")).body.error).toMatchObject({
      code: "not_found",
      message: expect.stringContaining("leave none empty") as string,
    });
    const { status, headers } = await api.call("PATCH", "/users/alice");
    expect([status, headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect((await api.get("/users:batch")).headers.get("allow")).toBe("POST");
  });

  it("[API-15] answers 429 to a key that asks too much, and to an address with many wrong keys", async () => {
    const { api } = await startCalledRelay({ apiKey: ["one", "two"], apiRate: 2 });
    const ask = (key: string, times: number): Promise<Answer[]> =>
      Promise.all(Array.from({ length: times }, () => api.with(key).get("/users?limit=1")));
    const asks = async (key: string, times: number): Promise<number[]> =>
      (await ask(key, times)).map(({ status }) => status);
    const answers = await ask("one", 40);
    expect(answers[0]?.status).toBe(200);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.headers.get("retry-after")).toBe("1");
    expect(refused?.body.error.code).toBe("too_many_requests");
    expect(await asks("two", 1)).toEqual([200]);
    const wrong = await asks("wrong", 100);
    expect(wrong).toContain(401);
    expect(wrong).toContain(429);
    expect(await asks("two", 1)).toEqual([200]);
  });
});

describe("tokens", () => {
  it("[API-2] [API-3] a token is a key if its claim says so; a read key changes nothing", async () => {
    const { api } = await startCalledRelay({ jwtSecret: SECRET });
    const statusOf = async (key: string, method: string, path: string, body?: unknown): Promise<number> =>
      (await api.with(key).call(method, path, body)).status;
    expect(await statusOf(await tokenFor({ sub: "alice" }), "GET", "/users")).toBe(403);
    expect(await statusOf(await apiToken("owner"), "GET", "/users")).toBe(403);
    expect(await statusOf(await apiToken({ access: "read", room: "typo" }), "GET", "/users")).toBe(403);
    expect(await statusOf(await tokenFor({ sub: "backend", api: "read" }, { expiresIn: -60 }), "GET", "/users")).toBe(
      401,
    );
    const forged = await tokenFor(
      { sub: "backend", api: "admin" },
      { secret: "another secret of more than thirty-two bytes" },
    );
    expect(await statusOf(forged, "GET", "/users")).toBe(401);
    for (const level of ["read", "write"]) {
      const key = await apiToken(level);
      expect(await statusOf(key, "GET", "/users")).toBe(200);
      expect(await statusOf(key, "POST", "/users:batch", { ids: [] })).toBe(200);
      expect(await statusOf(key, "POST", "/users/alice/disconnect", {})).toBe(403);
      expect(await statusOf(key, "POST", "/users/alice/refresh", {})).toBe(403);
    }
    expect(await statusOf(await apiToken({ access: "admin" }), "POST", "/users/alice/disconnect", {})).toBe(200);
  });
});

/** Alice of acme and Bob of the default lobby share the room `doc-1`; Alice is in `acme/plan` besides. */
async function startWithTwoLobbies(): Promise<CalledRelay> {
  const called = await startCalledRelay({ jwtSecret: SECRET });
  const { url, api } = called;
  const alice = ownClient(url, "alice", { token: await tokenFor({ sub: "alice", lobby: "acme" }), lobby: "acme" });
  alice.join("doc-1", { meta: { secret: "of doc-1" } });
  alice.join("acme/plan", { meta: { line: 3 } });
  const bob = stockClient(url, "doc-1", { user: { id: "bob" }, params: { token: await tokenFor({ sub: "bob" }) } });
  await until("both are in the room", async () => (await api.get("/rooms/doc-1")).body.users.length === 2);
  await until("she is in both", async () => (await api.get("/users/alice?lobby=acme")).body.rooms?.length === 2);
  await until("he is in his lobby", async () => (await api.get("/users/bob")).status === 200);
  expect(bob.wsconnected).toBe(true);
  return called;
}

describe("what a narrowed key sees", () => {
  it("[API-10] a key for one lobby sees its people alone, in rooms too", async () => {
    const { api } = await startWithTwoLobbies();
    const acme = api.with(await apiToken({ access: "admin", lobby: "acme" }));
    const ownLobby = api.with(await apiToken("read", { lobby: "acme" }));
    for (const key of [acme, ownLobby]) {
      expect((await key.get("/users")).body.users.map(({ id }) => id)).toEqual(["alice"]);
      expect((await key.get("/users/bob")).status).toBe(404);
      const room = (await key.get("/rooms/doc-1")).body;
      expect(room).toMatchObject({ users: [{ id: "alice" }], counts: { users: 1 }, connections: null });
      expect((await key.get("/rooms")).body.rooms.map(({ counts }) => counts.users)).toEqual([1, 1]);
      expect((await key.post("/users:batch", { ids: ["bob"] })).body.users[0]?.status).toBe("offline");
      for (const path of [
        "/users?lobby=other",
        "/users?lobby=%40lobby",
        "/rooms/doc-1?lobby=other",
        "/rooms/%40lobby",
      ]) {
        expect([path, (await key.get(path)).status]).toEqual([path, 403]);
      }
      expect((await key.get("/rooms/%40lobby%2Facme")).body.counts.users).toBe(1);
    }
    expect((await acme.post("/users/bob/disconnect?lobby=%40lobby", {})).status).toBe(403);
    expect((await acme.post("/users/bob/disconnect", {})).body.connections).toBe(0);
    expect((await api.get("/rooms/doc-1?lobby=acme")).body.users).toMatchObject([{ id: "alice" }]);
    const two = api.with(await apiToken({ access: "read", lobby: "acme" }, { lobby: "other" }));
    expect((await two.get("/users")).status).toBe(403);
  });

  it("[API-11] a key for some rooms is told what people do in these, and nothing of others", async () => {
    const { api } = await startWithTwoLobbies();
    const byPrefix = api.with(await apiToken({ access: "admin", lobby: "acme", rooms: ["acme/*"] }));
    const byGrants = api.with(await apiToken("admin", { lobby: "acme", rooms: { "acme/*": ["observe"] } }));
    for (const key of [byPrefix, byGrants]) {
      expect((await key.get("/rooms")).body.rooms.map(({ name }) => name)).toEqual(["acme/plan"]);
      expect((await key.get("/rooms/doc-1")).status).toBe(403);
      expect((await key.post("/rooms:batch", { rooms: ["acme/plan", "doc-1"] })).status).toBe(403);
      const alice = (await key.get("/users/alice")).body;
      expect(alice).toMatchObject({ rooms: ["acme/plan"], meta: { line: 3 } });
      expect(JSON.stringify(alice)).not.toContain("doc-1");
      expect((await key.post("/users/alice/disconnect", {})).status).toBe(403);
    }
  });
});

describe("what is asked", () => {
  it("[API-16] answers 400 to what is not as described, and repeats nothing of it", async () => {
    const { api } = await startCalledRelay();
    const paths = [
      "/users?limit=0",
      "/users?limit=x",
      "/users?status=here",
      "/users?nosuch=1",
      "/users?limit=1&limit=2",
    ];
    for (const path of [...paths, "/users/%FF", "/rooms/%ED%A0%80", `/users/${"x".repeat(300)}`, "/rooms?prefix="]) {
      expect([path, (await api.get(path)).status]).toEqual([path, 400]);
    }
    for (const body of [{}, { ids: "alice" }, { ids: [1] }, { ids: [], more: "secret" }, ["secret"], null, "secret"]) {
      const answer = await api.post("/users:batch", body);
      expect(answer.status).toBe(400);
      expect(JSON.stringify(answer.body)).not.toContain("secret");
    }
    expect((await api.post("/users/alice/disconnect", [])).status).toBe(400);
    const json = { "content-type": "application/json" };
    expect((await api.call("POST", "/users:batch", new TextEncoder().encode("{"), json)).status).toBe(400);
    expect((await api.call("POST", "/users:batch", new TextEncoder().encode("{}"))).status).toBe(415);
    const large = new Uint8Array(3 * 2 ** 20).fill(32);
    expect((await api.call("POST", "/users:batch", large, json)).status).toBe(413);
  });
});
