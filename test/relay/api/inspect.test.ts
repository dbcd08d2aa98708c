/** What an operator is told of the relay, and why somebody is shown as they are. */
import { expect, it } from "vitest";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";
import { RawPeer, stateOf } from "../raw.ts";
import { PATCH_SUBPROTOCOL } from "../../../src/wire/index.ts";
import { SECRET, tokenFor } from "../tokens.ts";
import { KEY, startCalledRelay } from "./caller.ts";

interface Reasons {
  readonly reasons: readonly { readonly rule: string; readonly text: string; readonly at: number | null }[];
  readonly connections: readonly { readonly room: string; readonly from: string; readonly visible: boolean }[];
  readonly user: { readonly status: string } | null;
}

it("[INSP-1] the relay at a glance, with its rooms and sockets, for a key that grants admin everywhere", async () => {
  const { url, relay, api } = await startCalledRelay({ jwtSecret: SECRET });
  const token = await tokenFor({ sub: "alice" });
  ownClient(url, "alice", { token }).join("doc");
  const stock = stockClient(url, "doc", { params: { token: await tokenFor({ sub: "bob" }) } });
  stock.awareness.setLocalStateField("user", { id: "bob" });
  await until("both are there", () => relay.room("doc")?.users.length === 2);
  const { body } = await api.get("/inspect");
  expect(body).toMatchObject({
    relay: { users: 2, rooms: 1, connections: 3, sockets: 2, otherRelays: null, trouble: null },
    rooms: [{ name: "doc", users: 2, connections: 2, stock: 1 }],
  });
  const { sockets } = body as unknown as {
    readonly sockets: readonly { readonly user: string; readonly kind: string }[];
  };
  expect(sockets.map(({ user, kind }) => `${user} ${kind}`).toSorted()).toEqual(["alice native", "bob stock"]);
  for (const claim of ["read", "write", { access: "admin", lobby: "acme" }, { access: "admin", rooms: ["doc"] }]) {
    const key = await tokenFor({ sub: "backend", api: claim });
    expect((await api.with(key).get("/inspect")).status).toBe(403);
    expect((await api.with(key).get("/inspect/users/alice")).status).toBe(403);
  }
});

it("[INSP-6] lists what is asked for, and answers 304 while nothing has changed", async () => {
  const { url, relay, api } = await startCalledRelay();
  ownClient(url, "alice").join("doc");
  await until("she is there", () => relay.room("doc")?.users.length === 1 && relay.user("alice")?.rooms.length === 1);
  const lengths = async (list: string): Promise<number[]> => {
    const { rooms, sockets } = (await api.get(`/inspect?list=${list}`)).body as unknown as Record<string, unknown[]>;
    return [rooms?.length ?? -1, sockets?.length ?? -1];
  };
  expect([await lengths("rooms"), await lengths("sockets"), await lengths("none")]).toEqual([
    [1, 0],
    [0, 1],
    [0, 0],
  ]);
  expect((await api.get("/inspect?list=all")).status).toBe(400);
  const tag = (await api.get("/inspect?list=rooms")).headers.get("etag")!;
  expect((await api.get("/inspect?list=rooms", { "if-none-match": tag })).status).toBe(304);
});

it("[INSP-2] why somebody is shown so: what they chose, how a connection was lost, and that others see nothing", async () => {
  const { url, relay, api } = await startCalledRelay({ leaveGrace: 20_000 });
  const ask = async (id: string): Promise<Reasons> =>
    (await api.get(`/inspect/users/${id}`)).body as unknown as Reasons;
  const alice = ownClient(url, "alice");
  alice.join("doc");
  await until("Alice is there", () => relay.room("doc")?.users.length === 1);
  alice.setStatus("dnd");
  await until("she is busy", () => relay.user("alice")?.status === "dnd");
  const busy = await ask("alice");
  expect(busy.reasons[0]).toMatchObject({
    rule: "STATUS-1",
    text: "dnd: the newest choice of status over all sessions",
  });
  expect(busy.connections.map(({ room, from, visible }) => [room, from, visible])).toEqual([
    ["doc", "client", true],
    ["@lobby", "client", false],
  ]);
  alice.setStatus("invisible");
  await until("she is hidden", () => relay.user("alice")?.status !== "dnd");
  const hidden = await ask("alice");
  expect(hidden.reasons[0]).toMatchObject({ rule: "STATUS-5", text: "others are told nothing of this user" });
  expect(hidden.user?.status).toBe("offline");
  const bob = new RawPeer(url, "doc", [PATCH_SUBPROTOCOL]);
  await until("Bob is greeted", () => bob.controls.length > 0);
  bob.say([5, 1, stateOf("bob", "s_bob")]);
  await until("Bob is there", () => relay.user("bob") !== undefined);
  bob.socket.terminate();
  await until("he is lost", () => relay.user("bob")?.reconnecting === true);
  const { reasons, connections } = await ask("bob");
  expect(reasons.map(({ rule }) => rule)).toEqual(["LIVE-2", "LIVE-2"]);
  expect(reasons[1]?.text).toMatch(/^desktop s_bob: reconnecting: socket closed 1006 \(cut off\), leaves in [\d.]+ s$/);
  expect(Math.abs((reasons[1]?.at ?? 0) - Date.now())).toBeLessThan(60_000);
  expect(connections).toMatchObject([{ from: "nowhere" }]);
  expect((await ask("nobody")).user).toBeNull();
});

it("[INSP-3] the page is served at localhost, or where it is asked for, and holds nothing but itself", async () => {
  const { port } = await startRelay({ apiKey: KEY });
  const get = (path: string, method = "GET"): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/inspect${path}`, { method });
  const page = await get("");
  expect(page.status).toBe(200);
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(page.headers.get("content-security-policy")).toMatch(
    /default-src 'none'; script-src 'self'; style-src 'self'/,
  );
  expect(await page.text()).toContain("Inspector");
  for (const file of ["/app.js", "/dom.js", "/relay.js", "/views.js", "/style.css", "?x"]) {
    expect((await get(file)).status).toBe(200);
  }
  expect((await get("/../package.json")).status).not.toBe(200);
  expect((await get("/secret.js")).status).toBe(404);
  expect((await get("", "POST")).status).toBe(405);
  const open = await startRelay({ open: true });
  const { port: hidden } = await open.relay.listen(0, "0.0.0.0");
  expect((await fetch(`http://127.0.0.1:${hidden}/inspect`)).status).toBe(426);
  const asked = await startRelay({ open: true, inspect: true });
  const { port: shown } = await asked.relay.listen(0, "0.0.0.0");
  expect((await fetch(`http://127.0.0.1:${shown}/inspect`)).status).toBe(200);
});
