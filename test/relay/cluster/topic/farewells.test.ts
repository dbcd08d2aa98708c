import { expect, it } from "vitest";
import { Farewells } from "../../../../src/relay/cluster/topic/farewells.ts";

it("[BUS-4] that nobody is in a room any more is said again after 1 s, once, unless the room is open again", () => {
  const farewells = new Farewells();
  farewells.said("red", 0);
  farewells.said("green", 500);
  farewells.said("blue", 500);
  expect(farewells.takeDue(999)).toEqual([]);
  expect(farewells.takeDue(1_000)).toEqual(["red"]);
  farewells.forget("green");
  expect(farewells.takeDue(1_500)).toEqual(["blue"]);
  farewells.said("red", 2_000);
  farewells.clear();
  expect(farewells.takeDue(9_000)).toEqual([]);
});
