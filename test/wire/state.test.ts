import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Awareness, applyAwarenessUpdate } from "y-protocols/awareness";
import * as Y from "yjs";
import {
  type Fields,
  FrameError,
  MAX_DEPTH,
  StateBytes,
  encodeEntries,
  fieldsOf,
  readStateBytes,
  valuesOf,
} from "../../src/wire/index.ts";

const utf8 = (source: string): Uint8Array => new TextEncoder().encode(source);
const source = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const read = (state: string | Uint8Array, known?: StateBytes) =>
  readStateBytes(typeof state === "string" ? utf8(state) : state, known);
const valueOf = (fields: Fields | undefined): unknown => fields && valuesOf(fields, ...fields.keys());

/** An object as JSON, with spaces where they may be. */
const spaced = fc
  .tuple(
    fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: true }),
    fc.constantFrom("", " ", "\n\t"),
  )
  .map(([value, space]): [unknown, string] => [value, JSON.stringify(value, null, space)]);

describe("a state as bytes", () => {
  it("is split into its fields, and is whole as it was written", () => {
    fc.assert(
      fc.property(spaced, ([value, json]) => {
        const state = read(json)?.state;
        expect(valueOf(state?.fields)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(source(state!.whole)).toBe(json);
        // made whole of its fields, it says the same
        expect(JSON.parse(source(new StateBytes(state!.fields).whole))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("that is of one's own has the fields that JSON has", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(undefined))),
        (value) => {
          expect([...fieldsOf(value)]).toEqual([...(read(JSON.stringify(value))?.state.fields ?? [])]);
        },
      ),
    );
  });

  it("keeps the values that are as they were, and names the others", () => {
    const before = read('{"user":{"id":"alice"},"cursor":1,"gone":true}')!.state;
    const next = read('{"cursor":2, "new":[], "user":{"id":"alice"}}', before)!;
    expect(next.changed).toEqual(new Set(["cursor", "new", "gone"]));
    expect(next.state.fields.get("user")).toBe(before.fields.get("user"));
    expect(read('{"gone":true,"user":{"id":"alice"},"cursor":1}', before)?.changed.size).toBe(0);
  });

  it("says the same when it was folded, and is told apart from others as before", () => {
    fc.assert(
      fc.property(spaced, spaced, ([, json], [, after]) => {
        const [state, folded] = [read(json)!.state, read(json)!.state];
        folded.fold();
        expect([...folded.fields]).toEqual([...state.fields]);
        folded.fold();
        expect(folded.whole).toEqual(state.whole);
        expect(folded.size).toBe(state.size);
        for (const next of [json, after]) {
          const [plain, again] = [read(next, state)!, read(next, folded)!];
          expect(again.changed).toEqual(plain.changed);
          expect(again.state.whole).toEqual(plain.state.whole);
        }
      }),
    );
    // what is known by its fields alone keeps them
    const patched = new StateBytes(read('{"user":1}')!.state.fields);
    patched.fold();
    expect(source(patched.whole)).toBe('{"user":1}');
  });

  it("is no other for the white space before it", () => {
    const before = read('\n {"user":1,"cursor":2}')!;
    expect(source(before.state.whole)).toBe('{"user":1,"cursor":2}');
    expect(read(' {"user":1,"cursor":2}', before.state)?.changed.size).toBe(0);
    expect(read(' {"cursor":2}', before.state)?.changed).toEqual(new Set(["user"]));
  });

  it("is a copy: what the buffer holds later is another's", () => {
    const buffer = utf8('{"user":1}');
    const { state } = read(buffer)!;
    buffer.fill(0x20);
    expect(valueOf(state.fields)).toEqual({ user: 1 });
  });

  it("is null, or nothing but an object", () => {
    for (const none of ["null", " null "]) expect(read(none)).toBeNull();
    expect(valueOf(read(' {"user":{"id":"alice"}} ')?.state.fields)).toEqual({ user: { id: "alice" } });
    expect(valueOf(read("{}")?.state.fields)).toEqual({});
    expect(valueOf(read("{ }\n")?.state.fields)).toEqual({});
  });

  it.each(["1", '"alice"', "true", "[]", '[{"user":{}}]'])("[WIRE-2] refuses %s: no object", (state) => {
    expect(() => read(state)).toThrow(new FrameError("awareness state is not an object"));
  });

  it.each([
    "",
    "{",
    "{}{}",
    "undefined",
    '{"a":1,}',
    '{"a"}',
    '{"a":}',
    '{"a" 1}',
    "{a:1}",
    '{"a":1',
    '{"a":"x}',
    '{"a":1}}',
    '{"a":[}',
    '{"a":1 "b":2}',
    '{,"a":1}',
    '{"a":tru}',
    '{"\\x":1}',
    '{"a":{"b":1,}}',
    '{"a":[1}',
    '{"a":1]}',
    '{"a":]1}',
    '{"a":1:,"a":1}',
    '{"a\n":1}',
    '{"a":1,"\u0000":1}',
  ])("[WIRE-2] refuses %j: no JSON", (state) => {
    expect(() => read(state)).toThrow(new FrameError("invalid JSON"));
  });

  it("[WIRE-2] takes for JSON what JSON.parse takes, and nothing else", () => {
    const pieces = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "\\",
      "a",
      "1",
      " ",
      "null",
      '"a":',
      '"b":1',
      "\n",
      "\u0000",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const state = `{${parts.join("")}`;
        const outcome = (parse: () => unknown): unknown => {
          try {
            return { value: parse() };
          } catch {
            return "no JSON";
          }
        };
        expect(outcome(() => valueOf(read(state)?.state.fields))).toEqual(outcome(() => JSON.parse(state)));
      }),
      { numRuns: 5_000 },
    );
  });

  it("[WIRE-2] refuses what stock clients could not read: invalid UTF-8, or a byte order mark", () => {
    for (const bad of [
      [0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d],
      [0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d],
    ]) {
      expect(() => read(Uint8Array.from(bad))).toThrow(new FrameError("invalid UTF-8"));
    }
    const marked = Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d);
    const stock = new Awareness(new Y.Doc());
    expect(() => applyAwarenessUpdate(stock, encodeEntries([{ id: 7, clock: 1, state: marked }]), null)).toThrow(
      SyntaxError,
    );
    stock.destroy();
    expect(() => read(marked)).toThrow(new FrameError("invalid JSON"));
  });

  it("[WIRE-5] is taken nested 64 levels deep, and no deeper", () => {
    const nested = (levels: number): string => '{"a":'.repeat(levels - 1) + "{}" + "}".repeat(levels - 1);
    expect(MAX_DEPTH).toBe(64);
    expect(read(nested(64))).not.toBeNull();
    for (const levels of [65, 100_000]) expect(() => read(nested(levels))).toThrow(FrameError);
  });

  it("[STATE-3] [STATE-12] takes __proto__ for a name like any other", () => {
    const value = valueOf(read('{"__proto__":{"user":{"id":"mallory"}}}')?.state.fields) as { user?: unknown };
    expect([Object.keys(value), value.user]).toEqual([["__proto__"], undefined]);
  });
});
