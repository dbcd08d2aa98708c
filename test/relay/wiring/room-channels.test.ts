/** A relay at the other end of a link, over which things are said that no client would say. */
import { SignJWT } from "jose";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import {
  AUTH_PREFIX,
  type Control,
  EnvelopeReader,
  type Frame,
  KEEP_ALIVE_FRAME,
  LINK_CHANNEL,
  LINK_SUBPROTOCOL,
  PIECE,
  controlFrame,
  decodeFrame,
  envelope,
  envelopeHead,
  envelopesOf,
  syncStep1Frame,
} from "../../../src/wire/index.ts";
import type { Authenticate, RelayConfig } from "../../../src/relay/index.ts";
import { type ChannelHub, RoomChannels } from "../../../src/relay/wiring/room-channels.ts";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";
import { statesFrame, stateOf } from "../raw.ts";

const quick = { tick: 0, lobbyTick: 0 };

/** A control message that no encoder would make. */
function textFrame(text: string): Uint8Array {
  return Uint8Array.of(99, text.length, ...new TextEncoder().encode(text));
}

/** A link that says what it is told to, and writes down what it hears. */
async function rawLink(url: string, token?: string) {
  const protocols = [LINK_SUBPROTOCOL, ...(token === undefined ? [] : [AUTH_PREFIX + token])];
  const socket = new WebSocket(`${url}/@link`, protocols);
  onTestFinished(() => socket.terminate());
  const heard: { readonly channel: number; readonly frame: Frame }[] = [];
  const reader = new EnvelopeReader();
  const closes: (readonly [code: number, reason: string])[] = [];
  socket.on("message", (data: Buffer) => {
    const { channel, part, message, bytes } = reader.read(new Uint8Array(data));
    if (part !== 0) say(LINK_CHANNEL, controlFrame({ kind: "read", bytes }));
    if (message !== null) heard.push({ channel, frame: decodeFrame(message) });
  });
  socket.on("close", (code, reason) => closes.push([code, reason.toString()]));
  await new Promise((resolve) => socket.once("open", resolve));
  function say(channel: number, frame: Uint8Array): void {
    socket.send(envelope(channel, frame));
  }
  const tell = (control: Control): void => say(LINK_CHANNEL, controlFrame(control));
  const open = (channel: number, room: string): void => tell({ kind: "open", channel, room });
  const controls = (channel: number): Control[] =>
    heard.flatMap((each) => (each.channel === channel && each.frame.type === "control" ? [each.frame.control] : []));
  const isOpen = (channel: number): Promise<void> =>
    until(`channel ${channel} is open`, () => controls(channel).some(({ kind }) => kind === "hello"));
  return { socket, heard, closes, say, tell, open, controls, isOpen };
}

describe("a link", () => {
  it("[LINK-3] [LINK-4] opens rooms, and refuses those that cannot be, while all others go on", async () => {
    const { url, relay } = await startRelay(quick);
    const link = await rawLink(url);
    link.open(1, "doc 1/ü");
    link.open(2, "@mine");
    link.open(3, "");
    link.open(4, "x".repeat(513));
    link.open(5, "\ud800");
    link.open(6, "a/../b");
    link.open(9, "@lobby");
    await link.isOpen(9);
    expect(link.controls(1)).toMatchObject([{ kind: "hello", room: "doc 1/ü", grants: expect.anything() }]);
    expect(link.controls(LINK_CHANNEL)).toEqual([
      { kind: "refused", channel: 2, code: 4403, reason: "room names that start with @ are reserved" },
      { kind: "refused", channel: 3, code: 4400, reason: "room name is empty" },
      { kind: "refused", channel: 4, code: 4400, reason: "room name is longer than 512 characters" },
      { kind: "refused", channel: 5, code: 4400, reason: 'room name has a segment "." or "..", or is not valid UTF-8' },
      { kind: "refused", channel: 6, code: 4400, reason: 'room name has a segment "." or "..", or is not valid UTF-8' },
    ]);
    expect(relay.room("doc 1/ü")?.connections).toBe(1);
    expect(link.closes).toEqual([]);
  });

  it.each([
    ["a number that was used before", controlFrame({ kind: "open", channel: 1, room: "doc" })],
    ["a message that is of no link", syncStep1Frame(new Uint8Array(1))],
    ["what only relays say", controlFrame({ kind: "refused", channel: 1, code: 4400, reason: "" })],
    ["what is malformed", Uint8Array.of(99, 2, 123, 125)],
    ["a change of the session that is no object", textFrame('{"kind":"session","user":[]}')],
    ["a receipt for more bytes than there are numbers for", textFrame('{"kind":"read","bytes":1e999}')],
  ])("[LINK-3] [LINK-6] ends with %s on channel 0", async (_what, frame) => {
    const { url, relay } = await startRelay({ ...quick, leaveGrace: 0 });
    const link = await rawLink(url);
    link.open(1, "doc");
    await link.isOpen(1);
    link.say(LINK_CHANNEL, frame);
    await until("it is closed", () => link.closes.length === 1);
    expect(link.closes[0]?.[0]).toBe(4400);
    expect(relay.rooms()).toEqual([]);
  });

  it("[LINK-5] [LIVE-1] whose client closes a channel leaves that room at once, and no other", async () => {
    const { url, relay } = await startRelay({ ...quick, leaveGrace: 60_000 });
    const link = await rawLink(url);
    for (const [channel, room] of [
      [1, "a"],
      [2, "b"],
    ] as const) {
      link.open(channel, room);
      link.say(channel, statesFrame([channel, 1, stateOf("alice", "s_1")]));
    }
    await until("she is in both", () => relay.room("a")?.users.length === 1 && relay.room("b")?.users.length === 1);
    link.tell({ kind: "close", channel: 1, code: 1000, reason: "" });
    await until("she has left", () => relay.room("a") === undefined);
    expect(relay.room("b")?.users.length).toBe(1);
    // what was still under way is nobody's
    link.say(1, Uint8Array.of(77));
    link.tell({ kind: "close", channel: 1, code: 1000, reason: "" });
    link.say(LINK_CHANNEL, KEEP_ALIVE_FRAME);
    await until("it goes on", () => link.heard.some(({ channel }) => channel === LINK_CHANNEL));
    expect(link.closes).toEqual([]);
  });

  it("[LINK-6] loses the room in which it sent too much, while the rest of that is still under way", async () => {
    const { url } = await startRelay({ ...quick, maxMessage: 100_000 });
    const link = await rawLink(url);
    link.open(1, "a");
    link.open(2, "b");
    await link.isOpen(2);
    for (const piece of envelopesOf(1, new Uint8Array(250_000), 50_000)) link.socket.send(piece);
    link.say(LINK_CHANNEL, KEEP_ALIVE_FRAME);
    await until("all is read", () => link.heard.some(({ frame }) => frame.type === "awareness"));
    expect(link.controls(LINK_CHANNEL)).toEqual([
      { kind: "close", channel: 1, code: 4413, reason: "message too large" },
    ]);
    expect(link.closes).toEqual([]);
  });

  it("[LINK-6] keeps nothing of what comes in pieces for a room that it is not in", async () => {
    const { url } = await startRelay({ ...quick, maxMessage: 100_000 });
    const link = await rawLink(url);
    link.open(1, "a");
    await link.isOpen(1);
    // what is kept of messages that are not whole is limited over all channels
    for (const channel of [7, 8]) link.socket.send(envelope(channel, new Uint8Array(60_000), PIECE));
    link.tell({ kind: "close", channel: 1, code: 1000, reason: "" });
    link.open(2, "b");
    await link.isOpen(2);
    const message = statesFrame([1, 1, stateOf("alice", "s_1", { meta: { text: "x".repeat(10_000) } })]);
    const [, ...rest] = [...envelopesOf(2, message, 5_000)];
    link.socket.send(envelope(2, message.subarray(0, 5_000), PIECE));
    for (const piece of rest) link.socket.send(piece);
    link.socket.send(envelope(2, new Uint8Array(90_000), PIECE));
    link.say(LINK_CHANNEL, KEEP_ALIVE_FRAME);
    await until("all is read", () => link.heard.some(({ frame }) => frame.type === "awareness"));
    expect([link.controls(LINK_CHANNEL), link.closes]).toEqual([[], []]);
  });

  it("[LINK-6] loses the room in which it says an envelope inside an envelope, and no other", async () => {
    const { url, relay } = await startRelay({ ...quick, leaveGrace: 0 });
    const link = await rawLink(url);
    link.open(1, "a");
    link.open(2, "b");
    await link.isOpen(2);
    link.say(1, envelope(2, statesFrame([1, 1, stateOf("alice", "s_1")])));
    await until("the room is lost", () => link.controls(LINK_CHANNEL).length === 1);
    expect(link.controls(LINK_CHANNEL)).toMatchObject([{ kind: "close", channel: 1, code: 4400 }]);
    expect([relay.room("b")?.users.length, link.closes]).toEqual([0, []]);
  });

  it("[LINK-11] is in a room once: a second channel to it is refused, until the first is closed", async () => {
    const { url, relay } = await startRelay(quick);
    const link = await rawLink(url);
    link.open(1, "a");
    link.open(2, "a");
    await until("one is refused", () => link.controls(LINK_CHANNEL).length === 1);
    expect(link.controls(LINK_CHANNEL)).toEqual([
      { kind: "refused", channel: 2, code: 4400, reason: "this connection is in the room already" },
    ]);
    expect(relay.room("a")?.connections).toBe(1);
    link.tell({ kind: "close", channel: 1, code: 1000, reason: "" });
    link.open(3, "a");
    await link.isOpen(3);
  });

  it("[LINK-9] has at most so many channels", async () => {
    const { url } = await startRelay({ ...quick, maxChannels: 2 });
    const link = await rawLink(url);
    for (const channel of [1, 2, 3]) link.open(channel, `doc-${channel}`);
    await until("one is refused", () => link.controls(LINK_CHANNEL).length === 1);
    expect(link.controls(LINK_CHANNEL)).toMatchObject([{ kind: "refused", channel: 3, code: 4503 }]);
    link.tell({ kind: "close", channel: 1, code: 1000, reason: "" });
    link.open(4, "doc-4");
    await link.isOpen(4);
  });

  it("[LINK-2] that does not say that it reads is sent no more of what is long, and all that is short", async () => {
    const { url } = await startRelay(quick);
    const bob = ownClient(url, "bob");
    const [long, short] = [bob.join("long"), bob.join("short")];
    long.doc.getMap().set("k", new Uint8Array(500_000));
    await until("it is there", () => long.provider.synced && short.provider.synced);
    const link = await rawLink(url);
    link.socket.removeAllListeners("message");
    const pieces: number[] = [];
    const whole: number[] = [];
    link.socket.on("message", (data: Buffer) => ((data[0] ?? 0) % 4 === PIECE ? pieces : whole).push(data.length));
    link.open(1, "long");
    link.open(2, "short");
    link.say(1, syncStep1Frame(Uint8Array.of(0)));
    await until("some is sent", () => pieces.length > 0);
    const before = whole.length;
    for (let i = 0; i < 20; i++) {
      short.awareness.setLocalStateField("cursor", i);
      await until("it is told", () => whole.length > before + i);
    }
    expect(pieces.reduce((sum, length) => sum + length, 0)).toBeLessThan(40_000);
  });
});

describe("a link whose session changes", () => {
  /** A link with a state in each of these rooms, by the numbers of their channels. */
  async function inRooms(url: string, rooms: readonly string[]) {
    const link = await rawLink(url);
    for (const [i, room] of rooms.entries()) link.open(i + 1, room);
    await link.isOpen(rooms.length);
    for (const [i, room] of rooms.entries()) {
      link.say(i + 1, statesFrame([i + 1, 1, stateOf("alice", "s_1", { meta: { room } }, { cursor: i })]));
    }
    return link;
  }

  it("[LINK-13] is told once, and seen in each room and in the lobby, by clients of ours and by stock ones", async () => {
    const { url } = await startRelay(quick);
    const bob = ownClient(url, "bob");
    const own = bob.join("a");
    const stock = stockClient(url, "b");
    const link = await inRooms(url, ["a", "b", "@lobby"]);
    await until("she is there", () => own.roster.users.length === 2 && stock.awareness.states.has(2));
    link.tell({ kind: "session", user: { name: "Al" }, copresence: { status: "away", since: 5 } });
    await until("all know", () => {
      const copresence = stock.awareness.states.get(2)?.["copresence"] as { readonly status?: string } | undefined;
      const seen = [own.roster.get("alice"), bob.lobby.get("alice")];
      return copresence?.status === "away" && seen.every((user) => user?.status === "away" && user.name === "Al");
    });
    expect(own.awareness.states.get(1)).toEqual({
      cursor: 0,
      user: { id: "alice", name: "Al" },
      copresence: { session: "s_1", status: "away", device: "desktop", since: 5, meta: { room: "a" } },
    });
    expect(stock.awareness.states.get(2)).toMatchObject({ cursor: 1, copresence: { meta: { room: "b" } } });
    expect(bob.lobby.get("alice")?.sessions[0]?.meta).toEqual({ room: "@lobby" });
  });

  it("[LINK-15] is asked for its state where it has said none, but for rooms in which nobody may see it", async () => {
    const rooms = { hidden: ["observe"], a: ["observe", "presence"] } as const;
    const authenticate: Authenticate = () => ({ userId: "alice", rooms });
    const { url } = await startRelay({ ...quick, authenticate });
    const link = await rawLink(url);
    link.open(1, "hidden");
    link.open(2, "a");
    await link.isOpen(2);
    link.tell({ kind: "session", copresence: { status: "away" } });
    link.say(LINK_CHANNEL, KEEP_ALIVE_FRAME);
    await until("all is read", () => link.heard.some(({ channel }) => channel === LINK_CHANNEL));
    const asked = link.heard.filter(({ frame }) => frame.type === "queryAwareness");
    expect([asked.map(({ channel }) => channel), link.closes]).toEqual([[2], []]);
  });

  it("[LINK-14] loses the room that does not take that, while all others do", async () => {
    const { url, relay } = await startRelay({ ...quick, leaveGrace: 0, maxState: 1_000 });
    const link = await inRooms(url, ["a", "b"]);
    link.say(1, statesFrame([1, 2, stateOf("alice", "s_1", {}, { cursor: "x".repeat(800) })]));
    link.tell({ kind: "session", user: { name: "y".repeat(200) } });
    await until("one is lost", () => link.controls(LINK_CHANNEL).length === 1);
    expect(link.controls(LINK_CHANNEL)).toMatchObject([{ kind: "close", channel: 1, code: 4413 }]);
    expect([relay.room("a"), link.closes]).toEqual([undefined, []]);
    await until("the other takes it", () => relay.room("b")?.users[0]?.name === "y".repeat(200));
  });

  it("[LINK-14] [LIMIT-1] is closed where it says more in all its rooms together than it may say at once", async () => {
    // 100,000 bytes at once
    const { url } = await startRelay({ ...quick, byteRate: 20_000 });
    const link = await inRooms(url, ["a", "b", "c", "d", "e"]);
    link.tell({ kind: "session", user: { name: "y".repeat(25_000) } });
    await until("it is closed", () => link.closes.length > 0);
    expect(link.closes).toEqual([[4529, "too many messages"]]);
  });

  it("[LINK-14] [LIMIT-1] is closed sooner the more rooms it is in", async () => {
    // 40 messages at once
    const { url } = await startRelay({ ...quick, messageRate: 8 });
    const link = await inRooms(url, ["a", "b", "c", "d", "e"]);
    for (let i = 0; i < 8; i++) link.tell({ kind: "session", copresence: { since: i } });
    await until("it is closed", () => link.closes.length > 0);
    expect(link.closes).toEqual([[4529, "too many messages"]]);
  });
});

describe("a link whose application takes its time to say who it is", () => {
  /** A relay whose application answers when it is told to, and what it was asked. */
  async function slow(options: RelayConfig = {}) {
    const asked: { readonly room: string; readonly token: string | null; readonly answer: () => void }[] = [];
    const authenticate: Authenticate = ({ room, token }) =>
      new Promise((resolve) => {
        asked.push({ room, token, answer: () => resolve({ userId: "alice" }) });
      });
    const { url } = await startRelay({ ...quick, ...options, authenticate });
    return { asked, link: await rawLink(url, "first") };
  }

  it("[LINK-9] waits for no more answers than it may have channels, though it closes those that it waits for", async () => {
    const { asked, link } = await slow({ maxChannels: 5 });
    for (let channel = 1; channel <= 50; channel++) {
      link.open(channel, `doc-${channel}`);
      link.tell({ kind: "close", channel, code: 1000, reason: "" });
    }
    await until("all others are refused", () => link.controls(LINK_CHANNEL).length === 45);
    expect(asked.length).toBe(5);
    for (const { answer } of asked) answer();
    await until("there is place again", async () => {
      const before = link.controls(LINK_CHANNEL).length;
      link.open(51 + asked.length + before, "again");
      await until("it is asked for, or refused", () => asked.length > 5 || link.controls(LINK_CHANNEL).length > before);
      return asked.length > 5;
    });
    asked.at(-1)?.answer();
    await until("it is in", () =>
      link.heard.some(({ frame }) => frame.type === "control" && frame.control.kind === "hello"),
    );
  });

  it("[LINK-8] is let in by its newest token, though it asked for the room with the one before", async () => {
    const { asked, link } = await slow();
    link.open(1, "a");
    await until("it is asked who it is", () => asked.length === 1);
    asked[0]?.answer();
    await link.isOpen(1);
    link.open(2, "b");
    await until("it is asked again", () => asked.length === 2);
    link.tell({ kind: "token", token: "second" });
    await until("the newer token is asked for", () => asked.length === 3);
    asked[2]?.answer();
    await until("it is taken", () => link.controls(LINK_CHANNEL).some(({ kind }) => kind === "access"));
    asked[1]?.answer();
    await until("the room is asked for once more", () => asked.length === 4);
    expect(asked.map(({ room, token }) => [room, token])).toEqual([
      ["a", "first"],
      ["b", "first"],
      ["a", "second"],
      ["b", "second"],
    ]);
    asked[3]?.answer();
    await link.isOpen(2);
  });
});

describe("a link that brings one token after the other", () => {
  it("[LINK-8] [LIMIT-1] is closed sooner the more rooms it is in", async () => {
    // 20 messages at once
    const { url } = await startRelay({ ...quick, messageRate: 4, authenticate: async () => ({ userId: "alice" }) });
    const link = await rawLink(url, "first");
    for (let channel = 1; channel <= 5; channel++) link.open(channel, `doc-${channel}`);
    await link.isOpen(5);
    let tokens = 0;
    while (link.closes.length === 0 && tokens < 12) {
      link.tell({ kind: "token", token: `t${++tokens}` });
      const isTaken = (): boolean => link.controls(LINK_CHANNEL).length >= tokens;
      await until("it is taken, or too much", () => isTaken() || link.closes.length > 0);
    }
    expect(link.closes).toEqual([[4529, "too many messages"]]);
  });
});

describe("a doorkeeper that fails", () => {
  it("[LINK-4] has the room refused for now, so that its client tries again, and the failure reported", async () => {
    const errors: unknown[] = [];
    const hub = {
      maxChannels: 0,
      maxMessage: 1_000,
      refused() {},
      error: (error: unknown) => void errors.push(error),
    } as unknown as ChannelHub;
    const channels = new RoomChannels(hub, { admit: () => Promise.reject(new Error("away")), renewed() {} });
    const said: Frame[] = [];
    const link = { send: ({ message }: { readonly message: Uint8Array }) => void said.push(decodeFrame(message)) };
    channels.attach(link as unknown as Parameters<typeof channels.attach>[0]);
    channels.take({ type: "control", control: { kind: "open", channel: 1, room: "doc" } });
    await until("the room is refused", () => said.length === 1);
    expect(said[0]).toMatchObject({ type: "control", control: { kind: "refused", channel: 1, code: 4503 } });
    expect(errors).toEqual([new Error("away")]);
  });
});

describe("the heads of envelopes", () => {
  it("are shared by all links for the numbers that our clients use, whatever numbers others use", () => {
    const hub = { maxChannels: 0, maxMessage: 1_000 } as unknown as ChannelHub;
    const channels = [0, 1].map(() => new RoomChannels(hub, { admit: () => expect.fail(), renewed() {} }));
    for (let number = 1_000_000; number < 1_002_000; number++) channels[0]?.prefixOf(String(number));
    for (const number of [1, 2, 999]) {
      expect(channels[0]?.prefixOf(String(number))).toBe(channels[1]?.prefixOf(String(number)));
      expect(channels[0]?.prefixOf(String(number))).toEqual(envelopeHead(number));
    }
    expect(channels[0]?.prefixOf("1000500")).toEqual(envelopeHead(1_000_500));
  });
});

describe("a link with a token", () => {
  const secret = "a secret of more than thirty-two bytes";
  const guarded = { ...quick, leaveGrace: 1_000, jwtSecret: secret, clockTolerance: 0 };
  const sign = (rooms: Record<string, string[]>, lifetimeS = 600, sub = "alice"): Promise<string> =>
    new SignJWT({ rooms })
      .setProtectedHeader({ alg: "HS256" })
      .setSubject(sub)
      .setExpirationTime(Math.floor(Date.now() / 1_000) + lifetimeS)
      .sign(new TextEncoder().encode(secret));
  const all = ["observe", "presence", "read", "write"];

  it("[LINK-4] is refused a room in which nothing is granted, and ends where the token is not good", async () => {
    const { url } = await startRelay(guarded);
    const link = await rawLink(url, await sign({ "a-*": all }));
    link.open(1, "a-1");
    link.open(2, "b-1");
    await link.isOpen(1);
    await until("one is refused", () => link.controls(LINK_CHANNEL).length === 1);
    expect(link.controls(LINK_CHANNEL)).toMatchObject([{ kind: "refused", channel: 2, code: 4403 }]);
    const stranger = await rawLink(url, "no.good.token");
    stranger.open(1, "a-1");
    await until("it is closed", () => stranger.closes.length === 1);
    expect(stranger.closes[0]?.[0]).toBe(4401);
  });

  it("[LINK-8] [AUTH-13] goes on with a newer one in the rooms for which it grants the same, and loses the others", async () => {
    const { url } = await startRelay(guarded);
    const link = await rawLink(url, await sign({ a: all, b: all, c: all }));
    for (const [i, room] of ["a", "b", "c"].entries()) link.open(i + 1, room);
    for (const channel of [1, 2, 3]) await link.isOpen(channel);
    link.tell({ kind: "token", token: await sign({ a: all, b: ["observe"] }, 1_200) });
    await until("it is taken", () => link.controls(LINK_CHANNEL).some(({ kind }) => kind === "access"));
    const [second, third, access] = link.controls(LINK_CHANNEL);
    expect([second, third]).toMatchObject([
      { kind: "close", channel: 2, code: 1012 },
      { kind: "close", channel: 3, code: 4403 },
    ]);
    expect(access).toMatchObject({ kind: "access" });
    // what is opened from now on, it opens
    link.open(4, "b");
    await link.isOpen(4);
    expect(link.controls(4)).toMatchObject([{ grants: ["observe"] }]);
    link.tell({ kind: "token", token: await sign({ a: all }, 600, "mallory") });
    await until("it is closed", () => link.closes.length === 1);
    expect(link.closes[0]?.[0]).toBe(4403);
  });

  it("[LINK-8] [AUTH-4] ends when the token does", async () => {
    const { url } = await startRelay(guarded);
    const link = await rawLink(url, await sign({ a: all }, 1));
    link.open(1, "a");
    await link.isOpen(1);
    await until("it is over", () => link.closes.length === 1);
    expect(link.closes).toEqual([[4501, "the token has expired"]]);
  });
});
