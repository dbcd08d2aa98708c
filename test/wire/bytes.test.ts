import * as fc from "fast-check";
import * as encoding from "lib0/encoding";
import { describe, expect, it } from "vitest";
import {
  FrameError,
  expectEnd,
  json,
  readBytes,
  readText,
  readUint,
  reader,
  text,
  uintLength,
  writeUint,
} from "../../src/wire/index.ts";

/** `bytes` as a part of a larger buffer that is full of others' secrets. */
function within(bytes: Uint8Array): Uint8Array {
  const pool = new Uint8Array(bytes.length + 200).fill(0x53);
  pool.set(bytes, 100);
  return pool.subarray(100, 100 + bytes.length);
}

const ones = (length: number, last: number): Uint8Array => Uint8Array.of(...Array<number>(length).fill(0x80), last);

describe("readUint", () => {
  const good: [bytes: Uint8Array, value: number][] = [
    [Uint8Array.of(0), 0],
    [Uint8Array.of(0x7f), 127],
    [Uint8Array.of(0x80, 1), 128],
    [Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f), Number.MAX_SAFE_INTEGER],
    [ones(3, 0), 0],
  ];
  it.each(good)("reads %s", (bytes, value) => {
    const from = reader(within(bytes));
    expect(readUint(from)).toBe(value);
    expectEnd(from);
  });

  // the last two are Infinity and NaN to lib0
  const bad = [Uint8Array.of(), ones(2, 0x80), ones(7, 0x10), ones(8, 1), ones(20, 1), ones(147, 1), ones(148, 0)];
  it.each(bad)("[WIRE-2] refuses what is cut off or no safe integer: %s", (bytes) => {
    expect(() => readUint(reader(within(bytes)))).toThrow(new FrameError("truncated or oversized integer"));
  });
});

describe("readBytes", () => {
  it("gives a view on what is there, and nothing beyond", () => {
    const bytes = within(Uint8Array.of(2, 0xa, 0xb, 1));
    const from = reader(bytes);
    expect(readBytes(from)).toEqual(Uint8Array.of(0xa, 0xb));
    expect(() => readBytes(from)).toThrow(new FrameError("truncated bytes"));
    expect(readBytes(reader(bytes)).buffer).toBe(bytes.buffer);
  });

  it.each([[1], [5, 1, 2, 3, 4], [0xff, 0xff, 0xff, 0xff, 0x0f, 1], [...ones(147, 1)], [...ones(148, 0)]])(
    "[WIRE-2] refuses a length that leads beyond the end: %s",
    (...bytes) => {
      expect(() => readBytes(reader(within(Uint8Array.from(bytes))))).toThrow(FrameError);
    },
  );
});

describe("text", () => {
  it("reads UTF-8, with a byte order mark for what it is", () => {
    const word = "é€😀\u{feff}";
    expect(text(new TextEncoder().encode(word))).toBe(word);
    expect(text(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\u{feff}a");
    expect(readText(reader(Uint8Array.of(1, 0x61)))).toBe("a");
  });

  it.each([[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]])(
    "[WIRE-2] refuses what is not UTF-8: %s",
    (...bytes) => {
      expect(() => text(Uint8Array.from(bytes))).toThrow(new FrameError("invalid UTF-8"));
    },
  );
});

describe("json", () => {
  const nested = (levels: number, [open, close]: readonly [string, string], inmost = ""): string =>
    open.repeat(levels) + inmost + close.repeat(levels);

  it.each([
    ["lists", "[", "]", "0"],
    ["objects", '{"a":', "}", "{}"],
    ["objects under __proto__", '{"__proto__":', "}", "{}"],
  ])("[WIRE-5] refuses %s that are nested too deep, however deep", (_what, open, close, inmost) => {
    const levels = inmost === "0" ? 8 : 7;
    expect(json(nested(levels, [open, close], inmost), 8)).toBeTypeOf("object");
    for (const more of [levels + 1, levels + 2, 1_000, 50_000]) {
      expect(() => json(nested(more, [open, close], inmost), 8)).toThrow(FrameError);
    }
  });

  it("[STATE-12] takes __proto__ for a name like any other", () => {
    const value = json('{"__proto__":{"admin":true},"constructor":1}', 8) as { admin?: boolean };
    expect([Object.keys(value), value.admin]).toEqual([["__proto__", "constructor"], undefined]);
  });

  it.each(["", "{", "{}}", "undefined", "\u{feff}{}", "{'a':1}", "NaN"])("[WIRE-2] refuses %j", (source) => {
    expect(() => json(source, 8)).toThrow(new FrameError("invalid JSON"));
  });
});

it("a message ends where its bytes do", () => {
  const from = reader(within(Uint8Array.of(1, 2)));
  readUint(from);
  expect(() => expectEnd(from)).toThrow(new FrameError("bytes after the end of the message"));
});

describe("writeUint", () => {
  it("[WIRE-1] writes what lib0 writes, as long as it says", () => {
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.constantFrom(127, 128, 2 ** 31, 2 ** 53 - 1)), (value) => {
        const expected = encoding.encode((encoder) => encoding.writeVarUint(encoder, value));
        const bytes = new Uint8Array(uintLength(value));
        expect(writeUint(bytes, 0, value)).toBe(expected.length);
        expect(bytes).toEqual(expected);
      }),
    );
  });
});
