import { expect, it } from "vitest";
import { Farewells } from "../../../../src/relay/cluster/topic/farewells.ts";

it("[BUS-4] that nobody is in a room any more is said again after 1 s, once, unless the room is open again", () => {
  const again: string[] = [];
  const farewells = new Farewells((room) => again.push(room));
  const saidBy = (now: number): readonly string[] => {
    farewells.sweep(now);
    return again.splice(0);
  };
  farewells.said("red", 0);
  farewells.said("green", 500);
  farewells.said("blue", 500);
  expect(saidBy(999)).toEqual([]);
  expect(saidBy(1_000)).toEqual(["red"]);
  farewells.forget("green");
  expect(saidBy(1_500)).toEqual(["blue"]);
  farewells.said("red", 2_000);
  farewells.clear();
  expect(saidBy(9_000)).toEqual([]);
});
