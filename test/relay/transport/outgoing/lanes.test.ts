import { describe, expect, it } from "vitest";
import { Packet } from "../../../../src/relay/ports/packet.ts";
import { Lanes } from "../../../../src/relay/transport/outgoing/lanes.ts";
import {
  EnvelopeReader,
  NO_STATES_FRAME,
  awarenessFrame,
  envelopeHead,
  isDocument,
  updateFrame,
} from "../../../../src/wire/index.ts";

const document = (bytes: number, filler = 1): Packet => new Packet(updateFrame(new Uint8Array(bytes).fill(filler)));
const presence = (bytes = 100): Packet => new Packet(awarenessFrame(new Uint8Array(bytes)));
const HEADS = [1, 2].map((channel) => envelopeHead(channel)) as [Uint8Array, Uint8Array];
const [A, B] = HEADS;

/** A line of so many bytes a second with a client that reads all that comes, in told time. */
function line(bytesPerS: number) {
  let now = 0;
  let busyUntil = 0;
  const reader = new EnvelopeReader();
  const arrivals: { readonly at: number; readonly data: Uint8Array }[] = [];
  const heard: { readonly at: number; readonly channel: number; readonly message: Uint8Array }[] = [];
  const socket = {
    keepsPackets: true,
    bufferedAmount: 0,
    send({ message }: Packet, prefix: Uint8Array | null = null, onLeft?: () => void) {
      const data = Uint8Array.from([...(prefix ?? []), ...message]);
      busyUntil = Math.max(busyUntil, now) + (data.length / bytesPerS) * 1_000;
      arrivals.push({ at: busyUntil + 5, data });
      onLeft?.();
    },
  };
  const lanes = new Lanes(socket, { now: () => now });
  const pass = (ms: number): void => {
    const end = now + ms;
    for (let next = arrivals[0]; next !== undefined && next.at <= end; next = arrivals[0]) {
      arrivals.shift();
      now = next.at;
      const { channel, part, message, bytes } = reader.read(next.data);
      if (message !== null) heard.push({ at: now, channel, message });
      if (part !== 0) lanes.read(bytes);
    }
    now = end;
  };
  return { lanes, pass, heard, arrivals, now: () => now };
}

describe("what goes out over a link", () => {
  it("[LINK-2] cursors of one room do not wait for a document of 10 MB of another, over 2 Mbit/s", () => {
    const { lanes, pass, heard, now } = line(250_000);
    lanes.send(document(10 * 2 ** 20), A);
    const delays: number[] = [];
    for (let i = 0; i < 400; i++) {
      const sentAt = now();
      lanes.send(presence(), B);
      pass(100);
      const arrived = heard.findLast(({ channel }) => channel === 2)?.at ?? Infinity;
      delays.push(arrived - sentAt);
    }
    delays.sort((a, b) => a - b);
    expect(delays[Math.floor(delays.length * 0.99)]).toBeLessThan(150);
    // the line is used all the while: 10 MB take 42 s
    pass(3_000);
    expect(heard.find(({ message }) => isDocument(message))?.message).toHaveLength(
      document(10 * 2 ** 20).message.length,
    );
  });

  it("[LINK-2] a fast line is filled", () => {
    const { lanes, pass, heard } = line(100_000_000);
    lanes.send(document(10 * 2 ** 20), A);
    pass(400);
    expect(heard.map(({ channel }) => channel)).toEqual([1]);
  });

  it("[LINK-2] two rooms take turns, and what is short comes before what waits", () => {
    const { lanes, pass, heard } = line(250_000);
    lanes.send(document(400_000, 1), A);
    lanes.send(document(40_000, 2), B);
    lanes.send(presence(), A);
    pass(10_000);
    expect(heard.map(({ channel, message }) => [channel, message.length > 1_000])).toEqual([
      [1, false],
      [2, true],
      [1, true],
    ]);
  });

  it("[ROOM-6] keeps the order of a room's document, and of its presence", () => {
    const { lanes, pass, heard } = line(250_000);
    const sent = [document(40_000, 1), document(10, 2), presence(100_000), presence(50), document(9, 3)];
    for (const packet of sent) lanes.send(packet, A);
    pass(10_000);
    const lengths = (messages: readonly Uint8Array[]): number[] => messages.map(({ length }) => length);
    const all = heard.map(({ message }) => message);
    const packets = sent.map(({ message }) => message);
    for (const kind of [isDocument, (message: Uint8Array) => !isDocument(message)]) {
      expect(lengths(all.filter(kind))).toEqual(lengths(packets.filter(kind)));
    }
  });

  it("counts what waits, and lets go of it when the room or the link is over", () => {
    const { lanes, arrivals } = line(250_000);
    const left: string[] = [];
    lanes.send(document(400_000), A);
    lanes.send(document(400_000), B, () => left.push("b"));
    expect(lanes.bufferedAmount).toBeGreaterThan(700_000);
    lanes.drop(B);
    expect(left).toEqual(["b"]);
    expect(lanes.bufferedAmount).toBeLessThan(400_000);
    lanes.drop(null);
    expect(lanes.bufferedAmount).toBe(0);
    const before = arrivals.length;
    lanes.read(100_000);
    expect(arrivals).toHaveLength(before);
    lanes.send(new Packet(NO_STATES_FRAME), A);
    expect(arrivals).toHaveLength(before + 1);
  });
});
