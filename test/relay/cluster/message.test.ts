import { expect, it } from "vitest";
import { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { KINDS, Topics, decodeMessage, encodeMessage } from "../../../src/relay/cluster/message.ts";
import { ownClient, startRelay, until } from "../../support.ts";

it("a message is what PROTOCOL.md says, byte by byte", () => {
  const message = { kind: "tail", relay: "r_a", room: "doc", seq: 300, body: Uint8Array.of(7) } as const;
  const bytes = encodeMessage(message);
  expect(Buffer.from(bytes).toString("hex")).toBe("010403725f6103646f63ac0207");
  expect(decodeMessage(bytes)).toEqual(message);
  for (const kind of KINDS) expect(decodeMessage(encodeMessage({ ...message, kind }))).toEqual({ ...message, kind });
});

it("[BUS-5] what is kept of a message is a copy, also of one that comes as a Buffer, as from Redis", () => {
  const bytes = encodeMessage({ kind: "doc", relay: "r_a", room: "doc", seq: 1, body: Uint8Array.of(7, 8) });
  const body = decodeMessage(Buffer.from(bytes))?.body ?? new Uint8Array();
  expect(body.constructor).toBe(Uint8Array);
  // a field of a state is changed in a copy of it: what was read before stays what it was
  const copy = body.slice();
  copy[0] = 9;
  expect([...body]).toEqual([7, 8]);
});

it("[BUS-2] what is of another version or kind, or cannot be read, is dropped, and harms nobody", async () => {
  expect(decodeMessage(Uint8Array.of(2, 0))).toBeNull();
  expect(decodeMessage(Uint8Array.of(1, 99))).toBeNull();
  const bus = new MemoryBus();
  const errors: string[] = [];
  const { url, relay } = await startRelay({ bus, onError: (error) => errors.push(String(error)) });
  const room = ownClient(url, "alice").join("doc");
  await until("Alice is here", () => relay.users().length === 1);
  for (const bytes of [[], [9], [1], [1, 99], [1, 3, 255], [1, 3, 1, 66, 3, 100, 111, 99, 1, 255, 255]]) {
    bus.publish("cp1:r:doc", Uint8Array.from(bytes));
    bus.publish("cp1:l:@lobby", Uint8Array.from(bytes));
  }
  await until("some are counted", () => errors.length > 0);
  const bob = ownClient(url, "bob").join("doc");
  await until("all goes on", () => bob.roster.users.length === 2 && room.roster.users.length === 2);
});

it("topics begin with the prefix", () => {
  const topics = new Topics("app:");
  expect([topics.beat, topics.inbox("r_1"), topics.room("a"), topics.lobby("@lobby")]).toEqual([
    "app:beat",
    "app:i:r_1",
    "app:r:a",
    "app:l:@lobby",
  ]);
});
