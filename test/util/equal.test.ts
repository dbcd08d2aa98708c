import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { equal } from "../../src/util/equal.ts";

const json = fc.jsonValue({ maxDepth: 3 });

it("[ROSTER-4] holds a copy for the same, and anything else for another", () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      const [first, second] = [structuredClone(a), structuredClone(b)];
      expect(equal(a, first)).toBe(true);
      expect(equal(a, b)).toBe(isDeepStrictEqual(first, second));
      expect(equal(b, a)).toBe(equal(a, b));
    }),
  );
});

const different: [what: string, a: unknown, b: unknown][] = [
  ["an empty list and an empty object", [], {}],
  ["null and an empty object", null, {}],
  ["a missing and an undefined field", { a: undefined }, { b: undefined }],
  ["one field more", { a: 1 }, { a: 1, b: 2 }],
  ["a longer list", [1], [1, 2]],
  ["what is inherited and what is own", JSON.parse('{"__proto__":{}}'), { a: {} }],
  ["other values of __proto__", JSON.parse('{"__proto__":1}'), JSON.parse('{"__proto__":2}')],
  ["toString as a field and as an inherited method", { toString: 1 }, { valueOf: 1 }],
];
it.each(different)("tells apart %s", (_what, a, b) => {
  expect([equal(a, b), equal(b, a)]).toEqual([false, false]);
});

it("does not look at what is computed", () => {
  let asked = 0;
  const at = (): object => ({
    id: "alice",
    get lastSeen() {
      return asked++;
    },
  });
  expect(equal(at(), at())).toBe(true);
  expect(equal(at(), { id: "alice", lastSeen: 0 })).toBe(false);
  expect(asked).toBe(0);
});
