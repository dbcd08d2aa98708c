import { describe, expect, it } from "vitest";
import { type Message, decodeMessage, encodeMessage } from "../../../../src/relay/cluster/message.ts";
import { Assembler } from "../../../../src/relay/cluster/parts/assembler.ts";
import { Post } from "../../../../src/relay/cluster/parts/post.ts";
import { FrameError } from "../../../../src/wire/index.ts";
import { until } from "../../../support.ts";

const PART = 100;

/** A post whose bus takes things when the test says so. */
function post(isSlow = false) {
  const sent: { readonly topic: string; readonly message: Message }[] = [];
  const taken: (() => void)[] = [];
  const made = new Post({
    relay: "r_a",
    partBytes: PART,
    publish: (topic, bytes) => {
      const message = decodeMessage(bytes);
      if (message !== null) sent.push({ topic, message });
      return isSlow ? new Promise((resolve) => taken.push(resolve)) : undefined;
    },
    onError: (error) => expect(error).toBeUndefined(),
  });
  const send = (topic: string, room: string, seq: number, length: number): Uint8Array => {
    const bytes = encodeMessage({ kind: "doc", relay: "r_a", room, seq, body: new Uint8Array(length).fill(seq) });
    made.send(topic, room, bytes);
    return bytes;
  };
  return { made, sent, taken, send };
}

/** What comes of messages at another relay: numbers of those that were whole, in order. */
function arrive(messages: readonly Message[], assembler = new Assembler()): number[] {
  return messages.flatMap((message) => {
    if (message.kind !== "part") return [message.seq];
    const bytes = assembler.take("t", message, 0);
    return bytes === null ? [] : [decodeMessage(bytes)?.seq ?? -1];
  });
}

describe("[BUS-41] a message between relays", () => {
  it("goes as it is when it is short, and in parts when it is long", async () => {
    const { sent, send } = post();
    send("t", "doc", 1, 20);
    const long = send("t", "doc", 2, 1_000);
    send("t", "doc", 3, 20);
    await until("all has gone", () => sent.at(-1)?.message.seq === 3);
    expect(sent.map(({ message }) => message.kind)).toEqual(["doc", ...Array<string>(11).fill("part"), "doc"]);
    const assembler = new Assembler();
    const wholes = sent.flatMap(({ message }) => {
      const whole = message.kind === "part" ? assembler.take("t", message, 0) : null;
      return whole === null ? [] : [...whole];
    });
    expect(wholes).toEqual([...long]);
    expect(assembler.bytes).toBe(0);
  });

  it("goes in order with all that is said of its room, whatever the topic, and takes turns with other rooms", async () => {
    const { sent, send, taken } = post(true);
    send("inbox", "doc", 1, 350);
    send("room", "doc", 2, 20);
    send("room", "other", 3, 20);
    const gone = (): string[] => sent.map(({ topic, message }) => `${topic} ${message.kind} ${message.room}`);
    // what the bus has not taken is two parts at most
    expect(gone()).toEqual(["inbox part doc", "room doc other"]);
    for (let i = 0; i < 6; i++) {
      for (const take of taken.splice(0)) take();
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(gone()).toEqual([
      "inbox part doc",
      "room doc other",
      ...Array<string>(3).fill("inbox part doc"),
      "room doc doc",
    ]);
  });

  it("waits while the bus takes nothing, and is dropped when the bus is lost", async () => {
    const { made, sent, send, taken } = post(true);
    for (let i = 1; i <= 100; i++) send("t", `room${i}`, i, 50);
    expect(sent.length).toBeLessThan(4);
    for (const take of taken.splice(0)) take();
    await Promise.resolve();
    await Promise.resolve();
    expect(sent.length).toBeLessThan(7);
    const before = sent.length;
    made.clear();
    for (const take of taken.splice(0)) take();
    await Promise.resolve();
    await Promise.resolve();
    expect([sent.length, made.dropped]).toEqual([before, 100 - before]);
    send("t", "doc", 1, 20);
    expect(sent.length).toBe(before + 1);
  });

  it("is dropped past 64 MiB that wait, but for one that is longer by itself", () => {
    const { made, send } = post(true);
    made.send("t", "doc", new Uint8Array(80 * 2 ** 20));
    send("t", "doc", 2, 20);
    expect(made.dropped).toBe(1);
    made.clear();
  });
});

describe("[BUS-41] parts of a message", () => {
  const parts = async (): Promise<Message[]> => {
    const { sent, send } = post();
    send("t", "doc", 1, 350);
    send("t", "doc", 2, 350);
    await until("all parts have gone", () => sent.length === 8);
    return sent.map(({ message }) => message);
  };

  it("that come twice are taken once", async () => {
    const all = await parts();
    expect(arrive(all.flatMap((part) => [part, part]))).toEqual([1, 2]);
  });

  it("of which one is lost are nothing, and the next message is taken", async () => {
    const all = await parts();
    for (let lost = 0; lost < 4; lost++) expect(arrive(all.filter((_, i) => i !== lost))).toEqual([2]);
  });

  it("are forgotten when no more come, and bounded in what they take", async () => {
    const [first, ...rest] = await parts();
    if (first === undefined) throw new Error("unreachable");
    const assembler = new Assembler();
    expect(arrive([first], assembler)).toEqual([]);
    assembler.sweep(20_000);
    expect(assembler.bytes).toBe(0);
    expect(arrive(rest.slice(0, 3), assembler)).toEqual([]);
    const body = Buffer.concat([Uint8Array.of(0, 2), new Uint8Array(2 ** 20)]);
    for (let i = 0; i < 200; i++) assembler.take("t", { ...first, relay: `r_${i}`, body }, 0);
    expect(assembler.bytes).toBeLessThanOrEqual(128 * 2 ** 20);
  });

  it("that make no sense are refused", () => {
    const assembler = new Assembler();
    const part = { kind: "part", relay: "r_a", room: "doc", seq: 1 } as const;
    for (const body of [
      [],
      [0],
      [0, 0, 1],
      [1, 1, 1],
      [0, 1],
      [255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 1, 1],
    ]) {
      expect(() => assembler.take("t", { ...part, body: Uint8Array.from(body) }, 0)).toThrow(FrameError);
    }
  });
});
