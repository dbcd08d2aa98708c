import * as fc from "fast-check";
import * as encoding from "lib0/encoding";
import { describe, expect, it } from "vitest";
import {
  type Fields,
  FrameError,
  NO_STATES_FRAME,
  StatesReader,
  type StatesWriter,
  decodeFrame,
  encodeStates,
  expectEnd,
  fieldsOf,
  isPatched,
  patchFrame,
  readPatch,
  reader,
  valuesOf,
  writePatch,
} from "../../src/wire/index.ts";

const valueOf = (fields: Fields): unknown => valuesOf(fields, ...fields.keys());
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const encode = (write: (encoder: encoding.Encoder) => void): Uint8Array => encoding.encode(write);

const state = fc
  .dictionary(fc.constantFrom("user", "cursor", "copresence", "a", "b"), fc.jsonValue({ maxDepth: 2 }))
  // JSON knows no -0
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>);

describe("[PATCH-1] a patch", () => {
  it("makes of one state the next, whatever the two, and both ends agree on the order of its fields", () => {
    fc.assert(
      fc.property(fc.array(state, { minLength: 1, maxLength: 6 }), (states) => {
        let [here, there]: [Fields, Fields] = [new Map(), new Map()];
        for (const next of states) {
          const fields = fieldsOf(next, here);
          const before = there;
          const bytes = encode((encoder) => (here = writePatch(encoder, here, fields)));
          const from = reader(bytes);
          there = readPatch(from, before);
          expectEnd(from);
          expect(valueOf(there)).toEqual(next);
          expect([...there.keys()]).toEqual([...here.keys()]);
          for (const [name, value] of there) {
            if (JSON.stringify(valuesOf(before, name)) !== JSON.stringify({ [name]: next[name] })) continue;
            expect(value).toBe(before.get(name));
          }
        }
      }),
    );
  });

  it("[WIRE-2] costs no more than a copy of what it changes: no field comes twice, nor behind a later one", () => {
    const before = fieldsOf({ a: "x".repeat(100), b: 1 });
    const read = (...bytes: number[]): unknown => valueOf(readPatch(reader(Uint8Array.from(bytes)), before));
    const [overlayA, spliceA, overlayB] = [
      [4, 0],
      [1, 102, 0, 0],
      [8, 0],
    ] as const;
    expect(read(...overlayA, ...overlayB, 0)).toEqual(valueOf(before));
    for (const twice of [
      [...overlayA, ...overlayA],
      [...spliceA, ...overlayA],
      [...overlayB, ...overlayA],
      [3, ...spliceA],
    ]) {
      expect(() => read(...twice, 0)).toThrow(new FrameError("patch of a field that is not there"));
    }
  });

  it("says nothing where nothing changed", () => {
    fc.assert(
      fc.property(state, (value) => {
        const fields = fieldsOf(value);
        expect(isPatched(fields, fieldsOf(value, fields))).toBe(false);
        expect(encode((encoder) => writePatch(encoder, fields, fields))).toEqual(Uint8Array.of(0));
      }),
    );
  });

  it("of a cursor that moves is little more than its digits", () => {
    const at = (clock: number): object => ({
      user: { name: "Alice", color: "#30bced", colorLight: "#30bced33" },
      cursor: {
        anchor: { type: null, tname: "codemirror", item: { client: 2_318_394_093, clock }, assoc: 0 },
        head: { type: null, tname: "codemirror", item: { client: 2_318_394_093, clock }, assoc: 0 },
      },
    });
    const before = fieldsOf(at(1_234));
    const after = fieldsOf(at(1_235), before);
    const patch = encode((encoder) => writePatch(encoder, before, after));
    const whole = JSON.stringify(at(1_235)).length;
    expect(patch.length).toBeLessThan(whole / 15);
  });

  it.each([
    ["of a field that is not there", [5, 0, 0, 0, 0], "patch of a field that is not there"],
    ["of more than there is", [1, 2, 1, 0, 0], "patch of more than there is"],
    ["that writes over more than there is", [4, 1, 2, 1, 0x31, 0], "patch of more than there is"],
    ["that is cut short", [1, 0], "truncated or oversized integer"],
    ["whose value is cut short", [2, 1, 0x61, 5, 0x31], "truncated bytes"],
  ])("[WIRE-2] %s is refused", (_what, bytes, reason) => {
    expect(() => readPatch(reader(Uint8Array.from(bytes)), fieldsOf({ a: 12 }))).toThrow(new FrameError(reason));
  });
});

describe("[PATCH-2] the states of a room", () => {
  const said = fc.oneof(
    fc.tuple(fc.constant("changed" as const), fc.nat(3), state),
    fc.tuple(fc.constant("gone" as const), fc.nat(3)),
    fc.tuple(fc.constant("whole" as const), fc.nat(3)),
  );

  it("are read as they were written, over any number of messages", () => {
    fc.assert(
      fc.property(fc.array(fc.array(said, { maxLength: 5 }), { maxLength: 5 }), (messages) => {
        const states = new StatesReader();
        const here = new Map<number, Fields>();
        const there = new Map<number, unknown>();
        for (const message of messages) {
          const frame = encodeStates((writer) => {
            for (const [what, name, value] of message) {
              const known = here.get(name);
              if (what === "gone") {
                writer.gone(name);
                here.delete(name);
              } else if (what === "whole") {
                if (known !== undefined) writer.whole(name, 100 + name, known);
              } else if (known === undefined) here.set(name, writer.whole(name, 100 + name, fieldsOf(value)));
              else here.set(name, writer.changed(name, known, fieldsOf(value, known)));
            }
          });
          const decoded = decodeFrame(frame ?? NO_STATES_FRAME);
          if (decoded.type !== "states") throw new Error(decoded.type);
          for (const { id, fields } of states.read(decoded.payload)) {
            if (fields === null) there.delete(id);
            else there.set(id, valueOf(fields));
          }
          expect(there).toEqual(new Map([...here].map(([name, fields]) => [100 + name, valueOf(fields)])));
        }
      }),
    );
  });

  it("[WIRE-11] that cannot be read to the end are not taken at all", () => {
    const states = new StatesReader();
    const both = encodeStates((writer) => {
      for (const name of [1, 2]) writer.whole(name, 100 + name, fieldsOf({ n: name }));
    });
    expect(() => states.read(both!.subarray(1, -1))).toThrow(FrameError);
    // it does not know the first
    expect(() => states.read(Uint8Array.of(1, 3, 0))).toThrow(new FrameError("change of an unknown state"));
  });
});

/** The bytes of PROTOCOL.md. */
describe("[PATCH-3] the vectors of the protocol", () => {
  const before = fieldsOf({ user: { id: "alice" }, cursor: { x: 10, y: 20 } });
  const after = fieldsOf({ user: { id: "alice" }, cursor: { x: 17, y: 20 } }, before);

  const longer = fieldsOf({ user: { id: "alice" }, cursor: { x: 100, y: 20 } }, before);
  const said = (write: (writer: StatesWriter) => void): string => hex(encodeStates(write)!);

  it("are what is written", () => {
    expect(said((writer) => writer.whole(0, 7, before))).toBe(
      "640101070204757365720e7b226964223a22616c696365227d0206637572736f720f7b2278223a31302c2279223a32307d00",
    );
    expect(said((writer) => writer.changed(0, before, after))).toBe("640100080106013700");
    expect(said((writer) => writer.changed(0, before, longer))).toBe("640100050708013000");
    expect(said((writer) => writer.gone(0))).toBe("640102");
    expect(hex(patchFrame(7, 2, (encoder) => writePatch(encoder, before, after)))).toBe("650702080106013700");
  });
});
