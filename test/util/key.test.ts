import { describe, expect, it } from "vitest";
import { keyOf } from "../../src/util/key.ts";

describe("a key for several texts", () => {
  it("is the same for the same texts, in their order", () => {
    expect(keyOf("@lobby", "alice")).toBe(keyOf("@lobby", "alice"));
    expect(keyOf("@lobby", "alice")).not.toBe(keyOf("alice", "@lobby"));
  });

  it("tells texts apart that would be the same side by side, whatever characters they hold", () => {
    const lists = [
      ["a\nb", "c"],
      ["a", "b\nc"],
      ["a", "b", "c"],
      ['a","b', "c"],
      ["a", 'b","c'],
      ["\ud800", "c"],
      ["\udc00", "c"],
      ["", "a"],
      ["a", ""],
    ];
    expect(new Set(lists.map((texts) => keyOf(...texts))).size).toBe(lists.length);
  });
});
