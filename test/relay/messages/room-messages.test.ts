/** Who gets messages, when many wait, and when somebody does not read. */
import { expect, it } from "vitest";
import { Register, StateMemory } from "../../../src/awareness/index.ts";
import { RoomMessages } from "../../../src/relay/messages/room-messages.ts";
import { openAccess } from "../../../src/relay/access/grants.ts";
import { systemClock } from "../../../src/relay/ports/clock.ts";
import type { Member } from "../../../src/relay/ports/member.ts";
import { decodeFrame } from "../../../src/wire/index.ts";
import { resolveOptions } from "../../../src/relay/options.ts";

/** A client of ours that writes down what it is sent. */
function listener(lagging: boolean): Member & { readonly heard: string[][] } {
  const heard: string[][] = [];
  return {
    kind: "native",
    echoing: "never",
    silent: false,
    lagging,
    companions: [],
    address: "::1",
    answers: true,
    lastSeen: 0,
    heard,
    access: openAccess("@lobby"),
    send({ message }) {
      const frame = decodeFrame(message);
      if (frame.type !== "control" || frame.control.kind !== "messages") throw new Error("no messages");
      heard.push(frame.control.messages.map(({ type }) => type));
    },
    cork() {},
    uncork() {},
    charge() {},
    close() {},
  };
}

function messagesTo(members: ReadonlySet<Member>) {
  const register = new Register("doc", resolveOptions({}), () => {}, new StateMemory(0), 0);
  let flushes = 0;
  const flusher = {
    schedule() {},
    flushNow() {
      flushes++;
      messages.flush();
    },
  };
  const messages: RoomMessages = new RoomMessages(members, register, flusher, {
    clock: systemClock,
    onDropped: () => {},
    isWithheld: () => false,
  });
  return { messages, flushes: () => flushes };
}

const text = (type: string, length = 0): string => JSON.stringify({ type, payload: "x".repeat(length) });

it("[MSG-5] messages that wait together are sent together, and one who does not read what it is sent misses them", () => {
  const [bob, slow] = [listener(false), listener(true)];
  const { messages } = messagesTo(new Set([bob, slow]));
  messages.hand(text("a"), null);
  messages.hand(text("b"), null);
  messages.hand(text("c"), "@lobby/acme");
  messages.hand(text("d"), null);
  expect(bob.heard).toEqual([]);
  messages.flush();
  messages.flush();
  expect(bob.heard).toEqual([["a", "b"], ["d"]]);
  expect(slow.heard).toEqual([]);
});

it("[MSG-5] long messages go in frames of their own, and no more than some wait", () => {
  const bob = listener(false);
  const { messages, flushes } = messagesTo(new Set([bob]));
  for (let i = 0; i < 40; i++) messages.hand(text(`${i}`, 7_000), null);
  expect(flushes()).toBe(1);
  messages.flush();
  expect(bob.heard.flat()).toEqual(Array.from({ length: 40 }, (_, i) => `${i}`));
  expect(bob.heard.every((frame) => frame.length <= 2)).toBe(true);
});
