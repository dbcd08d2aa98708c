/** People who sign in: their tokens are short, their visits are not. */
import { SignJWT } from "jose";
import { beforeEach, expect, it } from "vitest";
import { sessionServer } from "../../../demo/session.js";
import type { Presence, PresenceEvent } from "../../../src/client/index.ts";
import { ownClient, pause, until } from "../../support.ts";
import { type RelayProcess, spawnRelay } from "../demo/servers.ts";
import { ARRIVED, Demo, GONE, type Visitor, avatar, person, testId } from "../demo/visitor.ts";

const SECRET = "no secret at all, but longer than 32 bytes";
const LIFETIME_S = 4;

const server = { relay: "", tokens: 0, works: true };
beforeEach(() => Object.assign(server, { relay: "", tokens: 0, works: true }));
const session = sessionServer({ secret: SECRET, relay: () => server.relay, lifetimeS: LIFETIME_S });
const demo = new Demo([], (request, response, next) => {
  const isToken = request.url === "/session/token";
  if (isToken && !server.works) return void response.writeHead(503).end();
  if (isToken) server.tokens++;
  session(request, response, next);
});

/** A relay that lets in who has a token, and not a moment longer. */
async function guarded(): Promise<RelayProcess> {
  const flags = ["--jwt-secret", SECRET, "--clock-tolerance", "0", "--leave-grace", "30000"];
  const relay = await spawnRelay(flags);
  server.relay = relay.url;
  return relay;
}

async function arrive(name: string): Promise<Visitor & { readonly sockets: string[] }> {
  const page = await (await demo.context()).newPage();
  const sockets: string[] = [];
  page.on("websocket", (socket) => {
    sockets.push("opened");
    socket.on("close", () => sockets.push("closed"));
  });
  const visitor = demo.at(page);
  await page.goto(`${demo.url}/#/field-notes`);
  await visitor.signIn(name);
  return Object.assign(visitor, { sockets });
}

/** Somebody without a page, whose token lasts. */
async function observer(relay: RelayProcess): Promise<Presence> {
  const token = await new SignJWT({ name: "Olga" })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject("olga")
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(SECRET));
  const olga = ownClient(relay.url, "olga", { token });
  await until("she is there", () => olga.lobby.status === "live");
  return olga;
}

const status = testId("roster-status");

it("[TOKEN-2] [TOKEN-5] Bob's token is renewed on the connections that he has: Alice sees nothing of it, nor does he", async () => {
  await guarded();
  const alice = await arrive("Alice");
  const bob = await arrive("Bob");
  await alice.sees(avatar("u_bob"));
  await alice.finds("his arrival", async () => (await alice.comings("u_bob")).length === ARRIVED.length);
  const seen = await alice.watchAttribute(avatar("u_bob"), "data-reconnecting");
  const own = await bob.watchAttribute(status, "data-status");
  const before = server.tokens;
  await pause(1.5 * LIFETIME_S * 1_000);
  // each renewed at least twice
  expect(server.tokens - before).toBeGreaterThanOrEqual(4);
  expect(server.tokens - before).toBeLessThan(20);
  expect(bob.sockets).toEqual(["opened"]);
  expect(await own()).toEqual(["live"]);
  expect(await seen()).toEqual(["false"]);
  expect(await alice.comings("u_bob")).toEqual(ARRIVED);
  await bob.write("Still here");
  await alice.finds("his words", async () => (await alice.lines())[0] === "Still here");
  // he is who the token says, in her eyes and in his own
  await alice.sees(person("u_bob"), "Bob");
  await bob.sees(person("u_bob"), "you");
});

it("[TOKEN-3] [TOKEN-4] when there are no more tokens Bob's expires, and he is told; when there are, he was never gone", async () => {
  const relay = await guarded();
  const bob = await arrive("Bob");
  const olga = await observer(relay);
  await until("she sees him", () => olga.lobby.get("u_bob")?.status === "online");
  const events: string[] = [];
  const note = ({ type, userId, user }: PresenceEvent): void => {
    if (userId === "u_bob") events.push(`${type}${user.reconnecting ? " reconnecting" : ""}`);
  };
  olga.lobby.on("event", note);
  const own = await bob.watchAttribute(status, "data-status");

  server.works = false;
  await bob.sees(`${status}[data-status="stale"]`);
  await bob.sees(".banner", "Reconnecting");
  await until("it is seen", () => olga.lobby.get("u_bob")?.reconnecting === true);
  expect(bob.sockets.filter((what) => what === "closed")).toHaveLength(1);
  // what he sees may be out of date, but nobody has left because of it
  await bob.sees(person("olga"));
  const opened = (): number => bob.sockets.filter((what) => what === "opened").length;
  const tried = opened();
  await pause(1_000);
  // without a token the relay is not bothered
  expect(opened()).toBe(tried);

  server.works = true;
  await bob.isLive();
  await until("she sees him back", () => olga.lobby.get("u_bob")?.reconnecting === false);
  expect(await own()).toEqual(["live", "stale", "live"]);
  expect(new Set(events)).toEqual(new Set(["update reconnecting", "update"]));
});

it("Bob signs out: he is gone at once, in all his tabs, and his browser shows nobody", async () => {
  await guarded();
  const alice = await arrive("Alice");
  const bob = await arrive("Bob");
  const second = demo.at(await bob.page.context().newPage());
  await second.page.goto(demo.url);
  await second.isLive();
  await alice.finds("his arrival", async () => (await alice.comings("u_bob")).length === ARRIVED.length);
  await bob.page.locator(testId("status-menu")).click();
  await bob.page.locator(testId("sign-out")).click();
  await bob.sees(testId("sign-in"));
  // the other tab hears of it when it asks for its next token
  await second.sees(testId("sign-in"));
  await alice.misses(`${person("u_bob")}, ${avatar("u_bob")}`);
  await alice.finds("his leave", async () => (await alice.comings("u_bob")).join() === GONE.join());
});
