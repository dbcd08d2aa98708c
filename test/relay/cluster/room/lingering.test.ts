/** A room that stays open on a relay after its people have left, for the sake of other relays. */
import { expect, it } from "vitest";
import { WebSocket } from "ws";
import type { StateUpdate } from "../../../../src/awareness/audience/index.ts";
import { MemoryBus } from "../../../../src/relay/cluster/bus/memory-bus.ts";
import { type Message, decodeMessage } from "../../../../src/relay/cluster/message.ts";
import { Lingering } from "../../../../src/relay/cluster/room/lingering.ts";
import type { DocumentStore } from "../../../../src/relay/ports/stores/document-store.ts";
import { MemoryDocumentStore } from "../../../../src/relay/store/memory.ts";
import { ownClient, startRelay, until } from "../../../support.ts";
import { memory } from "../../../tab.ts";
import { FaultyBus } from "../faulty-bus.ts";

const LATE_MS = 300;
/** Of a client id that has left, and of which nobody was told anything. */
const NOTHING_TOLD = { id: 7, entry: null, clock: 0, shown: false, sentAt: 0, pending: null, native: null };

/** One relay's end of a bus on which some messages come late. */
class LateBus extends FaultyBus {
  isLate: (message: Message) => boolean = () => false;

  override subscribe(topic: string, on: (bytes: Uint8Array) => void): () => void {
    return super.subscribe(topic, (bytes) => {
      const message = decodeMessage(bytes);
      if (message === null || !this.isLate(message)) return on(bytes);
      const copy = bytes.slice();
      setTimeout(() => on(copy), LATE_MS);
    });
  }
}

it("[BUS-36] nobody sees Bob leave who goes to another relay, also where that relay is heard later than the old one", async () => {
  const shared = new MemoryBus();
  const bus = new LateBus(shared);
  const [old, next] = [
    await startRelay({ bus: new FaultyBus(shared) }),
    await startRelay({ bus: new FaultyBus(shared) }),
  ];
  const { url } = await startRelay({ bus });
  const { roster } = ownClient(url, "alice").join("doc");
  const tabStorage = memory();
  let isUnplugged = false;
  class Unplugged extends WebSocket {
    override send(data: string | Uint8Array): void {
      if (!isUnplugged) super.send(data);
    }
  }
  const before = ownClient(old.url, "bob", { tabStorage, WebSocket: Unplugged });
  before.join("doc");
  await until("Alice sees Bob", () => roster.get("bob") !== undefined);
  const leaves: string[] = [];
  roster.on("leave", ({ userId }) => leaves.push(userId));
  bus.isLate = ({ relay }) => relay === next.relay.shard;
  const { session } = before;
  // else the page would announce the session that it takes next, and leave with that
  isUnplugged = true;
  ownClient(next.url, "bob", { tabStorage }).join("doc");
  await until("the old relay knows that Bob's session speaks elsewhere", () => before.session !== session);
  before.destroy();
  await until("the old relay has given the room up", () => old.relay.room("doc") === undefined);
  await until("Alice sees Bob's one session", () => roster.get("bob")?.sessions.length === 1);
  expect(roster.get("bob")?.sessions[0]?.id).toBe(session);
  expect(leaves).toEqual([]);
});

it("[BUS-36] that a session has moved is told after 2 s: until then a relay that has lost the word of the new one has asked for it", () => {
  let held = 0;
  const lingering = new Lingering({ hold: () => (held++, () => void held--), isStored: () => true });
  const update = (isElsewhere: boolean): StateUpdate => ({
    publication: { ...NOTHING_TOLD, isElsewhere },
    clock: 1,
    state: null,
  });
  const [moved, left] = [update(true), update(false)];
  expect(lingering.withoutMoved([moved, left], 10_000)).toEqual([left]);
  lingering.settle();
  expect([held, lingering.takeMoved(11_999)]).toEqual([1, []]);
  expect(lingering.takeMoved(12_000)).toEqual([moved]);
  lingering.settle();
  expect(held).toBe(0);
});

it("[BUS-37] what Bob wrote while the store was away reaches Alice on another relay, though he has left", async () => {
  const kept = new MemoryDocumentStore();
  let isAway = false;
  const store: DocumentStore = {
    load: (room, signal) => kept.load(room, signal),
    append: (room, updates) => (isAway ? Promise.reject(new Error("the store is away")) : kept.append(room, updates)),
    compact: (room, snapshot, upTo) => kept.compact(room, snapshot, upTo),
  };
  const shared = new MemoryBus();
  const here = await startRelay({ bus: new FaultyBus(shared), store, onError: () => {} });
  const there = await startRelay({ bus: new FaultyBus(shared), store });
  await until("the relays know each other", () =>
    [here, there].every(({ relay }) => relay.metrics().bus?.relays === 1),
  );
  const bob = ownClient(here.url, "bob");
  const his = bob.join("doc");
  await until("Bob is in the room", () => his.provider.synced);
  isAway = true;
  his.doc.getText("t").insert(0, "hello");
  his.leave();
  await until("the relay has nobody in the room", () => here.relay.room("doc")?.connections === 0);
  const hers = ownClient(there.url, "alice").join("doc");
  await until("Alice reads it", () => hers.doc.getText("t").toJSON() === "hello");
  isAway = false;
  await until("Bob's relay gives the room up once it is stored", () => here.relay.room("doc") === undefined);
});
