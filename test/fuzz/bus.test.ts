/**
 * Whatever somebody publishes on a bus without a secret: no relay ends, and once it stops all is as it was. What is random comes
 * from a seed.
 */
import * as fc from "fast-check";
import * as encoding from "lib0/encoding";
import { expect, it } from "vitest";
import * as Y from "yjs";
import { shardsOf } from "../../src/lobby/index.ts";
import { MemoryBus } from "../../src/relay/cluster/bus/memory-bus.ts";
import { KINDS, encodeMessage } from "../../src/relay/cluster/message.ts";
import { ownClient, pause, startRelay, stockClient, until } from "../support.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const MESSAGES = Number(process.env["FUZZ_MESSAGES"] ?? 6_000);
const GRACE_MS = 300;
/** A relay that is not heard any more is given up by then, and its people, ms. */
const GONE_MS = 2_500 + GRACE_MS + 1_500;

/** A bus that keeps what relays say on it. */
class TappedBus extends MemoryBus {
  readonly heard: { readonly topic: string; readonly bytes: Uint8Array }[] = [];

  override publish(topic: string, bytes: Uint8Array): void {
    if (this.heard.length < 2_000) this.heard.push({ topic, bytes });
    super.publish(topic, bytes);
  }
}

interface Said {
  readonly topic: string;
  readonly bytes: Uint8Array;
}

const uint = fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(0, 2 ** 31, 2 ** 47, 2 ** 48, 2 ** 53 - 1));
const text = fc.constantFrom("r_evil", "doc", "@lobby", "__proto__", "constructor", "", "alice", "x".repeat(300));
const json = fc
  .oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.constantFrom(
      ["alice", { status: "invisible", at: 2 ** 53 - 1 }],
      ["__proto__", { status: "dnd", at: 1 }],
      { id: 1, type: "people", names: ["doc", "__proto__"], isBrief: false },
      { id: 1, type: "choices", lobby: "@lobby", users: ["alice", "__proto__"] },
      { id: 1, upTo: 2 ** 53, rooms: [{ name: "doc", people: [5] }], names: [] },
      { userId: "nobody", lobby: null, code: 4403, reason: "", forMs: -1, id: 2 ** 53 },
      { userId: "__proto__", lobby: "@lobby" },
    ),
  )
  .map((value) => new TextEncoder().encode(JSON.stringify(value)));
/** Numbers, texts and bytes in any order, as bodies are made of them. */
const pieces = fc.array(fc.oneof(uint, text, fc.uint8Array({ maxLength: 30 }), json), { maxLength: 12 }).map((parts) =>
  encoding.encode((encoder) => {
    for (const part of parts) {
      if (typeof part === "number") encoding.writeVarUint(encoder, part);
      else if (typeof part === "string") encoding.writeVarString(encoder, part);
      else encoding.writeVarUint8Array(encoder, part);
    }
  }),
);
/** Updates of Yjs, in the place of a shard. */
const shard = fc.constantFrom("r_evil", "r_other", "u", "__proto__").map((name) => {
  const doc = new Y.Doc();
  const users = new Y.Map<never>();
  shardsOf(doc).set(name, users as never);
  for (const [i, value] of [5, null, { user: 1 }, { user: {}, sessions: { s: [] }, lastSeen: 0 }].entries()) {
    users.set(`u${i}`, value as never);
  }
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 0);
    encoding.writeVarString(encoder, "r_evil");
    encoding.writeVarUint(encoder, 1);
    encoding.writeVarString(encoder, "[]");
    encoding.writeVarUint8Array(encoder, Y.encodeStateAsUpdate(doc));
  });
});

/** @param inboxes of honest relays. @param honest what these have said */
function messages(inboxes: readonly string[], honest: readonly Said[]): fc.Arbitrary<Said> {
  const topic = fc.constantFrom("cp1:beat", "cp1:r:doc", "cp1:l:@lobby", ...inboxes);
  const made = fc
    .record({
      topic,
      kind: fc.constantFrom(...KINDS),
      relay: fc.constantFrom("r_evil", "r_other"),
      room: fc.oneof({ weight: 5, arbitrary: fc.constantFrom("doc", "@lobby") }, { weight: 1, arbitrary: text }),
      seq: uint,
      body: fc.oneof(pieces, json, shard, fc.uint8Array({ maxLength: 60 })),
    })
    .map(({ topic: to, ...message }) => ({ topic: to, bytes: encodeMessage(message) }));
  const cut = fc.tuple(fc.constantFrom(...honest), fc.nat(), fc.nat({ max: 255 })).map(([said, at, byte]) => {
    const bytes = said.bytes.slice(0, 1 + (at % said.bytes.length));
    bytes[bytes.length - 1] = byte;
    return { ...said, bytes };
  });
  // said once more, long after it was said
  const again = fc.constantFrom(...honest);
  const random = fc.record({ topic, bytes: fc.uint8Array({ maxLength: 100 }) });
  return fc.oneof(
    { weight: 6, arbitrary: made },
    { weight: 1, arbitrary: cut },
    { weight: 1, arbitrary: again },
    { weight: 1, arbitrary: random },
  );
}

it(
  `[BUS-2] [BUS-43] [BUS-44] [BUS-45] ${MESSAGES} messages of pretenders end no relay, and harm nobody for long`,
  { timeout: 600_000 },
  async () => {
    const bus = new TappedBus();
    const start = () => startRelay({ bus, leaveGrace: GRACE_MS, onError: () => {} });
    const [here, there] = [await start(), await start()];
    const alice = stockClient(here.url, "doc", { user: { id: "alice", name: "Alice" } });
    const bob = ownClient(there.url, "bob");
    const room = bob.join("doc");
    const sees = () => room.roster.get("alice") !== undefined && alice.awareness.states.has(room.doc.clientID);
    await until("Alice and Bob see each other", () => sees() && bob.lobby.get("alice") !== undefined);
    const closed: number[] = [];
    alice.on("connection-close", (event) => closed.push(event?.code ?? 0));
    for (let i = 0; i < 20; i++) {
      alice.awareness.setLocalStateField("cursor", i);
      room.doc.getText("text").insert(0, "x");
      await pause(5);
    }
    const inboxes = [here, there].map(({ relay }) => `cp1:i:${relay.shard}`);
    const hostile = fc.sample(messages(inboxes, bus.heard.slice()), { numRuns: MESSAGES, seed: SEED });
    for (const [i, { topic, bytes }] of hostile.entries()) {
      bus.publish(topic, bytes);
      if (i % 50 === 0) await pause(1);
    }
    await pause(GONE_MS);
    alice.awareness.setLocalStateField("cursor", "end");
    room.awareness.setLocalStateField("cursor", "end");
    room.doc.getText("text").insert(0, "end");
    const cursor = (states: ReadonlyMap<number, { readonly [name: string]: unknown }>, id: number): unknown =>
      states.get(id)?.["cursor"];
    await until("each sees what the other does", () => {
      const [hers, his] = [alice.awareness, room.awareness];
      return cursor(hers.states, room.doc.clientID) === "end" && cursor(his.states, alice.doc.clientID) === "end";
    });
    await until("Alice reads what Bob wrote", () => alice.doc.getText("text").toJSON().startsWith("end"));
    const ids = (users: readonly { readonly id: string }[]): string =>
      users
        .map(({ id }) => id)
        .toSorted()
        .join();
    await until("nobody else is seen any more", () => {
      return [room.roster.users, bob.lobby.users, here.relay.users(), there.relay.users()].every(
        (users) => ids(users) === "alice,bob",
      );
    });
    for (const { relay } of [here, there]) expect(relay.metrics().bus).toMatchObject({ isUp: true, relays: 1 });
    expect(closed).toEqual([]);
  },
);
