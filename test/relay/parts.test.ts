/** Parts that an application hands in, and that are none. */
import { expect, it } from "vitest";
import { MemoryDocumentStore, createRelay, openStore } from "../../src/relay/index.ts";

const making = (given: object) => () => createRelay(given);

it.each<[object, string | RegExp]>([
  [
    { store: openStore("memory") },
    'store is a promise: await it first, for example what await openStore("file:./data") gives',
  ],
  [{ store: "file:./data" }, /^store has no function load: .*openStore/],
  [{ store: { load() {}, append() {} } }, /^store has no function compact/],
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

it("[RUN-8] takes stores and functions of one's own, and nothing where nothing is given", async () => {
  class Own extends MemoryDocumentStore {}
  const relay = createRelay({ store: new Own(), bus: null, onError: () => {}, lobby: { rooms: false } });
  expect(relay.options.lobbyRooms).toBe(false);
  await relay.close();
  await createRelay({ store: null, sharedOutbox: null }).close();
});
