import { describe, expect, it } from "vitest";
import { nextMeta } from "../../src/client/meta.ts";
import type { JsonObject } from "../../src/presence/index.ts";
import { ownClient, startRelay, until } from "../support.ts";

describe("metadata", () => {
  it("is set, or made from what it was", () => {
    expect(nextMeta({ n: 1 }, { n: 5 })).toEqual({ n: 5 });
    expect(nextMeta({ n: 1 }, ({ n }) => ({ n: n + 1 }))).toEqual({ n: 2 });
  });

  const loop: Record<string, unknown> = {};
  loop["loop"] = loop;
  const bad: readonly [string, unknown, string | RegExp][] = [
    ["a text", "reading", "must be an object"],
    ["a list", ["reading"], "must be an object"],
    ["null", null, "must be an object"],
    ["a BigInt", { n: 1n }, "JSON cannot hold metadata.n"],
    ["a loop", loop, "JSON cannot hold metadata.loop"],
  ];
  it.each(bad)("of %s is refused where it is set, and what was set before stays", async (_what, meta, message) => {
    const { url } = await startRelay();
    const first: JsonObject = { n: 1 };
    const alice = ownClient(url, "alice", { meta: first });
    const room = alice.join("plans", { meta: { n: 2 } });
    for (const set of [
      () => alice.setMeta(meta as JsonObject),
      () => room.setMeta(meta as JsonObject),
      () => ownClient(url, "bob", { meta: meta === null ? (0 as never) : (meta as JsonObject) }),
    ]) {
      expect(set).toThrow(message);
    }
    expect(alice.lobby.self?.meta).toEqual({ n: 1 });
    await until("she is in the room as before", () => room.roster.self?.meta["n"] === 2);
  });

  it.each([
    ["a Map", new Map([["a", 1]])],
    ["a Set", new Set([1])],
    ["a Date", new Date(0)],
    ["an instance of a class", new URL("http://a.example")],
    ["a function", () => {}],
    ["a symbol", Symbol("s")],
    ["NaN", Number.NaN],
    ["Infinity", Infinity],
    ["an undefined entry", [undefined]],
    // oxlint-disable-next-line no-sparse-arrays -- that is what is tested
    ["a hole", [, 1]],
  ])("[CLIENT-17] with %s in it is refused with the path to that", (_what, value) => {
    const set = (): unknown => nextMeta<object>({}, { list: [{ value }] });
    expect(set).toThrow(TypeError);
    expect(set).toThrow(/^JSON cannot hold metadata\.list\.0\.value/);
  });

  it("[CLIENT-17] is taken without its undefined properties, with one object twice, and without a prototype", () => {
    const tag = { name: "x" };
    const bare: object = Object.assign(Object.create(null) as object, { n: 1 });
    expect(nextMeta<object>({}, { a: undefined, b: [tag, tag], bare })).toStrictEqual({
      b: [tag, tag],
      bare: { n: 1 },
    });
  });
});
