import { describe, expect, it } from "vitest";
import { checkJson } from "../../src/presence/index.ts";

const loop: Record<string, unknown> = {};
loop["self"] = loop;

describe("[API-41] what JSON would lose or change without a word", () => {
  it.each([
    ["a Map", new Map([["a", 1]]), ""],
    ["a Set", new Set([1]), ""],
    ["a Date", new Date(0), ""],
    ["an instance of a class", new URL("http://a.example"), ""],
    ["a function", () => {}, ""],
    ["a symbol", Symbol("s"), ""],
    ["a bigint", 1n, ""],
    ["NaN", Number.NaN, ""],
    ["Infinity", Infinity, ""],
    ["an undefined entry", [1, undefined], ".1"],
    ["a hole in a list", Array.from<unknown>({ length: 1 }).concat(Array(1)).slice(1), ".0"],
    ["an object in itself", loop, ".self"],
  ])("%s is refused with the path to it", (_what, value, path) => {
    const check = (): void => checkJson({ list: [{ value }] }, "meta");
    expect(check).toThrow(TypeError);
    expect(check).toThrow(new TypeError(`JSON cannot hold meta.list.0.value${path}`));
  });

  it("is not what JSON holds, nor an undefined property, an object twice or one without a prototype", () => {
    const tag = { name: "x" };
    const bare: object = Object.assign(Object.create(null) as object, { n: 1 });
    const value = { a: undefined, b: [tag, tag], bare, text: "t", number: -1.5, yes: true, none: null };
    expect(() => checkJson(value, "meta")).not.toThrow();
  });
});
