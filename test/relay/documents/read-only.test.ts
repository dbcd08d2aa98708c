import { expect, it, onTestFinished } from "vitest";
import * as Y from "yjs";
import { ReadOnlyDocument } from "../../../src/relay/documents/read-only.ts";
import type { Packet } from "../../../src/relay/ports/packet.ts";
import { EMPTY_STATE_VECTOR, FrameError, decodeFrame } from "../../../src/wire/index.ts";

/** A document that a relay writes, and what is told of it. */
function setup({ onRead = () => {} }: { readonly onRead?: (map: Y.Map<unknown>) => void } = {}) {
  const doc = new Y.Doc();
  const told: Packet[] = [];
  const document = new ReadOnlyDocument(
    doc,
    (packet) => told.push(packet),
    () => onRead(doc.getMap("shards")),
  );
  onTestFinished(() => document.close());
  return { doc, document, told, map: doc.getMap<unknown>("shards") };
}

function take(doc: Y.Doc, packets: readonly Packet[]): void {
  for (const { message } of packets) {
    const frame = decodeFrame(message);
    if (frame.type !== "syncStep2" && frame.type !== "update") throw new Error(frame.type);
    Y.applyUpdate(doc, frame.update);
  }
}

it("[ROOM-4] gives a newcomer all, whenever it comes, and encodes it once for all who come", () => {
  const { document, map } = setup();
  map.set("all", "x".repeat(100_000));
  const [whole] = document.sync(EMPTY_STATE_VECTOR);
  for (let i = 0; i < 200; i++) {
    map.set(`user${i}`, "y".repeat(200));
    const packets = document.sync(EMPTY_STATE_VECTOR);
    // what was written since is sent with it, and in the end is not worth it
    expect(packets[0] === whole || i > 80).toBe(true);
    const reader = new Y.Doc();
    take(reader, packets);
    expect(reader.getMap("shards").size).toBe(i + 2);
  }
  expect(document.sync(EMPTY_STATE_VECTOR)[0]).not.toBe(whole);
});

it("[ROOM-4] is said to be all only once it is: nobody who has left since is taken for present", () => {
  const { document, map } = setup();
  map.set("all", "x".repeat(100_000));
  map.set("alice", "here");
  document.sync(EMPTY_STATE_VECTOR);
  map.delete("alice");
  const reader = new Y.Doc();
  const answers: (readonly string[])[] = [];
  for (const packet of document.sync(EMPTY_STATE_VECTOR)) {
    take(reader, [packet]);
    if (decodeFrame(packet.message).type === "syncStep2") answers.push([...reader.getMap("shards").keys()]);
  }
  expect(answers).toEqual([["all"]]);
});

it("[ROOM-4] is one message while it is small", () => {
  const { document, map } = setup();
  map.set("alice", "here");
  expect(document.sync(EMPTY_STATE_VECTOR)).toHaveLength(1);
  map.set("bob", "here");
  const packets = document.sync(EMPTY_STATE_VECTOR);
  expect(packets).toHaveLength(1);
  const reader = new Y.Doc();
  take(reader, packets);
  expect(reader.getMap("shards").size).toBe(2);
});

it("[ROOM-4] gives one that has some of it the rest, and one that has something else all", () => {
  const { doc, document, map } = setup();
  map.set("a", "1");
  const known = Y.encodeStateVector(doc);
  map.set("b", "x".repeat(5_000));
  map.set("c", "3");
  const [rest] = document.sync(known);
  const [all] = document.sync(EMPTY_STATE_VECTOR);
  expect(rest).not.toBe(all);
  const other = new Y.Doc();
  other.getMap("shards").set("old", "relay");
  take(other, document.sync(Y.encodeStateVector(other)));
  expect([...other.getMap("shards").keys()].toSorted((x, y) => (x < y ? -1 : 1))).toEqual(["a", "b", "c", "old"]);
  expect(document.sync(Y.encodeStateVector(other))[0]).not.toBe(all);
  expect(() => document.sync(Uint8Array.of(1))).toThrow(FrameError);
});

it("[LOBBY-5] is written when somebody reads it, and the first reader gets what was written then", () => {
  const { document } = setup({ onRead: (map) => map.set("all", "everybody") });
  const reader = new Y.Doc();
  take(reader, document.sync(EMPTY_STATE_VECTOR));
  expect(reader.getMap("shards").get("all")).toBe("everybody");
});

it("[LOBBY-1] says the same to those who read it with Yjs, no matter who came first", () => {
  for (const order of [
    [true, false],
    [false, true],
  ]) {
    const { document, map } = setup();
    const user = {
      name: "Ann \u2028 \u{1f600}",
      at: 1_764_000_000_000,
      ratio: 0.1,
      rooms: ["a", null, true],
      meta: {},
    };
    for (let i = 0; i < 1_000; i++) map.set(`user${i}`, { ...user, i });
    for (const isYjs of order) {
      const reader = new Y.Doc();
      take(reader, document.sync(EMPTY_STATE_VECTOR, isYjs));
      expect(reader.getMap("shards").toJSON()).toEqual(map.toJSON());
      map.delete("user7");
      map.set("user8", { ...user, name: "Bob" });
      const later = new Y.Doc();
      take(later, document.sync(EMPTY_STATE_VECTOR, isYjs));
      expect(later.getMap("shards").toJSON()).toEqual(map.toJSON());
    }
  }
});

it("[LOBBY-18] gives a client of ours parts that are each short, of which only the last says that it is all", () => {
  const { document, map, doc } = setup();
  for (let i = 0; i < 1_000; i++) map.set(`user${i}`, { name: "Ann", meta: { text: "x".repeat(200) } });
  const known = Y.encodeStateVector(doc);
  const check = (packets: readonly Packet[], reader: Y.Doc): void => {
    expect(packets.length).toBeGreaterThan(5);
    expect(Math.max(...packets.map(({ message }) => message.length))).toBeLessThanOrEqual(33 * 1024);
    expect(packets.map(({ message }) => decodeFrame(message).type)).toEqual(
      packets.map((_, i) => (i === packets.length - 1 ? "syncStep2" : "update")),
    );
    const sizes = packets.map((packet) => {
      take(reader, [packet]);
      return reader.getMap("shards").size;
    });
    // each part is somebody's, and none waits for another
    expect(sizes.slice(0, 5)).toEqual([...new Set(sizes.slice(0, 5))].toSorted((a, b) => a - b));
    expect(reader.getMap("shards").toJSON()).toEqual(map.toJSON());
  };
  check(document.sync(EMPTY_STATE_VECTOR, true), new Y.Doc());
  const reader = new Y.Doc();
  Y.applyUpdate(reader, Y.encodeStateAsUpdate(doc));
  for (let i = 0; i < 500; i++) map.set(`later${i}`, { name: "Bob", meta: { text: "y".repeat(400) } });
  map.delete("user7");
  check(document.sync(known, true), reader);
  check(document.sync(EMPTY_STATE_VECTOR, true), new Y.Doc());
});

it("[LOBBY-18] gives the documents of other relays in such parts, too, as they are then", () => {
  const doc = new Y.Doc();
  const other = new Y.Doc();
  const document = new ReadOnlyDocument(
    doc,
    () => {},
    () => {},
    () => [other],
  );
  onTestFinished(() => document.close());
  for (let i = 0; i < 500; i++) other.getMap("shards").set(`user${i}`, { text: "x".repeat(200) });
  for (const later of ["first", "second"]) {
    const packets = document.sync(EMPTY_STATE_VECTOR, true);
    expect(Math.max(...packets.map(({ message }) => message.length))).toBeLessThanOrEqual(33 * 1024);
    const reader = new Y.Doc();
    take(reader, packets);
    expect(reader.getMap("shards").toJSON()).toEqual(other.getMap("shards").toJSON());
    other.getMap("shards").set(later, "here");
  }
});

/** A document of a lobby, and the one of another relay. */
function withOther() {
  const other = new Y.Doc();
  const document = new ReadOnlyDocument(
    new Y.Doc(),
    () => {},
    () => {},
    () => [other],
  );
  onTestFinished(() => document.close());
  return { document, other, map: other.getMap<unknown>("shards") };
}

/** Yjs's name for how the value of a key came. */
const contentOf = (doc: Y.Doc, key: string): string | undefined =>
  doc.getMap("shards")._map.get(key)?.content.constructor.name;

it("[LOBBY-23] encodes the document of another relay once for all who come, and adds what was written since", () => {
  const { document, map } = withOther();
  for (let i = 0; i < 500; i++) map.set(`user${i}`, { text: "x".repeat(200) });
  const [first] = document.sync(EMPTY_STATE_VECTOR, true);
  map.set("alice", "here");
  map.delete("user7");
  const packets = document.sync(EMPTY_STATE_VECTOR, true);
  expect(packets[0]).toBe(first);
  const reader = new Y.Doc();
  take(reader, packets);
  expect(reader.getMap("shards").toJSON()).toEqual(map.toJSON());
});

it("[LOBBY-23] tells a client of ours of people on other relays in the form that it reads quickest, and a stock client in Yjs's own", () => {
  const { document, map } = withOther();
  map.set("alice", { name: "Alice", since: 1 });
  map.set("nothing", undefined);
  const [ours, stock] = [new Y.Doc(), new Y.Doc()];
  take(ours, document.sync(EMPTY_STATE_VECTOR, true));
  take(stock, document.sync(EMPTY_STATE_VECTOR));
  expect([contentOf(ours, "alice"), contentOf(stock, "alice")]).toEqual(["ContentJSON", "ContentAny"]);
  expect([ours, stock].map((doc) => doc.getMap("shards").toJSON())).toEqual([map.toJSON(), map.toJSON()]);
});

it("[LOBBY-23] hands on what another relay has written that is no JSON", () => {
  const { document, map } = withOther();
  map.set("alice", 2n ** 60n);
  const reader = new Y.Doc();
  take(reader, document.sync(EMPTY_STATE_VECTOR, true));
  expect(reader.getMap("shards").get("alice")).toBe(2n ** 60n);
});

it("[COST-13] what is made once for all who come is told, so that the first of them does not pay for it", () => {
  let now = 0;
  let tookMs = 0;
  const doc = new Y.Doc();
  const map = doc.getMap("shards");
  const document = new ReadOnlyDocument(
    doc,
    () => {},
    () => (now += 7),
    () => [],
    { now: () => now, took: (ms) => (tookMs += ms) },
  );
  onTestFinished(() => document.close());
  // a small document is encoded for each who asks
  map.set("user", "here");
  document.sync(EMPTY_STATE_VECTOR, true);
  document.sync(EMPTY_STATE_VECTOR, true);
  expect(tookMs).toBe(7);
  // as it is encoded, time passes
  map.set("all", { toJSON: () => ((now += 100), "x".repeat(100_000)) });
  document.sync(EMPTY_STATE_VECTOR, true);
  expect(tookMs).toBe(107);
  document.sync(EMPTY_STATE_VECTOR, true);
  expect(tookMs).toBe(107);
});
