import { randomBytes } from "node:crypto";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import * as Y from "yjs";
import {
  EMPTY_UPDATE,
  KEEP_ALIVE_FRAME,
  awarenessFrame,
  encodeEntries,
  syncStep1Frame,
  syncStep2Frame,
  updateFrame,
} from "../../../src/wire/index.ts";
import { fakeTime } from "../../clock.ts";
import { tcpProxy } from "../../proxy.ts";
import { tellTime } from "../../tab.ts";
import { Link } from "../../../src/relay/transport/link.ts";
import { resolveOptions } from "../../../src/relay/options.ts";
import { systemClock } from "../../../src/relay/ports/clock.ts";
import { noProbe } from "../../../src/relay/ports/probe.ts";
import { ProcessorTime } from "../../../src/relay/flow/processor.ts";
import { Turns } from "../../../src/relay/flow/turns.ts";
import { UnfinishedData } from "../../../src/relay/flow/unfinished.ts";
import { UnsentData } from "../../../src/relay/flow/unsent.ts";
import { TimeQuota } from "../../../src/relay/flow/work.ts";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";
import { type Close, type RawPeer, type Said, rawPeer, stateOf, statesFrame } from "../raw.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
/** A control message, or any other text behind type 99. */
const control = (text: string): Uint8Array => bytes(99, text.length, ...utf8(text));
/** An awareness message with one state, as bytes. */
const state = (json: Uint8Array | string, clock = 2): Uint8Array =>
  awarenessFrame(encodeEntries([{ id: 7, clock, state: typeof json === "string" ? utf8(json) : json }]));
const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

/** lib0 reads an integer of so many bytes as Infinity, and Yjs would write that without end, for the client that comes next. */
function endlessUpdate(where: "client" | "clock" | "deletion"): Uint8Array {
  const endless = [...Array.from({ length: 150 }, () => 0x80), 1];
  const number = (at: typeof where): number[] => (at === where ? endless : [1]);
  // one struct: the text "x" in the root "t"; and the deletions of one client
  const struct = [1, 1, ...number("client"), ...number("clock"), 4, 1, 1, 0x74, 1, 0x78];
  return updateFrame(bytes(...struct, 1, ...number("deletion"), 1, 0, 1));
}

/** An update whose insertions can be read and whose deletions cannot. */
function brokenUpdate(): Uint8Array {
  const doc = new Y.Doc();
  doc.getText("t").insert(0, "injected");
  return updateFrame(Y.encodeStateAsUpdate(doc).subarray(0, -1));
}

/** Alice with a stock client and Bob with ours share a room, and all that they notice from now on is written down. */
async function witnesses(url: string) {
  const bob = ownClient(url, "bob").join("doc");
  const alice = stockClient(url, "doc", { user: { id: "alice", name: "Alice" } });
  alice.doc.getText("t").insert(0, "text");
  await until("they are together", () => {
    return bob.roster.users.length === 2 && alice.awareness.getStates().size === 2 && bob.doc.getText("t").length === 4;
  });
  const log: string[] = [];
  alice.awareness.on("change", ({ added, updated, removed }: Record<string, number[]>) => {
    log.push(`awareness ${JSON.stringify({ added, updated, removed })}`);
  });
  alice.on("status", ({ status }) => log.push(`alice ${status}`));
  alice.doc.on("update", () => log.push(`alice's document: ${alice.doc.getText("t").toJSON()}`));
  bob.doc.on("update", () => log.push(`bob's document: ${bob.doc.getText("t").toJSON()}`));
  bob.roster.on("event", ({ type, userId }) => log.push(`${type} ${userId}`));
  bob.roster.on("status", (status) => log.push(`roster ${status}`));
  return {
    log,
    /** What they notice is what somebody does who does nothing wrong. */
    noticeOnly: async (carol: RawPeer) => {
      carol.say([99, 1, stateOf("carol", "s_carol")]);
      const expected = ['awareness {"added":[99],"updated":[],"removed":[]}', "join carol"];
      await until("they notice Carol", () => expected.every((line) => log.includes(line)));
      return expected;
    },
  };
}

const limits = { maxState: 1_000, maxMessage: 10_000, maxStates: 3, tick: 0, lobbyTick: 0 };
const good: Said = [8, 1, { user: { name: "Mallory" } }];

const malformed: readonly [string, Uint8Array, string][] = [
  ["an empty message", bytes(), "truncated or oversized integer"],
  ["a type cut short", bytes(0x80), "truncated or oversized integer"],
  ["an unknown type", bytes(4), "unknown message type 4"],
  ["an unknown type of many bytes", bytes(0xe8, 0x07, 1), "unknown message type 1000"],
  ["an unknown sync step", bytes(0, 3, 0), "unknown sync step 3"],
  ["a length beyond the end", bytes(0, 0, 5, 0), "truncated bytes"],
  ["bytes after the end", bytes(0, 0, 1, 0, 0), "bytes after the end of the message"],
  ["an answer to a question of auth", bytes(2, 0, 2, 0x68, 0x69), "unexpected auth message"],
  ["another auth message", bytes(2, 1), "unknown auth message"],
  ["control that is not JSON", control("{"), "invalid JSON"],
  ["control of an unknown kind", control('{"kind":"promote"}'), "unknown or malformed control message"],
  ["control that only a relay says", control('{"kind":"pong"}'), "unexpected control message pong"],
  ["control without our subprotocol", control('{"kind":"ping"}'), "unexpected control message ping"],
  ["a state vector that is none", syncStep1Frame(bytes(1)), "invalid state vector"],
  ["a document update that is noise", updateFrame(bytes(1, 1, 1, 200, 9)), "update is truncated"],
  ["a document update cut short", brokenUpdate(), "update is truncated"],
  ["a document update of client Infinity", endlessUpdate("client"), "update has a number out of range"],
  ["a document update at clock Infinity", endlessUpdate("clock"), "update has a number out of range"],
  ["a document update that deletes of client Infinity", endlessUpdate("deletion"), "update has a number out of range"],
  ["a state that is a number", state("42"), "awareness state is not an object"],
  ["a state that is an array", state("[]"), "awareness state is not an object"],
  ["a state that is a text", state('"x"'), "awareness state is not an object"],
  ["a state that is not JSON", state('{"user":'), "invalid JSON"],
  ["a state that is not UTF-8", state(bytes(0x7b, 0xff, 0x7d)), "invalid JSON"],
  ["a state of 65 levels", state(nested(65)), "JSON nested too deep"],
  ["a clock above 2^48", state("{}", 2 ** 48 + 1), "awareness clock out of range"],
  ["more states than it says", bytes(1, 1, 2), "truncated or oversized integer"],
  ["fewer states than it says", awarenessFrame(bytes(0, 1, 1)), "bytes after the end of the message"],
  ["a good state before a bad one", statesFrame(good, [9, 1, 42]), "awareness state is not an object"],
  ["a bad state before a good one", statesFrame([9, 1, []], good), "awareness state is not an object"],
  [
    "more states than one connection may have",
    statesFrame(...[1, 2, 3, 4].map((id): Said => [id, 1, { user: {} }])),
    "more than 3 awareness states on one connection",
  ],
];

const tooLarge: readonly [string, Uint8Array, string][] = [
  ["a state", state(JSON.stringify({ a: "x".repeat(993) })), "awareness state larger than 1000 bytes"],
  ["a state after a good one", statesFrame(good, [9, 1, "x".repeat(1_000)]), "awareness state larger than 1000 bytes"],
  ["a message", updateFrame(new Uint8Array(10_001)), "message too large"],
];

describe("bad input", () => {
  /** Sends it to a room with two others in it, who must not notice. Returns how the connection was closed. */
  async function closeAfter(data: Uint8Array, binary = true): Promise<Close> {
    const { relay, url } = await startRelay(limits);
    const { log, noticeOnly } = await witnesses(url);
    const mallory = await rawPeer(url, "doc");
    mallory.socket.send(data, { binary });
    const close = await mallory.closed;
    const expected = await noticeOnly(await rawPeer(url, "doc"));
    expect(log.toSorted()).toEqual(expected);
    expect(
      relay
        .users()
        .map((user) => user.id)
        .toSorted(),
    ).toEqual(["alice", "bob", "carol"]);
    return close;
  }

  it.each(malformed)(
    "[WIRE-2] [WIRE-5] [WIRE-11] %s is closed with 4400, and others notice nothing",
    async (_, frame, reason) => {
      expect(await closeAfter(frame)).toEqual({ code: 4400, reason });
    },
  );

  it.each(tooLarge)("[WIRE-3] %s above its limit is closed with 4413", async (_, frame, reason) => {
    expect(await closeAfter(frame)).toEqual({ code: 4413, reason });
  });

  it.each([
    ["a text frame", utf8("hello")],
    ["a text frame that is not UTF-8", bytes(0xff)],
  ])("[WIRE-2] %s is closed with 4400", async (_, data) => {
    expect(await closeAfter(data, false)).toEqual({ code: 4400, reason: "text frame: messages are binary" });
  });

  it("[WIRE-11] [WIRE-3] nothing is taken of what comes after, and who is refused leaves at once", async () => {
    const { relay, url } = await startRelay({ ...limits, leaveGrace: 60_000 });
    const { log, noticeOnly } = await witnesses(url);
    for (const [i, [, bad]] of [malformed[2]!, tooLarge[0]!, tooLarge[2]!].entries()) {
      const mallory = await rawPeer(url, "doc");
      mallory.say([10 + i, 1, { user: { name: "Mallory" } }]);
      await until("Mallory is seen", () => log.includes(`join guest:${10 + i}`));
      mallory.send(bad);
      mallory.say(good);
      await until("Mallory has left", () => log.includes(`leave guest:${10 + i}`), 1_000);
    }
    log.length = 0;
    const expected = await noticeOnly(await rawPeer(url, "doc"));
    expect(log.toSorted()).toEqual(expected);
    expect(relay.users()).toHaveLength(3);
  });

  it("[WIRE-5] takes the highest clock and the deepest state that are allowed", async () => {
    const { url } = await startRelay(limits);
    const alice = await rawPeer(url, "doc");
    const bob = await rawPeer(url, "doc");
    bob.send(state(nested(64), 2 ** 48));
    await until("Alice has it", () => alice.states.has(7));
    bob.send(state(JSON.stringify({ a: "x".repeat(992) }), 2 ** 48));
    await bob.settle();
    expect(bob.close).toBeUndefined();
  });

  it.each([
    ["%ff", 4400, "room name is not valid UTF-8"],
    ["", 4400, "room name is empty"],
    ["r".repeat(513), 4400, "room name is longer than 512 characters"],
    ["@admin", 4403, "room names that start with @ are reserved"],
  ])("[WIRE-4] room %j is refused after the handshake", async (room, code, reason) => {
    const { relay, url } = await startRelay();
    const mallory = await rawPeer(url, room);
    mallory.say(good);
    expect(await mallory.closed).toEqual({ code, reason });
    expect(mallory.received).toEqual([]);
    expect(relay.rooms()).toEqual([]);
  });
});

describe("what is sent", () => {
  it("[WIRE-1] [WIRE-8] control messages go to those who asked for our subprotocol, hello first, and to no others", async () => {
    const { relay, url } = await startRelay({ tick: 0, lobbyTick: 0 });
    const bob = await rawPeer(url, "doc", { trusts: true });
    const alice = await rawPeer(url, "doc");
    expect(bob.socket.protocol).toBe("copresence.v2");
    expect(alice.socket.protocol).toBe("");
    const carol = await rawPeer(url, "doc", { trusts: true });
    carol.say([3, 1, stateOf("carol", "s_c")]);
    await until("all see Carol", () => alice.states.has(3) && bob.states.has(3));
    carol.socket.terminate();
    await until("Bob is told", () => bob.controls.some((said) => said.kind === "marks"));
    expect(bob.frames[0]?.type).toBe("control");
    expect(bob.controls[0]).toEqual({
      kind: "hello",
      shard: relay.shard,
      graceMs: relay.options.leaveGrace,
      now: expect.closeTo(Date.now(), -5),
      room: "doc",
      grants: ["observe", "presence", "read", "write"],
      maxState: relay.options.maxState,
      messageRate: 1_000,
      maxMeta: relay.options.maxMeta,
      session: true,
    });
    // each message is one message, or decoding had thrown
    expect(new Set(alice.frames.map((frame) => frame.type))).toEqual(new Set(["syncStep1", "awareness"]));
  });

  it("[WIRE-1] a ping of ours is answered", async () => {
    const { url } = await startRelay();
    const bob = await rawPeer(url, "doc", { trusts: true });
    bob.send(control('{"kind":"ping"}'));
    await bob.settle();
    expect(bob.controls).toContainEqual({ kind: "pong" });
  });

  it("[FLOW-1] a reader that lags is skipped, and when it has caught up it is told how things are then", async () => {
    const { relay, url } = await startRelay({ tick: 0, leaveGrace: 0, maxLag: 10_000 });
    const [alice, bob, carol, eve] = [
      await rawPeer(url, "doc"),
      await rawPeer(url, "doc"),
      await rawPeer(url, "doc"),
      await rawPeer(url, "doc"),
    ];
    for (const peer of [alice, bob, carol, eve]) await peer.settle();
    carol.say([3, 1, { user: { id: "carol" } }]);
    await until("Alice sees Carol", () => alice.states.has(3));
    alice.socket.pause();
    // until the buffers on the way are full, and for long afterwards
    let n = 0;
    const say = async (): Promise<void> => {
      bob.say([2, ++n, { user: { id: "bob" }, n, big: "x".repeat(60_000) }]);
      await bob.settle();
    };
    for (let i = 0; i < 600; i++) await say();
    // what happens meanwhile: one goes, one comes, one comes and goes
    carol.say([3, 2, null]);
    eve.say([4, 1, { user: { id: "eve" } }]);
    const dave = await rawPeer(url, "doc");
    dave.say([5, 1, { user: { id: "dave" } }]);
    await until("Bob sees him", () => bob.states.has(5));
    dave.say([5, 2, null]);
    await until("Bob sees him go", () => !bob.states.has(5) && bob.states.has(4) && !bob.states.has(3));
    const before = alice.received.length;
    alice.socket.resume();
    await until("Alice is told", () => alice.states.has(4));
    expect(new Set(alice.states.keys())).toEqual(new Set([2, 4]));
    expect(alice.states.get(2)).toMatchObject({ n });
    // far from all that was said
    expect(alice.received.length - before).toBeLessThan(n / 2);
    // and from now on as everybody
    await say();
    await until("Alice is told of the next", () => (alice.states.get(2) as { n: number }).n === n);
    expect(relay.room("doc")?.connections).toBe(5);
  });

  it("[FLOW-4] [FLOW-8] one that does not say that it reads is sent no more, though the network takes it, until it speaks", async () => {
    const { url } = await startRelay({ tick: 0 });
    const [alice, bob, carol] = [
      await rawPeer(url, "doc", { trusts: true }),
      await rawPeer(url, "doc", { trusts: true }),
      await rawPeer(url, "doc"),
    ];
    for (const peer of [alice, bob, carol]) await peer.settle();
    let n = 0;
    const say = async (): Promise<void> => {
      bob.say([2, ++n, { user: { id: "bob" }, n, big: "xy"[n % 2]!.repeat(10_000) }]);
      await until("Carol is told", () => (carol.states.get(2) as { n?: number } | undefined)?.n === n);
    };
    for (let i = 0; i < 30; i++) await say();
    // a stock client is not expected to answer
    expect(carol.updates.length).toBe(30);
    const told = alice.updates.filter((said) => said.length > 0).length;
    expect(told).toBeGreaterThanOrEqual(9);
    expect(told).toBeLessThan(15);
    alice.send(KEEP_ALIVE_FRAME);
    await until("Alice is told", () => (alice.states.get(2) as { n: number }).n === n);
    expect(alice.updates.filter((said) => said.length > 0)).toHaveLength(told + 1);

    // but one that sends back what it hears, as y-websocket does, is missed when it does not
    carol.send(syncStep2Frame(EMPTY_UPDATE));
    carol.say(...(carol.updates.at(-1) ?? []));
    await carol.settle();
    const heard = carol.updates.length;
    for (let i = 0; i < 30; i++) {
      bob.say([2, ++n, { user: { id: "bob" }, n, big: "x".repeat(10_000) }]);
      bob.send(KEEP_ALIVE_FRAME);
      alice.send(KEEP_ALIVE_FRAME);
      await until("Alice is told", () => (alice.states.get(2) as { n?: number }).n === n);
    }
    expect(carol.updates.length - heard).toBeLessThan(15);
  });

  it("[FLOW-8] one that has sent back what a whole room said is missed when it does so no more", async () => {
    const { url } = await startRelay({ tick: 0 });
    const [alice, bob, carol] = [
      await rawPeer(url, "doc", { trusts: true }),
      await rawPeer(url, "doc"),
      await rawPeer(url, "doc"),
    ];
    for (const peer of [alice, bob, carol]) await peer.settle();
    carol.say([50, 1, { user: { id: "carol" } }]);
    carol.send(syncStep2Frame(EMPTY_UPDATE));
    await carol.settle();
    const ids = [2, 3, 4, 5, 6, 7, 8, 9];
    let n = 0;
    const say = async (): Promise<void> => {
      n++;
      bob.say(
        ...ids.map((id): [number, number, unknown] => [id, n, { user: { id: "bob" }, n, big: "x".repeat(1_000) }]),
      );
      alice.send(KEEP_ALIVE_FRAME);
      await until("Alice is told", () => (alice.states.get(9) as { n?: number } | undefined)?.n === n);
    };
    for (let i = 0; i < 30; i++) await say();
    await carol.settle();
    expect(carol.states.get(9)).toMatchObject({ n });
    const heard = carol.updates.at(-1) ?? [];
    expect(heard.map(([id]) => id)).toEqual(ids);
    carol.say(...heard);
    await carol.settle();
    const before = carol.updates.length;
    for (let i = 0; i < 30; i++) await say();
    expect(carol.updates.length - before).toBeLessThan(20);
  });

  it("[FLOW-8] what a stock client does not say back, such as a long paste, keeps no cursor from it", async () => {
    const { url } = await startRelay({ tick: 0 });
    const [bob, carol] = [await rawPeer(url, "doc"), await rawPeer(url, "doc")];
    for (const peer of [bob, carol]) await peer.settle();
    bob.say([2, 1, { user: { id: "bob" }, n: 1 }]);
    await until("Carol is told", () => carol.states.has(2));
    // as y-websocket does
    carol.send(syncStep2Frame(EMPTY_UPDATE));
    carol.say(...(carol.updates.at(-1) ?? []));
    await carol.settle();
    const doc = new Y.Doc();
    doc.getText("t").insert(0, "x".repeat(500_000));
    bob.send(updateFrame(Y.encodeStateAsUpdate(doc)));
    await until("Carol has it", () => carol.doc.getText("t").length === 500_000);
    bob.say([2, 2, { user: { id: "bob" }, n: 2 }]);
    await until("Carol is told", () => (carol.states.get(2) as { n: number }).n === 2);
  });

  it("[FLOW-2] a reader that does not read is closed before it fills the memory", async () => {
    const { relay, url } = await startRelay({ tick: 0, maxBuffered: 1_000_000 });
    const alice = await rawPeer(url, "doc");
    const bob = await rawPeer(url, "doc");
    await alice.settle();
    alice.socket.pause();
    const doc = new Y.Doc();
    doc.on("update", (update: Uint8Array) => bob.send(updateFrame(update)));
    for (let i = 0; relay.room("doc")!.connections === 2; i++) {
      expect(i).toBeLessThan(100);
      doc.getMap("m").set("k", "x".repeat(1_000_000));
      await bob.settle();
    }
    alice.socket.resume();
    // what had left still arrives; the connection was cut, since nobody read a close frame
    expect((await alice.closed).code).toBe(1006);
    expect(bob.close).toBeUndefined();
  });
});

/** How long this process, and so the relay in it, was kept from running its timers: what a busy machine adds, ms. */
function countStalls(): () => number {
  let stalled = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    stalled += Math.max(0, now - last - 10);
    last = now;
  }, 5);
  onTestFinished(() => clearInterval(timer));
  return () => stalled;
}

describe("signs of life", () => {
  const timing = { pingInterval: 1_000, pingTimeout: 1_000, leaveGrace: 500 };

  it("[LIVE-16] one whose message takes longer than the time-out to arrive is alive", async () => {
    const { relay, url, port } = await startRelay({ pingInterval: 200, pingTimeout: 1_500, leaveGrace: 0 });
    const proxy = await tcpProxy(port);
    const alice = await rawPeer(url, "doc");
    await alice.settle();
    const doc = new Y.Doc();
    doc.getMap("m").set("k", new Uint8Array(randomBytes(15_000_000)));
    const bob = await rawPeer(proxy.url, "doc");
    await bob.settle();
    proxy.slow(5_000_000);
    const startedAt = Date.now();
    bob.send(updateFrame(Y.encodeStateAsUpdate(doc)));
    await until("Alice has it", () => alice.doc.getMap("m").size === 1, 20_000);
    expect(Date.now() - startedAt).toBeGreaterThan(2_000);
    expect([alice.close, bob.close, relay.room("doc")?.connections]).toEqual([undefined, undefined, 2]);
  });

  it("[LIVE-16] one that reads a long message slowly is alive for as long as it does", () => {
    tellTime();
    const closed: (number | undefined)[] = [];
    const socket = {
      protocol: "",
      bytesReceived: 0,
      bytesFlushed: 0,
      bufferedAmount: 0,
      keepsPackets: true,
      send() {},
      ping() {},
      pause() {},
      resume() {},
      close: (code?: number) => void closed.push(code),
      cork() {},
      uncork() {},
      terminate() {},
      tell() {},
    };
    const options = resolveOptions({ pingInterval: 1_000, pingTimeout: 1_000 });
    const handler = {
      clock: systemClock,
      tariff: { limits: options, processor: new ProcessorTime(), time: new TimeQuota(0) },
      turns: new Turns(),
      unsent: new UnsentData(0),
      unfinishedData: new UnfinishedData(0),
      unfinishedIsOver() {},
      probe: noProbe,
      sparedMs: 0,
      frame() {},
      silence() {},
      drained() {},
      unsentIsOver() {},
      failed() {},
      left() {},
      ended() {},
    };
    const from = { address: "127.0.0.1", payer: "127.0.0.1", addressing: null };
    const link = new Link(socket, from, options, handler);
    const elapse = (seconds: number, each: () => void): void => {
      for (let i = 0; i < seconds * 4 && closed.length === 0; i++) {
        each();
        vi.advanceTimersByTime(250);
        link.sweep(systemClock.now(), 250);
      }
    };
    // a reader that makes room again and again, until nothing is left to send
    socket.bufferedAmount = 1_000;
    elapse(10, () => void (socket.bytesFlushed += 10));
    expect(closed).toEqual([]);
    socket.bufferedAmount = 0;
    // what leaves without having to wait is only on its way
    elapse(10, () => void (socket.bytesFlushed += 10));
    expect(closed).toEqual([4504]);
  });

  it("[LIVE-15] one that trusts the relay is told before a message that is long", async () => {
    const { url } = await startRelay();
    const alice = await rawPeer(url, "doc", { trusts: true });
    await alice.settle();
    const doc = new Y.Doc();
    const write = (size: number): void => {
      doc.getMap("m").set("k", new Uint8Array(size));
      alice.send(updateFrame(Y.encodeStateAsUpdate(doc)));
    };
    for (const [size, expected] of [
      [65_000, ["syncStep2"]],
      [66_000, ["control", "syncStep2"]],
    ] as const) {
      write(size);
      await alice.settle();
      const bob = await rawPeer(url, "doc", { trusts: true });
      await bob.settle();
      const answer = bob.frames.findIndex(({ type }) => type === "syncStep2");
      expect(bob.frames.slice(answer - expected.length + 1, answer + 1).map(({ type }) => type)).toEqual(expected);
      expect(bob.controls.filter(({ kind }) => kind === "long")).toHaveLength(expected.length - 1);
      const stock = await rawPeer(url, "doc");
      await stock.settle();
      expect(stock.controls).toEqual([]);
    }
  });

  it("[LIVE-4] [USER-7] one that dies silently is shown by nobody within interval, time-out and grace", async () => {
    const { relay, url } = await startRelay(timing);
    const gone = new Map<string, number>();
    const note = (who: string): void => void gone.set(who, gone.get(who) ?? Date.now());
    const alice = stockClient(url, "doc", { user: { id: "alice" } });
    const reader = stockClient(url, "@lobby");
    const own = ownClient(url, "bob");
    const room = own.join("doc");
    const dying = await rawPeer(url, "doc", { trusts: true });
    dying.say([7, 1, stateOf("carol", "s_carol")]);
    const shard = (): Record<string, { sessions: object; lastSeen: number }> =>
      reader.doc.getMap("shards").toJSON()[relay.shard] ?? {};
    await until("all see Carol", () => {
      const here = [
        room.roster.get("carol"),
        own.lobby.get("carol"),
        shard()["carol"],
        alice.awareness.getStates().get(7),
      ];
      return here.every((seen) => seen !== undefined);
    });
    alice.awareness.on("change", () => alice.awareness.getStates().has(7) || note("stock"));
    room.roster.on("leave", () => note("room"));
    own.lobby.on("leave", () => note("lobby"));
    reader.doc.on("update", () => Object.keys(shard()["carol"]!.sessions).length > 0 || note("reader"));
    relay.on("leave", ({ roomId }) => note(`relay ${roomId}`));

    const stalls = countStalls();
    // the last that it says; from then on its TCP connection stands, and answers nothing
    dying.say([7, 2, stateOf("carol", "s_carol", { status: "away" })]);
    const saidAt = Date.now();
    await until("it is heard", () => relay.user("carol")?.status === "away");
    const heardAt = Date.now();
    dying.socket.pause();
    await until("all have seen it go", () => gone.size === 6);
    expect([...gone.keys()].toSorted()).toEqual(["lobby", "reader", "relay @lobby", "relay doc", "room", "stock"]);
    expect(Math.max(...gone.values()) - heardAt).toBeLessThan(2_600 + stalls());
    // nor is it given up early
    expect(Math.min(...gone.values()) - saidAt).toBeGreaterThan(2_000);
    for (const lastSeen of [shard()["carol"]!.lastSeen, own.lobby.get("carol")!.lastSeen]) {
      // to the millisecond: the relay counts in fractions
      expect(lastSeen).toBeGreaterThanOrEqual(saidAt - 1);
      expect(lastSeen).toBeLessThanOrEqual(heardAt);
    }
    // those who answer pings are still there, though they said nothing either
    expect(
      relay
        .users()
        .map((user) => user.id)
        .toSorted(),
    ).toEqual(["alice", "bob"]);
  });

  it("[LIVE-4] a pong is a sign of life, and so is a ping", async () => {
    const { relay, url } = await startRelay({ pingInterval: 100, pingTimeout: 100, leaveGrace: 0 });
    const ponging = await rawPeer(url, "doc");
    const pinging = await rawPeer(url, "doc");
    let pings = 0;
    ponging.socket.on("ping", () => pings++);
    Object.assign(pinging.socket, { pong: () => {} });
    const beat = setInterval(() => pinging.socket.ping(), 40);
    onTestFinished(() => clearInterval(beat));
    await until("many pings", () => pings >= 5);
    expect(relay.room("doc")?.connections).toBe(2);
    clearInterval(beat);
    // one that no longer speaks is cut, and its end may be long in learning it
    await until("it is given up", () => relay.room("doc")?.connections === 1);
    expect(ponging.close).toBeUndefined();
  });

  it("[LIVE-5] a stock connection that hears nothing for 20 s is sent an empty update, one of ours is not", async () => {
    fakeTime("setInterval", "clearInterval");
    onTestFinished(() => void vi.useRealTimers());
    const { url } = await startRelay();
    const alice = await rawPeer(url, "doc");
    const bob = await rawPeer(url, "doc", { trusts: true });
    await Promise.all([alice.settle(), bob.settle()]);
    const before = [alice.received.length, bob.received.length];
    vi.advanceTimersByTime(19_500);
    await Promise.all([alice.settle(), bob.settle()]);
    // nothing but the answers to step 1, which are something to hear
    expect([alice.received.length, bob.received.length]).toEqual(before.map((count) => count + 1));
    vi.advanceTimersByTime(20_250);
    await Promise.all([alice.settle(), bob.settle()]);
    // just once: it is something to hear itself
    expect(alice.received).toHaveLength(before[0]! + 3);
    expect(alice.received.at(-2)).toEqual(KEEP_ALIVE_FRAME);
    expect(KEEP_ALIVE_FRAME).toEqual(bytes(1, 1, 0));
    expect(bob.received).toHaveLength(before[1]! + 2);
  });
});
