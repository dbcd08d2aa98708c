/** What somebody tries who holds a narrow key, or none, and means harm. */
import { connect } from "node:net";
import { expect, it } from "vitest";
import { ownClient, until } from "../../support.ts";
import { SECRET, tokenFor } from "../tokens.ts";
import { KEY, startCalledRelay } from "./caller.ts";

const apiToken = (api: unknown, claims: Record<string, unknown> = {}): Promise<string> =>
  tokenFor({ sub: "backend", api, ...claims });

/** Says something to a port, and resolves with all that came back until the other side closed. */
function say(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let heard = "";
    socket.on("data", (chunk: Buffer) => (heard += chunk.toString()));
    socket.on("error", () => {});
    socket.on("close", () => resolve(heard));
    socket.write(text);
  });
}

it("[API-30] asking for nothing but the headers of /events takes nobody's place among the listeners", async () => {
  const { api, port } = await startCalledRelay();
  for (let round = 0; round < 3; round++) {
    const asked = await Promise.all(Array.from({ length: 40 }, () => api.call("HEAD", "/events")));
    expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([200]));
  }
  const authorization = `Bearer ${KEY}`;
  const stop = new AbortController();
  const listening = await fetch(`http://127.0.0.1:${port}/api/v1/events`, {
    headers: { authorization },
    signal: stop.signal,
  });
  expect(listening.status).toBe(200);
  stop.abort();
});

it.each<[string, number]>([
  ["/rooms/%2e%2e/users", 401],
  ["/rooms/..%2Fusers?key=KEY&token=KEY&api_key=KEY", 401],
  ["/users/%00", 401],
  ["/../healthz", 426],
])("[API-1] %s gets nothing for somebody without a key", async (path, expected) => {
  const { port } = await startCalledRelay();
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path.replaceAll("KEY", KEY)}`);
  expect([path, answer.status]).toEqual([path, [401, 404].includes(answer.status) ? answer.status : expected]);
  expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  expect(await answer.text()).not.toContain(KEY);
});

it.each(["a/../b", "..", "./a", "\ud800", "x".repeat(513)])(
  "[WIRE-4] there is no room or lobby called %j",
  async (name) => {
    const { api } = await startCalledRelay();
    const answers = [
      await api.post("/rooms:batch", { rooms: ["doc", name] }),
      await api.post("/users:batch?lobby=a/..", { ids: ["alice"] }),
      await api.get(`/users?lobby=${"x".repeat(513)}`),
      await api.call("GET", "/rooms/a%2F..%2Fb"),
      await api.put("/rooms/..%2Fa/members/s", { user: { id: "robot" }, ttlMs: 1_000 }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400]);
  },
);

it("[API-2] a token with a strange claim grants nothing, and one for no rooms sees none", async () => {
  const { api, url } = await startCalledRelay({ jwtSecret: SECRET });
  ownClient(url, "alice", { token: await tokenFor({ sub: "alice" }) }).join("doc-1");
  await until("she is there", async () => (await api.get("/rooms/doc-1")).body.users.length === 1);
  const strange: readonly unknown[] = [
    [null, "", "ADMIN", "root", 1, true, { admin: true }, {}, { access: ["admin"] }],
    [
      { access: "admin", lobby: null },
      { access: "admin", lobby: ["acme"] },
      { access: "admin", rooms: "doc-1" },
    ],
    [
      { access: "admin", rooms: [""] },
      { access: "admin", rooms: [1] },
      { access: "admin", rooms: null },
    ],
    [{ access: "admin", Rooms: ["x"] }, { access: "admin", "": 1 }, [], ["admin"]],
  ].flat();
  for (const claim of strange) {
    const { status, body } = await api.with(await apiToken(claim)).get("/rooms/doc-1");
    expect([claim, status, body.error?.code]).toEqual([claim, 403, "not_granted"]);
  }
  const none = api.with(await apiToken({ access: "admin", rooms: [] }));
  expect((await none.get("/rooms")).body.rooms).toEqual([]);
  expect((await none.get("/rooms/doc-1")).status).toBe(403);
  expect((await none.post("/users/alice/disconnect", {})).status).toBe(403);
  expect(JSON.stringify((await none.get("/users")).body)).not.toContain("doc-1");
});

it("[API-10] [API-11] no spelling of a name, tag, filter or batch shows a narrow key what is not its own", async () => {
  const { api, url } = await startCalledRelay({ jwtSecret: SECRET });
  const alice = ownClient(url, "alice", { token: await tokenFor({ sub: "alice" }) });
  alice.join("acme/plan");
  alice.join("hidden/plan", { meta: { text: "hidden words" } });
  await until("she is in both", async () => (await api.get("/users/alice")).body.rooms?.length === 2);
  const tag = (await api.get("/rooms/hidden%2Fplan")).headers.get("etag") ?? "";
  const key = await apiToken({ access: "write", rooms: ["acme/*"] });
  const narrow = api.with(key);
  for (const path of [
    "/rooms/hidden%2Fplan",
    "/rooms/hidden%252Fplan",
    "/rooms/acme%2F..%2Fhidden%2Fplan",
    "/rooms/acme/..%2F..%2Fhidden%2Fplan",
    "/rooms/%2Fhidden%2Fplan",
    "/rooms/hidden%2Fplan%00",
    "/rooms/%40lobby",
    "/rooms/%40lobby%2F..%2Fhidden%2Fplan",
    "/rooms/hidden%2Fplan/document",
    "/rooms?prefix=hidden%2F",
    "/rooms?cursor=YWNtZQ",
    "/users?ids=alice",
    "/users/alice",
  ]) {
    for (const headers of [{}, { "if-none-match": tag }, { "x-original-url": "/api/v1/rooms/hidden%2Fplan" }]) {
      const answer = await narrow.get(path, headers);
      expect([path, answer.status]).not.toEqual([path, 304]);
      const text = new TextDecoder().decode(answer.bytes);
      // a room whose name is spelt like that is another one
      const isEmpty = answer.status !== 200 || !/^\/rooms\/(?!%40)/.test(path) || answer.body.counts.users === 0;
      expect([path, text.includes("hidden words"), text.includes('"hidden'), isEmpty]).toEqual([
        path,
        false,
        false,
        true,
      ]);
    }
  }
  for (const rooms of [["acme/plan", "hidden/plan"], ["acme/../hidden/plan"], ["hidden%2Fplan"]]) {
    const { body, status } = await narrow.post("/rooms:batch", { rooms, people: true });
    const seen = status === 200 ? body.rooms.filter(({ counts }) => counts.users > 0) : [];
    expect([rooms, JSON.stringify(body).includes("hidden words"), seen]).toEqual([rooms, false, []]);
  }
  const member = { user: { id: "robot" }, ttlMs: 5_000 };
  expect((await narrow.put("/rooms/hidden%2Fplan/members/s", member)).status).toBe(403);
  expect((await narrow.put("/rooms/acme%2F..%2Fhidden/members/s", member)).status).toBeLessThan(500);
  expect((await api.get("/rooms/hidden%2Fplan")).body.users.map(({ id }) => id)).toEqual(["alice"]);

  const stop = new AbortController();
  const headers = { authorization: `Bearer ${key}`, "last-event-id": "0" };
  let heard = "";
  const listen = async (query: string): Promise<void> => {
    const { port } = new URL(url);
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/events${query}`, { headers, signal: stop.signal });
    for await (const chunk of answer.body ?? []) heard += new TextDecoder().decode(chunk);
  };
  const queries = ["", "?user=alice", "?prefix=hidden%2F", "?room=hidden%2Fplan", "?room=%40lobby"];
  const listens = queries.map((query) => listen(query).catch(() => {}));
  await until("all listen", () => heard.split("event: reset").length > queries.length);
  const bob = ownClient(url, "bob", { token: await tokenFor({ sub: "bob" }) });
  bob.join("hidden/plan", { meta: { text: "hidden words" } });
  bob.join("acme/plan");
  await until("a listener is told of his coming", () => heard.includes('"bob"'));
  alice.setMeta({ more: "hidden words" });
  bob.destroy();
  await until("and of his leaving", () => heard.includes("event: leave"));
  expect(heard).not.toMatch(/hidden words|"hidden\//);
  stop.abort();
  await Promise.all(listens);
});

it("[API-16] numbers out of bounds and bodies that are nested without end are answered 4xx", async () => {
  const { api } = await startCalledRelay();
  const user = { id: "robot" };
  for (const ttlMs of [0, -1, 999, 1.5, 86_400_001, 1e300, null, "30000", [30_000], true]) {
    expect([ttlMs, (await api.put("/rooms/doc/members/s", { user, ttlMs })).status]).toEqual([ttlMs, 400]);
  }
  for (const forMs of [-1, 1.5, 1e300, "60000", []]) {
    expect([forMs, (await api.post("/users/alice/disconnect", { forMs })).status]).toEqual([forMs, 400]);
  }
  const json = { "content-type": "application/json" };
  for (const [before, after] of [
    ["[", "]"],
    ['{"a":', "}"],
  ] as const) {
    for (const depth of [2_000, 9_000]) {
      for (const field of ["meta", "state"]) {
        const nested = `${before.repeat(depth)}1${after.repeat(depth)}`;
        const text = `{"user":{"id":"robot"},"ttlMs":5000,"${field}":{"deep":${nested}}}`;
        const answer = await api.call("PUT", "/rooms/doc/members/s", new TextEncoder().encode(text), json);
        expect([field, depth, answer.status < 500]).toEqual([field, depth, true]);
        expect((await api.get("/rooms/doc")).status).toBe(200);
      }
    }
  }
  const deep = new TextEncoder().encode(`{"ids":${"[".repeat(900_000)}${"]".repeat(900_000)}}`);
  expect((await api.call("POST", "/users:batch", deep, json)).status).toBe(400);
});

it("[API-16] a number that is too large to be one is refused wherever a body has it", async () => {
  const { api } = await startCalledRelay();
  const json = { "content-type": "application/json" };
  const put = (method: string, path: string, text: string) =>
    api.call(method, path, new TextEncoder().encode(text), json);
  const huge = "9".repeat(400);
  const answers = [
    await put("POST", "/rooms/doc/messages", '{"type":"x","payload":1e999}'),
    await put("POST", "/rooms/doc/messages", `{"type":"x","payload":{"deep":[-${huge}]}}`),
    await put("PUT", "/rooms/doc/members/s", '{"user":{"id":"r"},"ttlMs":1000,"meta":{"a":1E+400}}'),
    await put("PUT", "/rooms/doc/members/s", '{"user":{"id":"r"},"ttlMs":1000,"state":{"cursor":-1e999}}'),
    // few digits in its exponent, and many before that
    await put("POST", "/rooms/doc/messages", `{"type":"x","payload":1${"0".repeat(220)}e99}`),
  ];
  expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400]);
  expect((await put("POST", "/rooms/doc/messages", '{"type":"1e999","payload":[1e300,"1e999"]}')).status).toBe(200);
});

it("[LIMIT-5] a body that comes byte by byte, or never, is cut off, and headers without end are refused", async () => {
  const { port, api } = await startCalledRelay({ handshakeTimeout: 500 });
  const head = `POST /api/v1/users:batch HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\n`;
  const slow = Array.from({ length: 20 }, () => say(port, `${head}Content-Length: 100\r\n\r\n{`));
  const chunked = say(port, `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`);
  const flood = say(port, `${head}${"X-Much: 1\r\n".repeat(5_000)}\r\n`);
  const smuggled = say(port, `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`);
  expect(await flood).toMatch(/^HTTP\/1\.1 431 /);
  expect(await smuggled).toMatch(/^HTTP\/1\.1 400 /);
  for (const answer of await Promise.all([...slow, chunked])) expect(answer).toMatch(/^$|^HTTP\/1\.1 408 /);
  expect((await api.get("/users")).status).toBe(200);
});
