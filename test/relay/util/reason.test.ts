import { describe, expect, it } from "vitest";
import { causeOf, codeOf, reasonOf, withCauses } from "../../../src/relay/util/reason.ts";

const refused = Object.assign(new Error("connect ECONNREFUSED ::1:1"), { code: "ECONNREFUSED" });
const late = new Error("connect ETIMEDOUT 127.0.0.1:1");

describe("why something failed", () => {
  it.each<[unknown, string]>([
    [refused, "connect ECONNREFUSED ::1:1"],
    [new TypeError(), "TypeError"],
    ["a text that was thrown", "a text that was thrown"],
    [undefined, "undefined"],
    // as a host with several addresses is refused
    [new AggregateError([refused, late]), "connect ECONNREFUSED ::1:1, connect ETIMEDOUT 127.0.0.1:1"],
    [new AggregateError([refused, late], "nobody answers"), "nobody answers"],
  ])("%o is said in words: %s", (error, reason) => {
    expect(reasonOf(error)).toBe(reason);
  });

  it("is found in what an error came of, if the error names it", () => {
    const failed = new TypeError("fetch failed", { cause: refused });
    expect(causeOf(failed)).toBe(refused);
    expect(codeOf(causeOf(failed))).toBe("ECONNREFUSED");
    expect(withCauses(new Error("Redis cannot be reached", { cause: failed }))).toBe(
      "Redis cannot be reached: fetch failed: connect ECONNREFUSED ::1:1",
    );
    expect(causeOf(late)).toBe(late);
    expect(causeOf("a text")).toBe("a text");
    expect(codeOf(late)).toBeUndefined();
    expect(withCauses("a text")).toBe("a text");
  });
});
