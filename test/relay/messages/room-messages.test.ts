/** Who gets messages, when many wait, and when somebody does not read. */
import { describe, expect, it } from "vitest";
import { Register, StateMemory } from "../../../src/awareness/index.ts";
import { MAX_HELD_BYTES, MAX_HELD_MS } from "../../../src/relay/messages/held.ts";
import { RoomMessages } from "../../../src/relay/messages/room-messages.ts";
import { openAccess } from "../../../src/relay/access/grants.ts";
import { systemClock } from "../../../src/relay/ports/clock.ts";
import type { Member } from "../../../src/relay/ports/member.ts";
import { MemoryBudget } from "../../../src/relay/util/budget.ts";
import { decodeFrame } from "../../../src/wire/index.ts";
import { resolveOptions } from "../../../src/relay/options.ts";

interface Listener extends Member {
  readonly heard: string[][];
  /** How many more messages it reads before it reads nothing any more. */
  reads: number;
}

/** A client of ours that writes down what it is sent. */
function listener(reads = Infinity): Listener {
  const heard: string[][] = [];
  return {
    kind: "native",
    echoing: "never",
    silent: false,
    reads,
    get lagging() {
      return this.reads <= 0;
    },
    companions: [],
    address: "::1",
    answers: true,
    lastSeen: 0,
    heard,
    access: openAccess("@lobby"),
    send({ message }) {
      const frame = decodeFrame(message);
      if (frame.type !== "control") throw new Error("no messages");
      if (frame.control.kind === "missed") return void heard.push([`missed ${frame.control.count}`]);
      if (frame.control.kind !== "messages") throw new Error("no messages");
      this.reads--;
      heard.push(frame.control.messages.map(({ type }) => type));
    },
    cork() {},
    uncork() {},
    charge() {},
    close() {},
  };
}

function messagesTo(members: ReadonlySet<Member>, memory = new MemoryBudget(0), clock = systemClock) {
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
    clock,
    onDropped: () => {},
    isWithheld: () => false,
    messageMemory: memory,
  });
  return { messages, flushes: () => flushes };
}

const text = (type: string, length = 0): string => JSON.stringify({ type, payload: "x".repeat(length) });

it("[MSG-5] messages that wait together are sent together", () => {
  const bob = listener();
  const { messages } = messagesTo(new Set([bob]));
  messages.hand(text("a"), null);
  messages.hand(text("b"), null);
  messages.hand(text("c"), "@lobby/acme");
  messages.hand(text("d"), null);
  expect(bob.heard).toEqual([]);
  messages.flush();
  messages.flush();
  expect(bob.heard).toEqual([["a", "b"], ["d"]]);
});

describe("one who does not read what it is sent", () => {
  /** Sends one message, in a frame of its own. */
  const say = (messages: RoomMessages, type: string, length = 0, lobby: string | null = null): void => {
    messages.hand(text(type, length), lobby);
    messages.flush();
  };

  it("[MSG-8] gets messages once it has read, in order, as far as it goes on reading; others do not wait for it", () => {
    const [bob, slow] = [listener(), listener(1)];
    const { messages } = messagesTo(new Set([bob, slow]));
    for (const type of ["a", "b", "c"]) say(messages, type);
    say(messages, "not for it", 0, "@lobby/acme");
    say(messages, "d");
    expect(bob.heard).toEqual([["a"], ["b"], ["c"], ["d"]]);
    expect(slow.heard).toEqual([["a"]]);
    slow.reads = 2;
    messages.catchUp(slow);
    expect(slow.heard).toEqual([["a"], ["b"], ["c"]]);
    slow.reads = Infinity;
    // what comes now goes behind what waits
    say(messages, "e");
    messages.catchUp(slow);
    say(messages, "f");
    expect(slow.heard).toEqual([["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]);
  });

  it("[MSG-8] is told how many were dropped when more wait than a room holds, before it gets the next", () => {
    const [slow, slower] = [listener(1), listener(0)];
    const memory = new MemoryBudget(0);
    const { messages } = messagesTo(new Set([slow, slower]), memory);
    const each = MAX_HELD_BYTES / 64;
    for (let i = 0; i < 100; i++) say(messages, `${i}`, each);
    expect(memory.used).toBeGreaterThan(MAX_HELD_BYTES / 2);
    expect(memory.used).toBeLessThanOrEqual(MAX_HELD_BYTES);
    for (const member of [slow, slower]) {
      member.reads = Infinity;
      messages.catchUp(member);
    }
    const [, , first] = slow.heard.flat();
    // message 0 was sent to one of them before it lagged
    expect(slow.heard.flat().slice(0, 2)).toEqual(["0", `missed ${Number(first) - 1}`]);
    expect(slower.heard.flat().slice(0, 2)).toEqual([`missed ${first}`, first]);
    for (const { heard } of [slow, slower]) expect(heard.flat().at(-1)).toBe("99");
    expect(memory.used).toBe(0);
  });

  it("[MSG-8] has short messages wait for it only as long as there is room for all that it takes to keep them", () => {
    const slow = listener(0);
    const { messages } = messagesTo(new Set([slow]));
    // their bytes alone would have room
    for (let i = 0; i < 5_000; i++) say(messages, `${i}`);
    slow.reads = Infinity;
    messages.catchUp(slow);
    const [missed, first] = slow.heard.flat();
    expect(missed).toBe(`missed ${first}`);
    expect(slow.heard.length).toBeLessThan(4_000);
  });

  it("[MSG-8] is not sent what is old by then, and what waits in all rooms together is bounded", () => {
    const slow = listener(0);
    let now = 0;
    const memory = new MemoryBudget(100_000);
    const { messages } = messagesTo(new Set([slow]), memory, { ...systemClock, now: () => now });
    say(messages, "old");
    now += MAX_HELD_MS;
    say(messages, "new");
    now += 1;
    messages.sweep(now);
    memory.add(100_000);
    say(messages, "no room");
    memory.release(100_000);
    say(messages, "newest");
    slow.reads = Infinity;
    messages.catchUp(slow);
    expect(slow.heard).toEqual([["missed 3"], ["newest"]]);
  });

  it("[MSG-8] keeps nothing waiting once it has gone, or the room is closed", () => {
    const [one, other] = [listener(0), listener(0)];
    const memory = new MemoryBudget(0);
    const { messages } = messagesTo(new Set([one, other]), memory);
    say(messages, "a");
    messages.left(one);
    expect(memory.used).toBeGreaterThan(0);
    messages.left(other);
    expect(memory.used).toBe(0);
    say(messages, "b");
    messages.close();
    expect(memory.used).toBe(0);
  });
});

it("[MSG-5] long messages go in frames of their own, and no more than some wait", () => {
  const bob = listener();
  const { messages, flushes } = messagesTo(new Set([bob]));
  for (let i = 0; i < 40; i++) messages.hand(text(`${i}`, 7_000), null);
  expect(flushes()).toBe(1);
  messages.flush();
  expect(bob.heard.flat()).toEqual(Array.from({ length: 40 }, (_, i) => `${i}`));
  expect(bob.heard.every((frame) => frame.length <= 2)).toBe(true);
});
