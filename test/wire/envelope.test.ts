import { describe, expect, it } from "vitest";
import {
  EnvelopeReader,
  boundedReader,
  KEEP_ALIVE_FRAME,
  LAST_PIECE,
  LINK_CHANNEL,
  MAX_CHANNEL,
  PIECE,
  QUERY_FRAME,
  controlFrame,
  envelope,
  envelopeHead,
  envelopesOf,
  headOfPart,
} from "../../src/wire/index.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251);

describe("an envelope", () => {
  it("[LINK-1] has the bytes of PROTOCOL.md", () => {
    const open = controlFrame({ kind: "open", channel: 2, room: "doc" });
    expect(hex(envelope(LINK_CHANNEL, open))).toBe(
      "0063287b226b696e64223a226f70656e222c226368616e6e656c223a322c22726f6f6d223a22646f63227d",
    );
    expect(hex(envelope(LINK_CHANNEL, KEEP_ALIVE_FRAME))).toBe("00010100");
    expect(hex(envelope(2, QUERY_FRAME))).toBe("0803");
    expect([hex(envelope(2, bytes(1), PIECE)), hex(envelope(2, bytes(1), LAST_PIECE))]).toEqual(["0900", "0a00"]);
    expect(hex(envelopeHead(300, PIECE))).toBe(hex(headOfPart(envelopeHead(300), PIECE)));
  });

  it("[LINK-2] of a long message is several, and short messages may come between them", () => {
    const reader = new EnvelopeReader();
    const long = bytes(1_000);
    const pieces = [...envelopesOf(2, long, 300)];
    expect(pieces).toHaveLength(4);
    const heard = [...pieces.slice(0, 2), envelope(2, QUERY_FRAME), envelope(7, bytes(5)), ...pieces.slice(2)].map(
      (piece) => reader.read(piece),
    );
    expect(heard.flatMap(({ channel, message }) => (message === null ? [] : [[channel, hex(message)]]))).toEqual([
      [2, hex(QUERY_FRAME)],
      [7, hex(bytes(5))],
      [2, hex(long)],
    ]);
    expect([...envelopesOf(2, bytes(300), 300)]).toEqual([envelope(2, bytes(300))]);
  });

  it("[LINK-6] of a message that is too large names the channel, and nothing of the message is kept", () => {
    const reader = boundedReader(500);
    const [first, second] = envelopesOf(2, bytes(1_000), 300);
    reader.read(first!);
    expect(() => reader.read(second!)).toThrow(expect.objectContaining({ channel: 2, code: 4413 }));
    // another channel has all the room
    expect([...envelopesOf(3, bytes(500), 300)].map((piece) => reader.read(piece).message?.length)).toEqual([
      undefined,
      500,
    ]);
  });

  it("[LINK-2] puts pieces of any size together, empty ones too", () => {
    const reader = boundedReader(10_000);
    const message = bytes(9_000);
    const sizes = [0, 1, 1, 0, 7, 300, 0, 2_000, 5];
    let from = 0;
    for (let i = 0; from < message.length - 2_000; i++) {
      const piece = message.subarray(from, from + (sizes[i % sizes.length] ?? 0));
      expect(reader.read(envelope(2, piece, PIECE)).message).toBe(null);
      from += piece.length;
    }
    expect(hex(reader.read(envelope(2, message.subarray(from), LAST_PIECE)).message!)).toBe(hex(message));
  });

  it("[LINK-6] keeps nothing of a channel that is not open", () => {
    const open = new Set([2]);
    const reader = boundedReader(500, (channel) => open.has(channel));
    const [first, last] = [...envelopesOf(3, bytes(800), 400)];
    expect([reader.read(first!).message, reader.read(last!).message]).toEqual([null, null]);
    open.add(3);
    expect([...envelopesOf(3, bytes(500), 300)].map((piece) => reader.read(piece).message?.length)).toEqual([
      undefined,
      500,
    ]);
  });

  it.each([[], [3], [0x83, 0x80, 0x80], [...envelopeHead(MAX_CHANNEL)]])("refuses %j", (...data) => {
    expect(() => new EnvelopeReader().read(Uint8Array.from(data))).toThrow(expect.objectContaining({ code: 4400 }));
  });
});
