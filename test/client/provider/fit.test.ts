import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, checkMeta, fit, sizeOf } from "../../../src/client/provider/fit.ts";
import { type Fields, fieldsOf, joinFields, patchState, readStateBytes, valuesOf } from "../../../src/wire/index.ts";

const NOTHING: Fields = new Map();
const limits = { maxState: 1_000, maxMeta: 100 };
const sent = (state: Record<string, unknown>, last: Fields = NOTHING): unknown => {
  const { fields } = fit(state, last, limits);
  return fields && valuesOf(fields, ...fields.keys());
};

/** Levels of nesting around nothing. */
function deep(levels: number): unknown {
  let value: unknown = {};
  for (let i = 1; i < levels; i++) value = { d: value };
  return value;
}

const loop: Record<string, unknown> = {};
loop["loop"] = loop;

describe("[CLIENT-3] what of a state goes out", () => {
  it("is all of it, where the relay takes it, and the relay takes it", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (state) => {
        const { fields, refused } = fit(state, NOTHING, DEFAULT_LIMITS);
        expect([valuesOf(fields!, ...fields!.keys()), refused.size]).toEqual([JSON.parse(JSON.stringify(state)), 0]);
        expect(readStateBytes(joinFields(fields!))?.state.fields).toEqual(fields);
        expect(sizeOf(fields!)).toBe(fields!.size === 0 ? 1 : joinFields(fields!).length);
      }),
    );
  });

  it.each([
    ["a BigInt", 1n],
    ["a loop", loop],
    ["65 levels", deep(64)],
    [
      "what throws when it is read",
      {
        get x() {
          throw new Error("mine");
        },
      },
    ],
    ["more than the relay takes", "x".repeat(1_000)],
  ])("is not %s: the field keeps the value that it had, or is not there", (_what, value) => {
    const state = { user: { id: "alice" }, cursor: value, selection: 2 };
    expect(sent(state)).toEqual({ user: { id: "alice" }, selection: 2 });
    const last = fieldsOf({ cursor: { x: 1 }, selection: 1 });
    expect(sent(state, last)).toEqual({ user: { id: "alice" }, cursor: { x: 1 }, selection: 2 });
    const { refused } = fit(state, last, limits);
    expect([...refused.keys()]).toEqual(["cursor"]);
    expect([...refused.values()].join()).not.toBe("");
  });

  it("is 256 fields at most: those that are new are left out, and never who the state is from", () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`field ${i}`, i]));
    const { fields, refused } = fit({ ...many, user: { id: "alice" } }, fieldsOf({ "field 299": 0 }), DEFAULT_LIMITS);
    expect([fields!.size, fields!.has("user"), fields!.has("field 299")]).toEqual([256, true, true]);
    expect(readStateBytes(joinFields(fields!))?.state.fields.size).toBe(256);
    expect([...refused.values()]).toEqual(["the state has 301 fields, and the relay takes 256"]);
  });

  it("is 64 levels at most, as the relay counts them", () => {
    const { fields } = fit({ cursor: deep(63) }, NOTHING, DEFAULT_LIMITS);
    const whole = joinFields(fields!);
    expect(() => readStateBytes(whole)).not.toThrow();
    const empty = readStateBytes(new TextEncoder().encode("{}"))!.state;
    expect(() => patchState(Uint8Array.of(0), empty)).not.toThrow();
  });

  it("goes without the largest that changed first, and never without who it is from", () => {
    const user = { id: "alice", avatar: "x".repeat(400) };
    const last = fieldsOf({ user, old: "x".repeat(300) });
    const [small, large] = ["x".repeat(100), "x".repeat(500)];
    expect(sent({ user, old: "x".repeat(300), small, large }, last)).toEqual({ user, old: "x".repeat(300), small });
    // a user that alone is too large: what was said last stays
    expect(sent({ user: { id: "alice", avatar: "x".repeat(1_000) }, cursor: 1 })).toBeNull();
  });

  it("has the metadata that it had, where those are too many for the relay", () => {
    const copresence = (status: string, meta: unknown): unknown => ({ session: "s", status, meta });
    const last = fieldsOf({ copresence: copresence("online", { n: 1 }) });
    const many = { n: "x".repeat(100) };
    expect(sent({ copresence: copresence("away", many) }, last)).toEqual({ copresence: copresence("away", { n: 1 }) });
    expect(sent({ copresence: copresence("away", many) })).toEqual({ copresence: copresence("away", {}) });
    expect([...fit({ copresence: copresence("away", many) }, last, limits).refused.keys()]).toEqual(["metadata"]);
  });
});

describe("[CLIENT-2] metadata", () => {
  it.each([
    ["as many bytes as the relay takes", { m: "x".repeat(92) }, null],
    ["a byte more", { m: "x".repeat(93) }, "it takes 101 bytes, and the relay takes 100"],
  ] as const)("may be %s", (_what, meta, problem) => {
    let thrown: unknown = null;
    try {
      checkMeta(meta, limits);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toEqual(problem === null ? null : new RangeError(problem));
  });

  it("may have as many levels as fit into a state", () => {
    const around = (meta: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify({ copresence: { meta } }));
    expect(() => checkMeta(deep(62), DEFAULT_LIMITS)).not.toThrow();
    expect(() => readStateBytes(around(deep(62)))).not.toThrow();
    expect(() => checkMeta(deep(63), DEFAULT_LIMITS)).toThrow(RangeError);
    expect(() => readStateBytes(around(deep(63)))).toThrow("nested too deep");
  });
});
