import { expect, it } from "vitest";
import { EarlyMessages } from "../../../../src/relay/cluster/topic/early-messages.ts";
import type { Message } from "../../../../src/relay/cluster/message.ts";

const said = (seq: number, bytes = 10): Message => ({
  kind: "shard",
  relay: "relay-b",
  room: "@lobby",
  seq,
  body: new Uint8Array(bytes),
});
const numbers = (messages: readonly Message[]): number[] => messages.map(({ seq }) => seq);

it("[BUS-50] what came before the answer, and is not in it, is taken after it in its order", () => {
  const early = new EarlyMessages();
  for (const seq of [4, 6, 5, 7]) early.keep(said(seq));
  expect(numbers(early.after(5))).toEqual([6, 7]);
  expect(early.after(0)).toEqual([]);
});

it("[BUS-50] no more is kept than 64 messages and 64 KiB, the newest of them", () => {
  const early = new EarlyMessages();
  for (let seq = 1; seq <= 100; seq++) early.keep(said(seq));
  expect(numbers(early.after(0))).toEqual(Array.from({ length: 64 }, (_, i) => 37 + i));
  for (let seq = 1; seq <= 10; seq++) early.keep(said(seq, 20_000));
  expect(numbers(early.after(0))).toEqual([8, 9, 10]);
  early.keep(said(11, 100_000));
  expect(early.after(0)).toEqual([]);
});
