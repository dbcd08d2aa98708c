/** What somebody hostile may try, each on a relay with a key, in a room with two honest people who must notice nothing. */
import { connect } from "node:net";
import * as encoding from "lib0/encoding";
import { expect, describe, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import * as Y from "yjs";
import {
  Close,
  PATCH_SUBPROTOCOL,
  awarenessFrame,
  encodeEntries,
  patchFrame,
  updateFrame,
} from "../../src/wire/index.ts";
import { type Said, RawPeer, mentions, rawPeer } from "../relay/raw.ts";
import { SECRET, tokenFor } from "../relay/tokens.ts";
import { type RunningRelay, startRelay, until } from "../support.ts";
import { type Witnesses, witnesses } from "./witnesses.ts";

interface Scene extends RunningRelay, Witnesses {
  /** Mallory's connection to the room of Alice and Bob, with a token of her own. */
  readonly mallory: () => Promise<RawPeer>;
}

const ROOM = "doc";
const OFTEN = 2 ** 40;

async function scene(options: Parameters<typeof startRelay>[0] = {}): Promise<Scene> {
  const running = await startRelay({ jwtSecret: SECRET, tick: 5, lobbyTick: 10, ...options });
  const honest = await witnesses(running.url, ROOM);
  const token = await tokenFor({ sub: "mallory", name: "Mallory" });
  return { ...running, ...honest, mallory: () => rawPeer(running.url, `${ROOM}?token=${token}`) };
}

const aliceState = (extra: object = {}): object => ({ user: { id: "alice", name: "Alice" }, ...extra });

/** What became of a connection that asks for `path`. */
async function refusal(url: string, path: string, headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(`${url}/${path}`, { headers });
  onTestFinished(() => socket.terminate());
  socket.on("error", () => {});
  return new Promise((resolve) => {
    socket.once("close", (code) => resolve(code));
  });
}

describe("somebody hostile, with a token of her own", () => {
  it("[ID-1] is not taken for Alice, whatever she says", async () => {
    const { mallory, relay, undisturbed } = await scene();
    const peer = await mallory();
    peer.say([666, 1, aliceState()]);
    await until("she is there as herself", () => relay.user("mallory") !== undefined);
    expect(relay.user("mallory")?.name).toBe("Mallory");
    expect(relay.user("alice")?.sessions).toHaveLength(1);
    await undisturbed();
  });

  it("[OWN-1] erases nobody: not everyone, and not one", async () => {
    const { mallory, aliceId, bobId, undisturbed } = await scene();
    const peer = await mallory();
    const nulls = [aliceId, bobId].map((id): Said => [id, OFTEN, null]);
    peer.say(...nulls);
    peer.say([aliceId, OFTEN + 1, null]);
    await peer.settle();
    await undisturbed();
  });

  it("[OWN-1] [WIRE-5] poisons no clock", async () => {
    const { mallory, aliceId, bobId, undisturbed } = await scene();
    const peer = await mallory();
    peer.say([aliceId, 2 ** 48, aliceState({ cursor: "poison" })], [bobId, 2 ** 48 - 1, {}]);
    await peer.settle();
    await undisturbed();
    peer.say([aliceId, Number.MAX_SAFE_INTEGER, aliceState()]);
    expect((await peer.closed).code).toBe(Close.malformed);
    await undisturbed();
  });

  it("[WIRE-5] [OWN-2] does not have those closed who say back what they hear of her", async () => {
    const { mallory, alice, undisturbed } = await scene();
    const first = await mallory();
    first.say([666, 2 ** 48, { n: 1 }]);
    await until("Alice hears of her", () => alice.awareness.states.has(666));
    first.socket.terminate();
    const second = await mallory();
    second.say([666, 2 ** 48, { n: 2 }]);
    await until("Alice hears more", () => alice.awareness.states.get(666)?.["n"] === 2);
    expect(alice.awareness.meta.get(666)?.clock).toBeGreaterThan(2 ** 48);
    await undisturbed();
  });

  it("[WIRE-5] [PATCH-1] poisons no clock with a patch, which others would say back", async () => {
    const { url, alice, undisturbed } = await scene();
    const token = await tokenFor({ sub: "mallory" });
    const peer = new RawPeer(url, `${ROOM}?token=${token}`, ["copresence.v2"]);
    await until("she is in", () => peer.received.length > 0);
    peer.say([666, 1, { n: 1 }]);
    await until("Alice hears of her", () => alice.awareness.states.has(666));
    peer.send(patchFrame(666, Number.MAX_SAFE_INTEGER, () => {}));
    expect((await peer.closed).code).toBe(Close.malformed);
    await undisturbed();
  });

  it("[OWN-6] brings back nobody who has left", async () => {
    const { mallory, url, relay, undisturbed } = await scene();
    const peer = await mallory();
    const carol = await rawPeer(url, `${ROOM}?token=${await tokenFor({ sub: "carol" })}`);
    carol.say([77, OFTEN, { user: { id: "carol" } }]);
    await until("Carol is there", () => peer.states.has(77) && relay.user("carol")?.status === "online");
    carol.say([77, OFTEN + 1, null]);
    await until("Carol has left", () => !peer.states.has(77) && relay.user("carol")?.status === "offline");
    peer.say([77, OFTEN + 2, { user: { id: "carol" } }]);
    await peer.settle();
    expect(relay.user("carol")?.status).toBe("offline");
    await undisturbed();
  });

  it("[ID-3] takes nobody's id while they are away for a moment", async () => {
    const { mallory, alice, aliceId, relay } = await scene();
    const peer = await mallory();
    alice.ws?.close();
    await until("Alice is away", () => relay.user("alice")?.reconnecting === true);
    peer.say([aliceId, 2 * OFTEN, aliceState({ cursor: "mine now" })]);
    await peer.settle();
    await until("Alice is back", () => alice.synced && relay.user("alice")?.reconnecting === false);
    expect(relay.user("alice")?.sessions).toHaveLength(1);
    expect(relay.user("mallory")).toBeUndefined();
  });

  it("[GRANT-1] [GRANT-7] comes into no room that is not hers, nor another tenant's lobby", async () => {
    const { url, undisturbed } = await scene();
    const token = await tokenFor({ sub: "mallory", lobby: "evil", rooms: { "evil-*": ["observe", "presence"] } });
    expect(await refusal(url, `${ROOM}?token=${token}`)).toBe(Close.notAllowed);
    expect(await refusal(url, `@lobby?token=${token}`)).toBe(Close.notAllowed);
    expect(await refusal(url, `@lobby/acme?token=${token}`)).toBe(Close.notAllowed);
    const peer = await rawPeer(url, `evil-1?token=${token}&lobby=acme`);
    await peer.settle();
    expect(mentions(peer.received, "Alice")).toBe(false);
    await undisturbed();
  });

  it("[LOBBY-4] writes nothing into the lobby", async () => {
    const { url, undisturbed } = await scene();
    const peer = await rawPeer(url, `@lobby?token=${await tokenFor({ sub: "mallory" })}`);
    await peer.settle();
    const doc = new Y.Doc();
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(peer.doc));
    const before = Y.encodeStateVector(doc);
    doc.getMap("shards").clear();
    doc.getMap("shards").set("r_evil", new Y.Map([["alice", {}]]));
    peer.send(updateFrame(Y.encodeStateAsUpdate(doc, before)));
    await peer.settle();
    expect([...peer.doc.getMap("shards").keys()]).not.toContain("r_evil");
    await undisturbed();
  });

  it("[STATE-3] [STATE-12] [WIRE-5] harms nobody with names such as __proto__, or with deep nesting", async () => {
    const { mallory, undisturbed } = await scene();
    const peer = await mallory();
    const names = '{"__proto__":{"polluted":true},"user":{"id":"__proto__","__proto__":{"name":"x"}},"constructor":1}';
    peer.send(stateFrame(names));
    await peer.settle();
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    await undisturbed();
    peer.send(stateFrame(`{"deep":${"[".repeat(5_000)}${"]".repeat(5_000)}}`));
    expect((await peer.closed).code).toBe(Close.malformed);
    await undisturbed();
  });

  it("[WIRE-3] is closed for a frame of 100 MB, of which nothing is kept", async () => {
    const { mallory, undisturbed } = await scene();
    const peer = await mallory();
    peer.socket.on("error", () => {});
    peer.send(new Uint8Array(100 * 2 ** 20));
    expect((await peer.closed).code).toBe(Close.tooLarge);
    await undisturbed();
  });

  it("[LIMIT-1] is closed for a flood of small frames", async () => {
    const { mallory, undisturbed } = await scene({ messageRate: 200 });
    const peer = await mallory();
    for (let i = 0; i < 2_000; i++) peer.send(Uint8Array.of(1, 1, 0));
    expect((await peer.closed).code).toBe(Close.tooManyMessages);
    await undisturbed();
  });

  it("[WIRE-3] is closed for thousands of ids", async () => {
    const { mallory, relay, undisturbed } = await scene();
    const peer = await mallory();
    peer.say(...Array.from({ length: 5_000 }, (_, i): Said => [1_000 + i, 1, {}]));
    expect((await peer.closed).code).toBe(Close.malformed);
    expect(relay.user("mallory")?.sessions.length ?? 0).toBeLessThanOrEqual(64);
    await undisturbed();
  });

  it.each([
    [5_000_000, Close.tooLarge],
    [60_000, Close.malformed],
  ])("[PATCH-3] [PATCH-4] stops nobody with a patch that says %d times that nothing changed", async (times, code) => {
    const { url, undisturbed } = await scene();
    const peer = new RawPeer(url, `${ROOM}?token=${await tokenFor({ sub: "mallory" })}`, [PATCH_SUBPROTOCOL]);
    await until("she is in", () => peer.received.length > 0);
    peer.say([66, 1, { a: "x".repeat(60_000) }]);
    // over field 0, in no place
    const patch = new Uint8Array(2 * times + 1).map((_, i) => (i % 2 === 0 && i < 2 * times ? 4 : 0));
    peer.send(patchFrame(66, 2, (encoder) => encoding.writeUint8Array(encoder, patch)));
    expect((await peer.closed).code).toBe(code);
    await undisturbed();
  });

  it("[WIRE-1] is closed for a patch, on a connection that takes none", async () => {
    const { mallory, undisturbed } = await scene();
    const peer = await mallory();
    peer.send(patchFrame(66, 2, (encoder) => encoding.writeUint8(encoder, 0)));
    expect((await peer.closed).code).toBe(Close.malformed);
    await undisturbed();
  });

  it("[WIRE-2] is closed for a state that stock clients could not read", async () => {
    const { mallory, undisturbed } = await scene();
    const peer = await mallory();
    const state = new TextEncoder().encode('{"a\nb":1}');
    peer.send(awarenessFrame(encodeEntries([{ id: 66, clock: 1, state }])));
    expect(await peer.closed).toEqual({ code: Close.malformed, reason: "invalid JSON" });
    await undisturbed();
  });

  it("[WIRE-3] [OWN-6] is closed for thousands of ids one after the other", async () => {
    const { mallory, undisturbed } = await scene();
    const peer = await mallory();
    for (let i = 0; i < 100; i++) {
      peer.say([1_000 + i, 1, {}]);
      peer.say([1_000 + i, 2, null]);
    }
    expect(await peer.closed).toEqual({
      code: Close.malformed,
      reason: "more than 64 awareness states on one connection",
    });
    await undisturbed();
  });
});

describe("a stranger", () => {
  it.each<[string, () => Promise<string>, number]>([
    ["none", async () => "", Close.notAuthenticated],
    ["one that is not signed", async () => unsigned({ sub: "alice" }), Close.notAuthenticated],
    [
      "one that is signed by somebody else",
      async () => tokenFor({ sub: "alice" }, { secret: SECRET.toUpperCase() }),
      Close.notAuthenticated,
    ],
    ["one for another audience", async () => tokenFor({ sub: "alice", aud: "elsewhere" }), Close.notAuthenticated],
    [
      "one that has expired",
      async () => tokenFor({ sub: "alice", aud: "here" }, { expiresIn: -3_600 }),
      Close.tokenExpired,
    ],
  ])("[JWT-1] with a token, %s, does not come in", async (_, make, code) => {
    const running = await startRelay({ jwtSecret: SECRET, jwtAudience: "here" });
    expect(await refusal(running.url, `${ROOM}?token=${await make()}`)).toBe(code);
    expect(running.relay.rooms()).toEqual([]);
  });

  it("[AUTH-9] does not come in from another site's page", async () => {
    const { url, undisturbed } = await scene({ origins: ["https://app.example"] });
    const path = `${ROOM}?token=${await tokenFor({ sub: "mallory" })}`;
    expect(await refusal(url, path, { origin: "https://evil.example" })).toBe(Close.notAllowed);
    await undisturbed();
  });

  it("[LIMIT-5] who opens handshakes and does not finish them, or a byte at a time, is cut off", async () => {
    const { port, undisturbed } = await scene({ handshakeTimeout: 300 });
    const request = `GET /${ROOM} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`;
    const sockets = Array.from({ length: 200 }, (_, i) => {
      const socket = connect(port, "127.0.0.1");
      onTestFinished(() => void socket.destroy());
      socket.on("error", () => {});
      // half of them say half of it, the others drip
      if (i % 2 === 0) socket.write(request);
      else {
        let at = 0;
        const drip = setInterval(() => socket.write(request[at++ % request.length] ?? ""), 20);
        socket.once("close", () => clearInterval(drip));
      }
      return socket.resume();
    });
    await undisturbed();
    await until("all are cut off", () => sockets.every((socket) => socket.destroyed), 10_000);
    await undisturbed();
  });
});

let clock = 0;
function stateFrame(json: string): Uint8Array {
  clock++;
  return awarenessFrame(encodeEntries([{ id: 666, clock, state: new TextEncoder().encode(json) }]));
}

function unsigned(claims: object): string {
  const [header, body] = [{ alg: "none" }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  return `${header}.${body}.`;
}
