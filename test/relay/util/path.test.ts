import { expect, it } from "vitest";
import { withoutEndSlashes } from "../../../src/relay/util/path.ts";

it.each([
  ["", ""],
  ["/", ""],
  ["/users", "/users"],
  ["/users//", "/users"],
  ["//users/", "//users"],
])("the path %s is without the slashes at its end", (path, expected) => {
  expect(withoutEndSlashes(path)).toBe(expected);
});

it("[HTTP-14] a long row of slashes in the midst of a path costs what its length asks for", () => {
  // in proportion to the square of the length this would take hours
  const path = `/x${"/".repeat(2_000_000)}a`;
  expect(withoutEndSlashes(`${path}//`)).toBe(path);
});
