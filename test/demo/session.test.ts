import { type AddressInfo } from "node:net";
import { createServer } from "node:http";
import { once } from "node:events";
import { jwtVerify } from "jose";
import { expect, it, onTestFinished } from "vitest";
import { sessionServer } from "../../demo/session.js";

const SECRET = "a secret of more than thirty-two bytes";

/** A browser of somebody, which keeps their cookie. */
async function browser() {
  const session = sessionServer({ secret: SECRET, relay: () => "ws://relay" });
  const server = createServer((request, response) => session(request, response, () => response.end("the page")));
  onTestFinished(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let cookie = "";
  return async (method: string, path: string, body?: string) => {
    const headers = { cookie, connection: "close" };
    const response = await fetch(url + path, { method, headers, ...(body !== undefined && { body }) });
    const set = response.headers.get("set-cookie");
    if (set !== null) cookie = set.split(";", 1)[0] ?? "";
    return { status: response.status, text: await response.text(), set, cache: response.headers.get("cache-control") };
  };
}

const alice = JSON.stringify({ name: "  Alice Adams ", color: "#2a73c4" });

it("a visitor who gives a name is given tokens with that name, until they sign out", async () => {
  const ask = await browser();
  expect(await ask("GET", "/session")).toMatchObject({ status: 200, text: '{"relay":"ws://relay","user":null}' });
  expect((await ask("GET", "/session/token")).status).toBe(401);
  const signedIn = await ask("POST", "/session", alice);
  const user = { id: "u_alice adams", name: "Alice Adams", color: "#2a73c4" };
  expect(JSON.parse(signedIn.text)).toEqual({ relay: "ws://relay", user });
  expect(signedIn.set).toMatch(/; HttpOnly; SameSite=Strict/);
  const { text: token, cache } = await ask("GET", "/session/token");
  expect(cache).toBe("no-store");
  const { payload } = await jwtVerify(token, new TextEncoder().encode(SECRET));
  expect(payload).toMatchObject({ sub: user.id, name: user.name, color: user.color });
  expect((payload.exp ?? 0) - Date.now() / 1_000).toBeCloseTo(180, -1);
  await ask("DELETE", "/session");
  expect((await ask("GET", "/session/token")).status).toBe(401);
});

it.each(["", "null", "{}", '{"name":" ","color":"#2a73c4"}', '{"name":"Eve","color":"red"}', "x".repeat(5_000)])(
  "nobody signs in with %j",
  async (body) => {
    const ask = await browser();
    expect((await ask("POST", "/session", body)).status).toBe(400);
    expect((await ask("GET", "/session/token")).status).toBe(401);
  },
);

it("what is not about sessions is the page's", async () => {
  const ask = await browser();
  expect((await ask("GET", "/sessions")).text).toBe("the page");
  expect((await ask("GET", "/session/other")).status).toBe(404);
});
