/** Who is let in, as whom, and what they may do there; over real sockets, with clients that know nothing of it. */
import { describe, expect, it, onTestFinished } from "vitest";
import type { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import type { RelayConfig } from "../../../src/relay/index.ts";
import {
  type Fields,
  PATCH_SUBPROTOCOL,
  controlFrame,
  fieldsOf,
  patchFrame,
  updateFrame,
  writePatch,
} from "../../../src/wire/index.ts";
import { pause, startRelay, stockClient, until } from "../../support.ts";
import { RawPeer, stateOf } from "../raw.ts";
import { SECRET, tokenFor } from "../tokens.ts";

const prompt = { tick: 0, lobbyTick: 0 };
const signed: RelayConfig = { ...prompt, jwtSecret: SECRET };

/** Opens a connection as a client of ours does, with a token. */
function peerWith(url: string, path: string, token: string, protocol = PATCH_SUBPROTOCOL): RawPeer {
  return new RawPeer(url, path, [protocol, `copresence.auth.${token}`]);
}

/** One that was let in, and knows it. */
async function letIn(url: string, path: string, claims: Record<string, unknown>): Promise<RawPeer> {
  const peer = peerWith(url, path, await tokenFor(claims));
  await until("it is let in", () => peer.controls.length > 0);
  return peer;
}

async function stock(url: string, room: string, claims: Record<string, unknown>, user?: object) {
  const params = { token: await tokenFor(claims) };
  return stockClient(url, room, { params, ...(user !== undefined && { user: user as Record<string, string> }) });
}

const usersSeen = ({ awareness }: WebsocketProvider): unknown[] =>
  [...awareness.getStates()].filter(([id]) => id !== awareness.clientID).map(([, state]) => state["user"]);

describe("a token", () => {
  it("[AUTH-1] [AUTH-2] [AUTH-14] lets in by subprotocol or by parameter, and is not sent back", async () => {
    const { relay, url } = await startRelay(signed);
    const token = await tokenFor({ sub: "alice" });
    const own = peerWith(url, "doc", token, PATCH_SUBPROTOCOL);
    await until("it is let in", () => own.controls.length > 0);
    expect(own.socket.protocol).toBe(PATCH_SUBPROTOCOL);
    const other = new RawPeer(url, "doc", ["y-websocket", `copresence.auth.${token}`]);
    await other.settle().catch(() => {});
    const byParameter = await stock(url, "doc", { sub: "bob" });
    await until("it is synced", () => byParameter.synced);
    expect(relay.room("doc")?.connections).toBe(3);
    expect(relay.metrics()).toMatchObject({ connections: 3, rooms: 1, accepted: 3, refused: {} });
  });

  it("[AUTH-15] alone, as no browser would take it, is answered 400", async () => {
    const { url } = await startRelay(signed);
    const peer = new RawPeer(url, "doc", [`copresence.auth.${await tokenFor({ sub: "alice" })}`]);
    await expect(new Promise((_, reject) => peer.socket.once("error", reject))).rejects.toThrow("400");
  });

  it.each<[string, () => string | Promise<string>, number, string]>([
    ["none", () => "", 4401, "the token is not valid"],
    ["no token at all", () => "x.y", 4401, "the token is not valid"],
    [
      "a wrong signature",
      () => tokenFor({ sub: "a" }, { secret: SECRET.toUpperCase() }),
      4401,
      "the token is not valid",
    ],
    ["no sub", () => tokenFor({}), 4401, "the token's sub is missing"],
    ["an end in the past", () => tokenFor({ sub: "a" }, { expiresIn: -60 }), 4501, "the token has expired"],
  ])("[AUTH-1] with %s is refused after the handshake", async (_, token, code, reason) => {
    const { relay, url } = await startRelay(signed);
    const peer = peerWith(url, "doc", await token());
    expect(await peer.closed).toEqual({ code, reason });
    expect(peer.received).toEqual([]);
    expect(relay.rooms()).toEqual([]);
    expect(relay.metrics().refused).toEqual({ [code === 4501 ? "expired" : "unauthenticated"]: 1 });
  });

  it("[AUTH-1] that is missing keeps a stock client out, for good", async () => {
    const { url } = await startRelay(signed);
    const client = stockClient(url, "doc");
    let code = 0;
    client.on("connection-close", (event) => (code = event?.code ?? 0));
    await until("it is refused", () => code === 4401);
    expect(client.synced).toBe(false);
  });

  it("[AUTH-6] is told whom it is known as, and how long it lasts", async () => {
    const { url } = await startRelay(signed);
    const peer = await letIn(url, "doc", { sub: "alice", name: "Alice", color: "#111111" });
    const [hello] = peer.controls;
    expect(hello).toMatchObject({ kind: "hello", user: { id: "alice", name: "Alice", color: "#111111" } });
    expect(hello?.kind === "hello" && hello.expiresInMs).toBeGreaterThan(3_590_000);
    const endless = peerWith(url, "doc", await tokenFor({ sub: "bob" }, { expiresIn: null }));
    await until("it is told", () => endless.controls.length > 0);
    expect(endless.controls[0]).not.toHaveProperty("expiresInMs");
  });

  it("[AUTH-4] that ends, ends its connection with 4501", async () => {
    const { relay, url } = await startRelay({ ...signed, clockTolerance: 0 });
    const short = peerWith(url, "doc", await tokenFor({ sub: "alice" }, { expiresIn: 2 }));
    expect(await short.closed).toEqual({ code: 4501, reason: "the token has expired" });
    expect(relay.metrics().closed).toEqual({ 4501: 1 });
  });
});

describe("a newer token", () => {
  const renew = async (peer: RawPeer, claims: Record<string, unknown>, expiresIn = 7_200): Promise<void> =>
    peer.send(controlFrame({ kind: "token", token: await tokenFor(claims, { expiresIn }) }));

  it("[AUTH-5] is taken, and the connection goes on", async () => {
    const { url } = await startRelay({ ...signed, clockTolerance: 0 });
    const peer = peerWith(url, "doc", await tokenFor({ sub: "alice" }, { expiresIn: 2 }));
    await until("it is let in", () => peer.controls.length > 0);
    await renew(peer, { sub: "alice" });
    await until("it is told", () => peer.controls.some(({ kind }) => kind === "access"));
    const access = peer.controls.find((control) => control.kind === "access");
    expect(access?.expiresInMs).toBeGreaterThan(7_190_000);
    await pause(2_300);
    expect(peer.close).toBeUndefined();
  });

  it.each<[string, Record<string, unknown>, number]>([
    ["another user's", { sub: "bob" }, 4403],
    ["another lobby's", { sub: "alice", lobby: "acme" }, 4403],
    ["one that grants nothing here", { sub: "alice", rooms: {} }, 4403],
    ["one that grants something else here", { sub: "alice", rooms: { doc: ["observe"] } }, 1012],
    ["one for another name", { sub: "alice", name: "Alicia" }, 1012],
    ["one without sub", {}, 4401],
  ])("[AUTH-13] that is %s ends it", async (_, claims, code) => {
    const { url } = await startRelay(signed);
    const peer = await letIn(url, "doc", { sub: "alice" });
    await renew(peer, claims);
    expect(await peer.closed).toMatchObject({ code });
  });

  it("[AUTH-5] is of no matter to a relay that asks nobody, and stock clients know of none", async () => {
    const { url } = await startRelay(prompt);
    const open = new RawPeer(url, "doc", [PATCH_SUBPROTOCOL]);
    await until("it is let in", () => open.controls.length > 0);
    await renew(open, { sub: "alice" });
    await until("it is told", () => open.controls.some(({ kind }) => kind === "access"));
    expect(open.controls.at(-1)).toEqual({ kind: "access", expiresInMs: null });
    const plain = new RawPeer(url, "doc", []);
    await until("it is let in", () => plain.received.length > 0);
    await renew(plain, { sub: "alice" });
    expect(await plain.closed).toEqual({ code: 4400, reason: "unexpected control message token" });
  });
});

describe("an authenticate of one's own", () => {
  it("[AUTH-1] is asked with all that is known, and what is said meanwhile is not lost", async () => {
    const asked: unknown[] = [];
    const { url, relay } = await startRelay({
      ...prompt,
      authenticate: async ({ headers, ...request }) => {
        asked.push({ ...request, host: headers.host });
        await pause(100);
        return { userId: "alice", name: "Alice" };
      },
    });
    const peer = new RawPeer(url, "doc?lobby=acme&token=t", []);
    peer.socket.once("open", () => peer.say([7, 1, { cursor: 1 }]));
    await until("she is there", () => relay.user("alice", "acme")?.name === "Alice");
    expect(asked).toEqual([
      { room: "doc", lobby: "@lobby/acme", token: "t", origin: null, address: "127.0.0.1", host: url.slice(5) },
    ]);
  });

  it("[AUTH-3] that fails, answers nonsense or takes too long lets nobody in, and is reported", async () => {
    const reported: unknown[] = [];
    let answer: () => unknown = () => {
      throw new Error("database is down");
    };
    const { url } = await startRelay({
      handshakeTimeout: 200,
      authenticate: () => answer() as never,
      onError: (error) => {
        reported.push((error as Error).message);
        throw new Error("and so is the log");
      },
    });
    const closeOf = (): Promise<unknown> => new RawPeer(url, "doc", []).closed;
    const unavailable = { code: 4503, reason: "authentication is not available" };
    expect(await closeOf()).toEqual(unavailable);
    answer = () => Promise.reject(new Error("later, too"));
    expect(await closeOf()).toEqual(unavailable);
    answer = () => ({ userId: "guest:1" });
    expect(await closeOf()).toEqual(unavailable);
    answer = () => undefined;
    expect(await closeOf()).toEqual(unavailable);
    answer = () => ({ userId: "alice", rooms: null });
    expect(await closeOf()).toEqual(unavailable);
    expect(reported).toEqual([
      "database is down",
      "later, too",
      expect.stringContaining("userId must be"),
      expect.stringContaining("no identity, { userId }"),
      expect.stringContaining("rooms must be"),
    ]);
    answer = () => new Promise(() => {});
    expect(await closeOf()).toEqual({ code: 4503, reason: "authentication takes too long" });
    expect(reported.at(-1)).toBe("authentication takes longer than 200 ms");
    answer = () => ({ code: 4403, reason: `no ${"ü".repeat(200)}` });
    expect(await closeOf()).toMatchObject({ code: 4403, reason: expect.stringMatching(/^no ü+$/) as string });
  });

  it("[RUN-3] that is still asked does not keep a relay from closing", async () => {
    const { relay, url } = await startRelay({ authenticate: () => pause(400).then(() => ({ userId: "alice" })) });
    const peer = new RawPeer(url, "doc", []);
    await new Promise((resolve) => peer.socket.once("open", resolve));
    await relay.close();
    expect(await peer.closed).toMatchObject({ code: 1012 });
    await pause(500);
    expect(relay.metrics()).toMatchObject({ connections: 0, accepted: 0 });
  });
});

describe("an authenticate that does not answer", () => {
  const fail = (): never => {
    throw new Error("no");
  };
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => void failures.push(error);

  it("[AUTH-12] does not keep a relay from closing, and holds no timer afterwards", async () => {
    const { relay, url } = await startRelay({ authenticate: () => new Promise(() => {}), handshakeTimeout: 60_000 });
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    const peer = new RawPeer(url, "doc", []);
    await new Promise((resolve) => peer.socket.once("open", resolve));
    await until("it is asked", () => timers() > before);
    await relay.close();
    expect(await peer.closed).toEqual({ code: 1012, reason: "the relay is stopping" });
    await until("no timer is left", () => timers() <= before);
  });

  it("[AUTH-3] [AUTH-12] one that fails after its time was over fails for nobody", async () => {
    process.on("unhandledRejection", onFailure);
    onTestFinished(() => void process.off("unhandledRejection", onFailure));
    const reported: string[] = [];
    let asked = 0;
    const { url } = await startRelay({
      handshakeTimeout: 50,
      authenticate: async () => {
        asked++;
        await pause(150);
        throw new Error("too late");
      },
      onError: (error, where) => reported.push(`${where}: ${(error as Error).message}`),
    });
    expect(await new RawPeer(url, "doc", []).closed).toEqual({ code: 4503, reason: "authentication takes too long" });
    await pause(250);
    expect([asked, reported, failures]).toEqual([1, ["authenticate: authentication takes longer than 50 ms"], []]);
  });

  it.each<[string, unknown]>([
    ["what is no object", 7],
    ["an object whose fields throw", new Proxy({}, { get: fail, has: fail })],
    ["a code that is none", { code: 200 }],
    ["a symbol", Symbol("alice")],
  ])("[AUTH-3] lets nobody in that answers %s", async (_, answer) => {
    const { url } = await startRelay({ authenticate: () => answer as never, onError: () => {} });
    expect(await new RawPeer(url, "doc", []).closed).toMatchObject({ code: 4503 });
  });
});

describe("identity on the wire", () => {
  it("[ID-1] [ID-2] nobody is seen as anybody else: not by stock clients, the lobby or the server", async () => {
    const { relay, url } = await startRelay(signed);
    const joined: string[] = [];
    relay.on("join", ({ roomId, userId }) => void joined.push(`${roomId} ${userId}`));
    const alice = await stock(url, "doc", { sub: "alice", name: "Alice" }, { id: "alice", name: "Alice" });
    const mallory = await stock(url, "doc", { sub: "mallory" }, { id: "alice", name: "Alice", color: "#fff" });
    // this one claims nobody, and moves
    const bob = await stock(url, "doc", { sub: "bob", name: "Bob" });
    bob.awareness.setLocalStateField("cursor", 1);
    await until("Alice sees both", () => usersSeen(alice).length === 2);
    bob.awareness.setLocalStateField("cursor", 2);
    await until("Alice sees him move", () => alice.awareness.getStates().get(bob.doc.clientID)?.["cursor"] === 2);
    expect(usersSeen(alice)).toEqual(
      expect.arrayContaining([
        { id: "mallory", name: "Alice", color: "#fff" },
        { id: "bob", name: "Bob" },
      ]),
    );
    mallory.awareness.setLocalStateField("user", { id: "alice" });
    await until("the change is seen", () =>
      usersSeen(alice).some((user) => JSON.stringify(user) === '{"id":"mallory"}'),
    );
    await until("all are counted", () => relay.users().length === 3);
    expect(relay.users().map(({ id }) => id)).toEqual(expect.arrayContaining(["alice", "bob", "mallory"]));
    expect(joined.filter((line) => line.startsWith("doc")).toSorted()).toEqual(["doc alice", "doc bob", "doc mallory"]);
    expect(relay.user("alice")?.sessions).toHaveLength(1);
  });

  it("[ID-3] a session is taken over by its own user alone", async () => {
    const { relay, url } = await startRelay(signed);
    const alice = await letIn(url, "doc", { sub: "alice" });
    alice.say([1, 1, stateOf("alice", "s_1")]);
    await until("she is there", () => relay.user("alice") !== undefined);
    const mallory = await letIn(url, "doc", { sub: "mallory" });
    mallory.say([1, 9, stateOf("alice", "s_1")], [2, 1, stateOf("alice", "s_1")], [1, 10, null]);
    await until("the other id is Mallory's", () => relay.user("mallory") !== undefined);
    await until("she still has hers", () => relay.room("doc")?.users.length === 2);
    expect(alice.controls.some(({ kind }) => kind === "superseded")).toBe(false);
    const again = await letIn(url, "doc", { sub: "alice" });
    again.say([3, 1, stateOf("alice", "s_1")]);
    await until("she is told of her own", () => alice.controls.some(({ kind }) => kind === "superseded"));
  });
});

describe("a client id whose connection was lost", () => {
  it("[ID-3] [OWN-3] is its user's, in the grace and after, however quick somebody else is", async () => {
    const { relay, url } = await startRelay({ ...signed, leaveGrace: 150 });
    const first = await letIn(url, "doc", { sub: "alice" });
    first.say([1, 1, stateOf("alice", "s_1")]);
    await until("she is there", () => relay.user("alice") !== undefined);
    const mallory = await letIn(url, "doc", { sub: "mallory" });
    first.socket.terminate();
    await until("she is missed", () => relay.user("alice")?.reconnecting === true);
    mallory.say([1, 50, stateOf("alice", "s_1")]);
    await until("she has left", () => relay.room("doc")?.users.length === 0);
    mallory.say([1, 51, stateOf("alice", "s_1")]);
    await mallory.settle();
    expect(relay.room("doc")?.users).toEqual([]);
    const again = await letIn(url, "doc", { sub: "alice" });
    again.say([1, 2, stateOf("alice", "s_1")]);
    await until("she is back", () => relay.room("doc")?.users[0]?.id === "alice");
  });
});

describe("patches", () => {
  it("[ID-1] [PATCH-1] are of what was said, whatever others are told", async () => {
    const { relay, url } = await startRelay(signed);
    const mallory = peerWith(url, "doc", await tokenFor({ sub: "mallory", name: "Mallory" }), PATCH_SUBPROTOCOL);
    const witness = await letIn(url, "doc", { sub: "alice" });
    const before = fieldsOf({ user: { id: "alice", name: "Alice" }, cursor: 1 });
    const moved = fieldsOf({ user: { id: "alice", name: "Alice" }, cursor: 2 });
    const renamed = fieldsOf({ user: { id: "alicia", name: "Alicia" }, cursor: 2 });
    await until("it is let in", () => mallory.controls.length > 0);
    const patch = (clock: number, from: Fields, to: Fields): void =>
      mallory.send(patchFrame(7, clock, (encoder) => void writePatch(encoder, from, to)));
    mallory.say([7, 1, { user: { id: "alice", name: "Alice" }, cursor: 1 }]);
    const user = { id: "mallory", name: "Mallory" };
    await until("others see it", () => witness.states.has(7));
    expect(witness.states.get(7)).toEqual({ user, cursor: 1 });
    patch(2, before, moved);
    await until("it moves", () => JSON.stringify(witness.states.get(7)).includes('"cursor":2'));
    expect(witness.states.get(7)).toEqual({ user, cursor: 2 });
    patch(3, moved, renamed);
    patch(4, renamed, fieldsOf({ cursor: 3 }));
    await until("it goes on", () => JSON.stringify(witness.states.get(7)).includes('"cursor":3'));
    expect(witness.states.get(7)).toEqual({ user, cursor: 3 });
    expect(relay.room("doc")?.users.map(({ id }) => id)).toEqual(["mallory"]);
    expect(mallory.close).toBeUndefined();
  });
});

describe("grants", () => {
  /** What is granted to Olga in `doc`, where Alice has everything. */
  async function room(...grants: string[]) {
    const { relay, url } = await startRelay(signed);
    const alice = await stock(url, "doc", { sub: "alice" }, { name: "Alice" });
    alice.doc.getText("t").insert(0, "secret");
    const olga = await stock(url, "doc", { sub: "olga", rooms: { doc: grants } }, { name: "Olga" });
    await until("both are synced", () => alice.synced && olga.synced);
    return { relay, url, alice, olga };
  }

  it("[GRANT-3] an observer sees, and is not seen, in the room or in the lobby", async () => {
    const { relay, alice, olga } = await room("observe", "read", "write");
    await until("she sees Alice", () => usersSeen(olga).length === 1);
    // what is written before comes behind it, as chance has it
    await until("she has the text", () => olga.doc.getText("t").toJSON() === "secret");
    olga.doc.getText("t").insert(0, "not ");
    await until("she may write", () => alice.doc.getText("t").toJSON() === "not secret");
    olga.awareness.setLocalStateField("cursor", 1);
    await pause(100);
    expect(usersSeen(alice)).toEqual([]);
    expect(relay.users().map(({ id }) => id)).toEqual(["alice"]);
    expect(olga.wsconnected).toBe(true);
    expect(relay.metrics().dropped["awareness"]).toBeGreaterThan(0);
  });

  it("[GRANT-4] one who may not observe is seen, and sees nobody", async () => {
    const { relay, alice, olga } = await room("presence");
    await until("she is seen", () => usersSeen(alice).length === 1);
    await until("and counted", () => relay.users().length === 2);
    alice.awareness.setLocalStateField("cursor", 1);
    await pause(100);
    expect(usersSeen(olga)).toEqual([]);
  });

  it("[GRANT-5] a reader changes nothing, and goes on reading", async () => {
    const { relay, alice, olga } = await room("observe", "read");
    await until("she has the text", () => olga.doc.getText("t").toJSON() === "secret");
    olga.doc.getMap("m").set("k", 1);
    await until("it is dropped", () => (relay.metrics().dropped["document"] ?? 0) > 0);
    alice.doc.getText("t").insert(0, "my ");
    await until("she reads on", () => olga.doc.getText("t").toJSON() === "my secret");
    expect(alice.doc.getMap("m").size).toBe(0);
  });

  it("[GRANT-5] one who may not read gets nothing of the document, and may write if so granted", async () => {
    const { alice, olga, url } = await room("presence", "write");
    olga.doc.getMap("m").set("k", 1);
    await until("it is taken", () => alice.doc.getMap("m").get("k") === 1);
    alice.doc.getText("t").insert(0, "my ");
    await pause(100);
    expect(olga.doc.getText("t").toJSON()).toBe("");
    const raw = await letIn(url, "doc", { sub: "olga", rooms: { doc: ["presence"] } });
    await raw.settle();
    raw.send(updateFrame(Y.encodeStateAsUpdate(alice.doc)));
    await raw.settle();
    expect(raw.frames.find((frame) => frame.type === "syncStep1")).toEqual({
      type: "syncStep1",
      stateVector: Uint8Array.of(0),
    });
    expect(raw.doc.getText("t").toJSON()).toBe("");
  });

  it.each<[string, string, Record<string, unknown>, string]>([
    ["a room that is not listed", "other", { rooms: { doc: ["observe"] } }, "nothing is granted to you in this room"],
    [
      "a room with an empty list",
      "doc",
      { rooms: { "*": ["observe"], doc: [] } },
      "nothing is granted to you in this room",
    ],
    ["a lobby that is not listed", "@lobby", { rooms: { "*": ["observe"] } }, "nothing is granted to you in the lobby"],
    ["another tenant's lobby", "@lobby/acme", { lobby: "evil" }, "your lobby is @lobby/evil"],
    ["the default lobby", "@lobby", { lobby: "evil" }, "your lobby is @lobby/evil"],
  ])("[GRANT-2] [GRANT-6] [GRANT-7] [PRIV-1] %s is closed with 4403", async (_, path, claims, reason) => {
    const { url } = await startRelay(signed);
    const peer = peerWith(url, path, await tokenFor({ sub: "olga", ...claims }));
    expect(await peer.closed).toEqual({ code: 4403, reason });
  });

  it("[GRANT-6] [GRANT-8] the lobby may be announced to and not read, or read and not announced to", async () => {
    const { relay, url } = await startRelay(signed);
    const announcer = await letIn(url, "@lobby", { sub: "alice", rooms: { "@lobby": ["presence"] } });
    announcer.say([1, 1, stateOf("alice", "s_1")]);
    const reader = await letIn(url, "@lobby", { sub: "olga", rooms: { "@lobby": ["observe"] } });
    reader.say([2, 1, stateOf("olga", "s_2")]);
    await reader.settle();
    await announcer.settle();
    const shards = (peer: RawPeer): string => JSON.stringify(peer.doc.getMap("shards").toJSON());
    await until("Alice is in what Olga reads", () => shards(reader).includes('"alice"'));
    expect(shards(reader)).not.toContain("olga");
    expect([shards(announcer), announcer.states.size, reader.states.size]).toEqual(["{}", 0, 1]);
    expect(relay.users().map(({ id }) => id)).toEqual(["alice"]);
  });

  it("[GRANT-7] a token's lobby is where it counts, whatever is asked for", async () => {
    const { relay, url } = await startRelay(signed);
    const peer = await letIn(url, "doc?lobby=acme", { sub: "alice", lobby: "evil" });
    peer.say([1, 1, stateOf("alice", "s_1")]);
    await until("she counts in hers", () => relay.user("alice", "evil") !== undefined);
    expect(relay.user("alice", "acme")).toBeUndefined();
  });
});
