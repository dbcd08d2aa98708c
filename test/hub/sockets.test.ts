/** Sockets of servers that throw, say nothing of what waits, or give messages in other forms than the package `ws` does. */
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type HubChannel, type HubOptions, type HubSocket, SUBPROTOCOL, createHub } from "../../src/hub/index.ts";
import { statesUpdateFrame } from "../../src/wire/index.ts";
import { until } from "../support.ts";
import { stateOf } from "../relay/raw.ts";

function startHub(options: HubOptions = {}) {
  const onError = vi.fn<(error: unknown, where: string) => void>();
  const hub = createHub({ tick: 0, lobbyTick: 0, leaveGrace: 0, onError, ...options });
  onTestFinished(() => hub.close());
  return { hub, onError };
}

function socketOf(changes: Partial<HubSocket> = {}) {
  const sent: Uint8Array[] = [];
  const closed: number[] = [];
  const socket: HubSocket = {
    protocol: "",
    bufferedAmount: 0,
    send: (message) => void sent.push(message),
    close: (code) => void closed.push(code),
    ...changes,
  };
  return { socket, sent, closed };
}

const introduce = (channel: HubChannel, clientId: number, name: string): void =>
  channel.message(introduction(clientId, name));

const introduction = (id: number, name: string): Uint8Array =>
  statesUpdateFrame([{ id, clock: 1, state: new TextEncoder().encode(JSON.stringify(stateOf(name, `s_${name}`))) }]);

/** As the sockets of some servers do once they are closed. */
function gone(): never {
  throw new Error("the socket is closed");
}

describe("a socket that throws", () => {
  it("[HUB-1] later, since its functions are async, is reported once and leaves, and ends nothing else", async () => {
    const { hub, onError } = startHub();
    const rejected = (): void => Promise.reject(new Error("the socket is closed")) as unknown as void;
    const [alice, bob] = [socketOf({ send: rejected, close: rejected, ping: rejected }), socketOf()];
    introduce(hub.accept(bob.socket, { room: "doc", identity: null }), 2, "bob");
    introduce(hub.accept(alice.socket, { room: "doc", identity: null }), 1, "alice");
    await until("it is reported", () => onError.mock.calls.length > 0);
    await until("she has left", () => hub.room("doc")?.connections === 1);
    expect(onError.mock.calls.map(([error, where]) => `${where}: ${String(error)}`)).toEqual([
      "a socket: Error: the socket is closed",
    ]);
    expect(bob.closed).toEqual([]);
  });

  it("[HUB-1] is reported once and leaves, and everybody else in the room is told all the same", async () => {
    const { hub, onError } = startHub();
    let isGone = false;
    const alice = socketOf({ send: () => isGone && gone(), terminate: gone });
    const [bob, carol] = [socketOf(), socketOf()];
    introduce(hub.accept(alice.socket, { room: "doc", identity: null }), 1, "alice");
    const bobs = hub.accept(bob.socket, { room: "doc", identity: null });
    hub.accept(carol.socket, { room: "doc", identity: null });
    await until("she is here", () => hub.users().some(({ id }) => id === "alice"));
    isGone = true;
    const before = carol.sent.length;
    introduce(bobs, 2, "bob");
    await until(
      "she has left, and he is here",
      () =>
        hub
          .users()
          .map(({ id }) => id)
          .join() === "bob",
    );
    await until("the third is told", () => carol.sent.length > before);
    expect(onError.mock.calls).toEqual([[new Error("the socket is closed"), "a socket"]]);
    expect(hub.room("doc")?.connections).toBe(2);
  });

  it("[HUB-1] ends alone, whatever it is asked when it throws", async () => {
    const { hub, onError } = startHub({ pingInterval: 20, pingTimeout: 20 });
    hub.accept(socketOf({ ping: gone, close: gone }).socket, { room: "doc", identity: null });
    await until("it is given up", () => hub.metrics().connections === 0);
    const closing = hub.accept(socketOf({ close: gone }).socket, { room: "doc", identity: null });
    closing.message(Uint8Array.of(77));
    await until("it is closed", () => hub.metrics().connections === 0);
    const asked = socketOf();
    Object.defineProperty(asked.socket, "bufferedAmount", { get: gone });
    hub.accept(asked.socket, { room: "doc", identity: null });
    await until("it is gone", () => hub.metrics().connections === 0);
    expect(onError.mock.calls.map(([, where]) => where)).toEqual(["a socket", "a socket", "a socket"]);
  });

  it("[HUB-1] that says of no number of bytes that they wait does not count for anything", async () => {
    const { hub } = startHub();
    const socket = { send() {}, close() {} } as unknown as HubSocket;
    introduce(hub.accept(socket, { room: "doc", identity: null }), 1, "alice");
    await until("she is here", () => hub.users().length === 1);
    expect(hub.metrics().unsentBytes).toBe(0);
  });
});

describe("a message", () => {
  it("[HUB-2] may be an ArrayBuffer, which its server takes back afterwards", async () => {
    const { hub } = startHub();
    const channel = hub.accept(socketOf({ protocol: SUBPROTOCOL }).socket, { room: "doc", identity: null });
    const bytes = introduction(1, "alice");
    const buffer = new ArrayBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    channel.message(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    await until("she is here", () => hub.users().length === 1);
  });

  it("[HUB-2] that is a text closes its connection as malformed, and nothing else", async () => {
    const { hub } = startHub();
    const [alice, bob] = [socketOf(), socketOf()];
    hub.accept(bob.socket, { room: "doc", identity: null });
    hub.accept(alice.socket, { room: "doc", identity: null }).message("hello");
    await until("it is closed", () => alice.closed.length > 0);
    expect([alice.closed, bob.closed]).toEqual([[4400], []]);
  });
});

it("[HUB-3] a hub refuses what is the business of its server, since who gives it believes that it is looked at", () => {
  const options = (given: object) => () => createHub(given);
  expect(options({ jwtSecret: "s".repeat(32) })).toThrow(/a hub has no option "jwtSecret"/);
  expect(options({ origins: ["https://app.example"] })).toThrow(/a hub has no option "origins"/);
  expect(options({ webhook: "https://app.example" })).toThrow(/a hub has no option "webhook"/);
  expect(options({ documents: "shard" })).toThrow('documents must be "shared" or "none"');
  expect(options({ store: Promise.resolve(null) })).toThrow(/store is a promise: await it/);
});

it.each([
  [{ userId: 5 }, /userId must be a well-formed string/],
  [{ userId: "alice", lobby: 7 }, /lobby must be/],
  [undefined, /identity/],
])("[HUB-4] somebody whose identity is %j is not let in", (identity, message) => {
  const { hub } = startHub();
  const admission = { room: "doc", identity } as unknown as Parameters<typeof hub.accept>[1];
  expect(() => hub.accept(socketOf().socket, admission)).toThrow(message);
  expect(hub.metrics().connections).toBe(0);
});

it.each(["@other", "@lobbyist", "@", undefined, 5, "", "..", "a/./b", "\ud800", "x".repeat(513)])(
  "[HUB-5] there is no room that is called %j",
  (room) => {
    const { hub } = startHub();
    const admission = { room, identity: null } as unknown as Parameters<typeof hub.accept>[1];
    expect(() => hub.accept(socketOf().socket, admission)).toThrow(/no name (of|for) a room/);
    expect(hub.rooms()).toEqual([]);
  },
);

it("[RUN-3] a hub that is closed twice is closed once", async () => {
  const { hub } = startHub();
  await Promise.all([hub.close(), hub.close()]);
  const late = socketOf();
  hub.accept(late.socket, { room: "doc", identity: null });
  expect(late.closed).toEqual([1012]);
});
