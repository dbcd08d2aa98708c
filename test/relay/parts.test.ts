/** Parts that an application hands in, and that are none. */
import { expect, it } from "vitest";
import { RawPeer } from "./raw.ts";
import { createHub } from "../../src/hub/index.ts";
import { MemoryDocumentStore, type Relay, createRelay, openStore } from "../../src/relay/index.ts";

const making = (given: object) => () => createRelay(given);

it.each<[object, string | RegExp]>([
  [
    { store: openStore("memory") },
    'store is a promise: await it first, for example what await openStore("file:./data") gives',
  ],
  [{ store: "file:./data" }, /^store has no function load: .*openStore/],
  [{ store: { load() {}, append() {} } }, /^store has no function compact/],
  [{ store: { load() {}, append() {}, compact() {}, people: 5 } }, /^store.people has no function load/],
  [{ bus: Promise.resolve({}) }, /^bus is a promise: await it first/],
  [{ bus: "redis://localhost" }, /^bus has no function publish: .*openBus/],
  [{ outbox: {} }, /^outbox has no function write/],
  [{ sharedOutbox: {} }, /^sharedOutbox has no function claim/],
  [{ log: { info() {} } }, /^log has no function warn/],
  [{ authenticate: "token" }, "authenticate must be a function"],
  [{ onError: {} }, "onError must be a function"],
  [{ lobby: { room: false } }, 'there is no option "lobby.room"; there is lobby.rooms'],
  [{ lobby: "acme" }, /^lobby must be an object/],
])("[RUN-8] %j is refused at once, with what to give", (given, message) => {
  expect(making(given)).toThrow(RangeError);
  expect(making(given)).toThrow(message);
});

it.each<[string, (relay: Relay) => unknown, string | RegExp]>([
  [
    "an event",
    (relay) => relay.on("jion" as "join", () => {}),
    'no event "jion"; there are join, leave, update, event',
  ],
  ["a listener", (relay) => relay.on("join", undefined as unknown as () => void), 'the listener of "join" must be a'],
  ["a lobby", (relay) => relay.users(5 as unknown as string), "the name of a lobby is a text"],
  ["a user", (relay) => relay.disconnect(undefined as unknown as string), "userId must be the id of a user"],
  ["a user", (relay) => relay.refresh(""), "userId must be the id of a user"],
  ["a reason", (relay) => relay.disconnect("a", { reason: 5 as unknown as string }), "reason must be a text"],
  ["a room", (relay) => relay.broadcast(undefined as unknown as string, "wave"), /^"undefined" is no name for a room/],
  ["a server", (relay) => relay.attach({} as Parameters<Relay["attach"]>[0]), /^attach takes an HTTP server of Node/],
  ["a port", (relay) => relay.listen("80" as unknown as number), "port must be a number from 0 to 65535"],
  ["a host", (relay) => relay.listen(0, 5 as unknown as string), "host must be a text"],
  ["a time", (relay) => relay.drain(NaN), "drain takes a number of ms"],
])("[RUN-10] %s that is none is refused where it is given", async (_what, act, message) => {
  const relay = createRelay();
  await expect((async () => act(relay))()).rejects.toThrow(message);
  await relay.close();
});

it.each([5, null, "x", []])("[RUN-10] %j are no options", (options) => {
  expect(() => createRelay(options as object)).toThrow(/^createRelay takes its options as an object/);
  expect(() => createHub(options as object)).toThrow(/^createHub takes its options as an object/);
});

it("[RUN-8] takes stores and functions of one's own, and nothing where nothing is given", async () => {
  class Own extends MemoryDocumentStore {}
  const relay = createRelay({ store: new Own(), bus: null, onError: () => {}, lobby: { rooms: false } });
  expect(relay.options.lobbyRooms).toBe(false);
  await relay.close();
  await createRelay({ store: null, sharedOutbox: null }).close();
});

it.each<[string, () => unknown]>([
  [
    "throws",
    () => {
      throw new Error("no disk");
    },
  ],
  ["rejects", () => Promise.reject(new Error("no disk"))],
])(
  "[RUN-11] a log that %s is reported, and a client is let in, and the relay closes all the same",
  async (_what, write) => {
    const errors: string[] = [];
    const relay = createRelay({
      log: { info: write, warn: write, error: write },
      onError: (error, where) => errors.push(`${where}: ${String(error)}`),
    });
    const { url } = await relay.listen(0);
    await expect(new RawPeer(url, "@reserved", []).closed).resolves.toMatchObject({ code: 4403 });
    await relay.close();
    expect(new Set(errors)).toEqual(new Set(["the log: Error: no disk"]));
  },
);

it("[RUN-11] a store that fails as it is closed is reported, and the relay closes all the rest", async () => {
  class Stuck extends MemoryDocumentStore {
    close(): Promise<void> {
      return Promise.reject(new Error("busy"));
    }
  }
  const errors: string[] = [];
  const relay = createRelay({ store: new Stuck(), onError: (error) => errors.push(String(error)) });
  const { port } = await relay.listen(0);
  await relay.close();
  expect(errors).toEqual(["Error: the store does not close"]);
  const next = createRelay();
  await next.listen(port);
  await next.close();
});
