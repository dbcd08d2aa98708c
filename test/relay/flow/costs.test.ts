/** What a connection is charged with, and that others do not wait for one that has a lot to say. */
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import * as Y from "yjs";
import { openAccess } from "../../../src/relay/access/grants.ts";
import { Link } from "../../../src/relay/transport/link.ts";
import type { Channel } from "../../../src/relay/transport/channel.ts";
import type { LinkHandler } from "../../../src/relay/transport/link-handler.ts";
import { noProbe } from "../../../src/relay/ports/probe.ts";
import { resolveOptions } from "../../../src/relay/options.ts";
import { Meter } from "../../../src/relay/flow/meter.ts";
import { ProcessorTime } from "../../../src/relay/flow/processor.ts";
import { Turns } from "../../../src/relay/flow/turns.ts";
import { UnfinishedData } from "../../../src/relay/flow/unfinished.ts";
import { UnsentData } from "../../../src/relay/flow/unsent.ts";
import { TimeQuota } from "../../../src/relay/flow/work.ts";
import { EMPTY_STATE_VECTOR, FrameError, QUERY_FRAME, syncStep1Frame, updateFrame } from "../../../src/wire/index.ts";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";
import { rawPeer, stateOf } from "../raw.ts";

/** Connections to a relay where acting on any message takes so long. */
function setup(
  messageMs: number,
  given: {
    readonly timeRate?: number;
    readonly isFanOut?: boolean;
    /** Whose messages are refused, after all that it took to act on them. */
    readonly refused?: string;
    readonly wall?: () => number;
    readonly pingMs?: number;
    readonly fails?: boolean;
  } = {},
) {
  let now = 0;
  const acted: string[] = [];
  const closed: string[] = [];
  let sparedMs = 0;
  const handler: LinkHandler = {
    clock: { now: () => now, wall: given.wall ?? (() => now) },
    tariff: {
      limits: resolveOptions({}),
      processor: new ProcessorTime(() => now),
      time: new TimeQuota(given.timeRate ?? 0),
    },
    turns: new Turns(),
    unsent: new UnsentData(0),
    unfinishedData: new UnfinishedData(0),
    unfinishedIsOver() {},
    probe: noProbe,
    get sparedMs() {
      return sparedMs;
    },
    frame(channel) {
      now += messageMs;
      if (given.isFanOut === true) sparedMs += messageMs * (3 / 4);
      acted.push(names.get(channel) ?? "");
      if (given.fails === true) throw new TypeError("nobody has foreseen this");
      if (names.get(channel) === given.refused) throw new FrameError("too much");
    },
    silence() {},
    drained() {},
    unsentIsOver() {},
    failed: (error) => void acted.push(`failed: ${String(error)}`),
    left: (channel) => void acted.push(`${names.get(channel)} ended`),
    ended() {},
  };
  const names = new Map<Channel, string>();
  const connected = (name: string, expiresAt: number | null = null) => {
    const state = { isPaused: false };
    const socket = {
      protocol: "",
      bytesReceived: 0,
      bytesFlushed: 0,
      bufferedAmount: 0,
      keepsPackets: true,
      send() {},
      ping() {},
      pause: () => void (state.isPaused = true),
      resume: () => void (state.isPaused = false),
      close: (code?: number, reason?: string) => void closed.push(`${name} ${code} ${reason}`),
      cork() {},
      uncork() {},
      terminate() {},
      tell() {},
    };
    const connection = new Link(
      socket,
      { address: "10.0.0.1", payer: "10.0.0.1", addressing: null },
      resolveOptions({ pingInterval: given.pingMs ?? 1_000_000, pingTimeout: given.pingMs ?? 1_000_000 }),
      handler,
    );
    names.set(connection.open({ ...openAccess("@lobby"), expiresAt }), name);
    /** Messages that come in at once. */
    const says = (count: number): void => {
      connection.reading();
      for (let i = 0; i < count; i++) connection.message(updateFrame(new Uint8Array([0, 0])), true);
      connection.read();
    };
    return { connection, state, says };
  };
  return { acted, closed, connected };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe("one that has a lot to say", () => {
  it("[COST-6] takes turns with others, and what it says keeps its order", async () => {
    const { acted, connected } = setup(4);
    const [alice, bob] = [connected("Alice"), connected("Bob")];
    alice.says(10);
    bob.says(1);
    expect(acted).toEqual(["Alice", "Alice", "Alice", "Bob"]);
    expect(alice.state.isPaused).toBe(true);
    while (alice.state.isPaused) {
      const before = acted.length;
      await turn();
      expect(acted.length - before).toBeLessThanOrEqual(3);
    }
    expect(acted.filter((name) => name === "Alice")).toHaveLength(10);
    alice.says(1);
    expect(acted.at(-1)).toBe("Alice");
  });

  it("[COST-6] has said all of it when it leaves", async () => {
    const { acted, connected } = setup(4);
    const alice = connected("Alice");
    alice.says(10);
    alice.connection.ended(1000);
    await until("she has left", () => acted.includes("Alice ended"));
    expect(acted).toEqual([...Array.from({ length: 10 }, () => "Alice"), "Alice ended"]);
  });

  it("[COST-6] is not heard any more once it is closed", async () => {
    const { acted, connected } = setup(4);
    const alice = connected("Alice");
    alice.says(10);
    alice.connection.close(4400, "enough");
    await turn();
    expect(acted).toEqual(["Alice", "Alice", "Alice", "Alice ended"]);
    expect(alice.state.isPaused).toBe(false);
  });

  it("[COST-1] [COST-12] is closed when that takes more than it may, and nothing more is read of it", async () => {
    const { acted, closed, connected } = setup(20, { timeRate: 200 });
    const mallory = connected("Mallory");
    mallory.says(1_000);
    await until("it is closed", () => closed.length > 0);
    expect(closed).toEqual(["Mallory 4529 too much work"]);
    expect(acted.length).toBeLessThan(40);
    expect(mallory.state.isPaused).toBe(true);
  });
});

it("[COST-2] what a message took for which its connection was closed is charged all the same", async () => {
  const { closed, connected } = setup(150, { timeRate: 200, refused: "Mallory" });
  for (let i = 0; i < 20; i++) connected("Mallory").says(1);
  await until("all of them are closed", () => closed.length === 20);
  expect(new Set(closed)).toEqual(new Set(["Mallory 4400 too much"]));
  connected("Mallory under another name").says(1);
  await until("that one is closed", () => closed.length === 21);
  expect(closed.at(-1)).toBe("Mallory under another name 4529 too much work");
});

it("[COST-10] nobody goes on with costly updates by a new connection for each, while the small ones of others pass", async () => {
  const { acted, closed, connected } = setup(150, { timeRate: 200 });
  for (let i = 0; i < 60; i++) connected("Mallory").says(1);
  await until("all have been heard", () => acted.filter((name) => name === "Mallory").length === 60);
  closed.length = acted.length = 0;
  const large = new Uint8Array(2_000);
  connected("Mallory again").connection.message(updateFrame(large), true);
  await until("the connection is closed", () => closed.length > 0);
  expect(acted).toEqual(["Mallory again ended"]);
  expect(closed).toEqual(["Mallory again 4529 too much work"]);
  connected("Alice").says(1);
  await until("Alice is heard", () => acted.includes("Alice"));
});

it("[COST-8] many who each have one thing to say that takes long keep nobody waiting for all of them", async () => {
  const { acted, connected } = setup(20);
  const crowd = Array.from({ length: 50 }, (_, i) => connected(`Mallory ${i}`));
  for (const each of crowd) each.says(1);
  expect(acted).toHaveLength(2);
  expect(crowd.at(-1)?.state.isPaused).toBe(true);
  await turn();
  const alice = connected("Alice");
  alice.says(1);
  expect(acted.indexOf("Alice")).toBeLessThanOrEqual(4);
  crowd.at(-1)?.connection.ended(1000);
  await until("all have been heard", () => acted.length === crowd.length + 2);
  expect(crowd.every(({ state }) => !state.isPaused || state === crowd.at(-1)?.state)).toBe(true);
  expect(acted).toContain("Mallory 49 ended");
});

it("[COST-7] of the time that it takes to hand on what somebody wrote, they are charged a quarter", async () => {
  const counts = await Promise.all(
    [false, true].map(async (isFanOut) => {
      const { acted, closed, connected } = setup(20, { timeRate: 200, isFanOut });
      connected("Alice").says(1_000);
      await until("it is closed", () => closed.length > 0);
      return acted.length;
    }),
  );
  const [all = 0, quarter = 0] = counts;
  expect(quarter).toBeGreaterThan(3 * all);
});

it("[COST-7] where more was spared than something took, since spared stretches of time overlap, nobody is given time back", () => {
  let usedMs = 0;
  const meter = new Meter(
    { limits: resolveOptions({}), processor: new ProcessorTime(() => usedMs), time: new TimeQuota(0) },
    "alice",
  );
  usedMs += 10;
  meter.charge(10, 0);
  usedMs += 10;
  meter.charge(10, 0, 15);
  expect(meter.ofLate(0)).toBe(10);
});

it("[TIME-2] the end of a token is a date: with the wall clock past it, its connection is closed", () => {
  let wall = 1_000_000;
  const { closed, connected } = setup(0, { wall: () => wall });
  const { connection } = connected("Alice", 1_060_000);
  connection.sweep(59_000, 250);
  wall += 3_600_000;
  expect(closed).toEqual([]);
  connection.sweep(60_000, 250);
  expect(closed).toEqual(["Alice 4501 the token has expired"]);
});

it("[TIME-3] one that was asked for a sign of life before the relay was stopped is not given up for that", () => {
  const { closed, connected } = setup(0, { pingMs: 1_000 });
  const { connection } = connected("Alice");
  connection.sweep(1_000, 250);
  connection.sweep(61_000, 250, 60_000);
  expect(closed).toEqual([]);
  connection.sweep(62_000, 250);
  expect(closed).toEqual(["Alice 4504 no sign of life"]);
});

describe("a relay", () => {
  it("[COST-1] stops one whose messages take it too long, and others notice nothing", async () => {
    const { relay, url } = await startRelay({ timeRate: 20 });
    const [alice, bob] = [ownClient(url, "alice"), ownClient(url, "bob")];
    const room = alice.join("doc");
    bob.join("doc");
    const mallory = await rawPeer(url, "other");
    const fields = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`f${i}`, "x".repeat(200)]));
    let clock = 1;
    while (mallory.close === undefined) {
      for (let i = 0; i < 20; i++) mallory.say([1, ++clock, { ...fields, f0: `${clock}` }]);
      await mallory.settle().catch(() => {});
    }
    expect(mallory.close).toEqual({ code: 4529, reason: "too much work" });
    await until("they see each other", () => room.roster.get("bob") !== undefined);
    expect(relay.metrics().closed).toEqual({ "4529": 1 });
  });

  it(
    "[COST-1] [COST-3] takes a large document and a full room from those who are honest",
    { timeout: 60_000 },
    async () => {
      const { relay, url } = await startRelay();
      const crowd = await Promise.all(Array.from({ length: 4 }, () => rawPeer(url, "doc")));
      for (const [i, peer] of crowd.entries()) {
        for (let n = 0; n < 60; n++)
          peer.say([i * 100 + n + 1, 1, { user: { id: `user ${i} ${n}`, name: "Somebody" } }]);
        await peer.settle();
      }
      const doc = new Y.Doc();
      for (let i = 0; i < 1_000; i++) doc.getText("text").insert(0, "word ".repeat(400));
      const alice = stockClient(url, "doc", { user: { id: "alice" }, doc });
      const bob = stockClient(url, "doc", { user: { id: "bob" } });
      await until("Bob has it", () => bob.doc.getText("text").length === doc.getText("text").length, 20_000);
      for (let i = 0; i < 100; i++) doc.getText("text").insert(0, "more");
      await until("Bob has that, too", () => bob.doc.getText("text").length === doc.getText("text").length, 20_000);
      expect([alice.wsconnected, bob.wsconnected, relay.metrics().closed]).toEqual([true, true, {}]);
    },
  );

  it("[COST-4] charges nobody with the first answers, nor with what is sent because of others", async () => {
    const { relay, url } = await startRelay({ byteRate: 20_000, tick: 0 });
    const doc = new Y.Doc();
    doc.getMap("m").set("k", new Uint8Array(90_000));
    const alice = await rawPeer(url, "doc");
    alice.send(updateFrame(Y.encodeStateAsUpdate(doc)));
    await alice.settle();
    const bob = await rawPeer(url, "doc");
    await bob.settle();
    bob.send(QUERY_FRAME);
    // far more than it may ask for, all of it said by somebody else
    for (let i = 0; i < 9; i++) {
      const carol = await rawPeer(url, "doc");
      carol.say([100 + i, 1, { ...stateOf(`carol ${i}`, `s_${i}`), big: "x".repeat(40_000) }]);
      await carol.settle();
    }
    await bob.settle();
    expect([bob.close, relay.metrics().closed]).toEqual([undefined, {}]);
    // now it asks again and again
    for (let i = 0; i < 30; i++) bob.send(syncStep1Frame(EMPTY_STATE_VECTOR));
    expect(await bob.closed).toEqual({ code: 4529, reason: "too many questions" });
  });

  it.each(["ping", "pong"] as const)("[COST-5] counts each %s that it did not ask for as a message", async (kind) => {
    const { url } = await startRelay({ messageRate: 10 });
    const mallory = await rawPeer(url, "doc");
    for (let i = 0; i < 30; i++) mallory.socket[kind]();
    await mallory.settle();
    for (let i = 0; i < 30; i++) mallory.socket[kind]();
    expect(await mallory.closed).toEqual({ code: 4529, reason: "too many messages" });
  });

  it("[COST-1] charges for frames that are no messages, too", { timeout: 60_000 }, async () => {
    const { relay, url, port } = await startRelay({ timeRate: 20 });
    const alice = await rawPeer(url, "doc");
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {}).resume();
    const headers = ["Host: x", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
    socket.write(["GET /doc HTTP/1.1", ...headers, `Sec-WebSocket-Key: ${"a".repeat(22)}==`, "", ""].join("\r\n"));
    // a message of many empty parts, again and again: each is one message
    const empty = Buffer.from([0x00, 0x80, 0, 0, 0, 0]);
    const parts = [Buffer.from([0x02, 0x80, 0, 0, 0, 0]), ...Array.from({ length: 9_998 }, () => empty)];
    const block = Buffer.concat([...parts, Buffer.from([0x80, 0x83, 0, 0, 0, 0, 1, 1, 0])]);
    while (relay.metrics().closed["4529"] === undefined) {
      if (!socket.write(block)) await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
      await turn();
    }
    await alice.settle();
    expect(relay.metrics()).toMatchObject({ connections: 1, closed: { "4529": 1 } });
  });

  it("[COST-11] refuses a message of too many parts for good", async () => {
    const { url } = await startRelay();
    const mallory = await rawPeer(url, "doc");
    for (let i = 0; i < 17_000; i++) mallory.socket.send(new Uint8Array([1]), { fin: false });
    expect(await mallory.closed).toEqual({ code: 4400, reason: "too many fragments" });
  });
});

it("[WIRE-10] a message on which the relay fails ends its own connection, and is reported", () => {
  const { acted, closed, connected } = setup(0, { fails: true });
  const [mallory, bob] = [connected("Mallory"), connected("Bob")];
  mallory.says(2);
  expect(closed).toEqual(["Mallory 1011 the relay failed to act on this message"]);
  expect(acted).toEqual(["Mallory", "Mallory ended", "failed: TypeError: nobody has foreseen this"]);
  expect(bob.connection.silent).toBe(false);
});
