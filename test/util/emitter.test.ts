import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { Emitter } from "../../src/util/emitter.ts";

interface Events {
  readonly join: string;
  readonly leave: string;
}

let heard: string[] = [];
let emitter = new Emitter<Events>();
const hear =
  (name: string) =>
  (event: string): void => {
    heard.push(`${name} ${event}`);
  };

beforeEach(() => {
  heard = [];
  emitter = new Emitter();
});
afterEach(() => {
  vi.unstubAllGlobals();
});

it("tells the listeners of a type, in the order they came, and nobody else", () => {
  emitter.on("join", hear("first"));
  emitter.on("leave", hear("other"));
  emitter.on("join", hear("second"));
  emitter.emit("join", "alice");
  expect(heard).toEqual(["first alice", "second alice"]);
});

it("[CLIENT-18] refuses an event that there is none of, and what is no listener", () => {
  const known = new Emitter<Events>(["join", "leave"]);
  expect(() => known.on("jion" as "join", hear("x"))).toThrow(
    new TypeError('on("jion"): no function, or none of join,leave'),
  );
  expect(() => known.on("join", undefined as unknown as () => void)).toThrow(/^on\("join"\): no function/);
  expect(() => emitter.on("join", 5 as unknown as () => void)).toThrow(TypeError);
});

it("undoes one subscription at a time, though the listener is the same", () => {
  const listener = hear("same");
  const undo = emitter.on("join", listener);
  emitter.on("join", listener);
  undo();
  undo();
  emitter.emit("join", "alice");
  expect(heard).toEqual(["same alice"]);
});

it("tells those who listened when the event came: who comes or goes meanwhile changes the next one", () => {
  const undo = emitter.on("join", (event) => {
    hear("once")(event);
    undo();
    undoLast();
    emitter.on("join", hear("late"));
  });
  const undoLast = emitter.on("join", hear("last"));
  emitter.emit("join", "alice");
  expect(heard).toEqual(["once alice", "last alice"]);
  emitter.emit("join", "bob");
  expect(heard.slice(2)).toEqual(["late bob"]);
});

it("[CLIENT-1] reports what a listener throws, and lets the others hear", () => {
  const reported: unknown[] = [];
  vi.stubGlobal("reportError", (error: unknown) => reported.push(error));
  emitter.on("join", () => {
    throw new Error("mine");
  });
  emitter.on("join", hear("other"));
  emitter.emit("join", "alice");
  expect(heard).toEqual(["other alice"]);
  expect(reported).toEqual([new Error("mine")]);
});

it("[CLIENT-1] reports to the console where nothing else takes errors, or to the one who made it", () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => log.mockRestore());
  vi.stubGlobal("reportError", undefined);
  const told: unknown[] = [];
  const error = new Error("mine");
  for (const each of [emitter, new Emitter<Events>(undefined, (thrown) => told.push(thrown))]) {
    each.on("join", () => {
      throw error;
    });
    each.emit("join", "alice");
  }
  expect([log.mock.calls, told]).toEqual([[[error]], [error]]);
});

it("has no listeners once cleared, and takes new ones", () => {
  const undo = emitter.on("join", hear("old"));
  emitter.clear();
  emitter.on("join", hear("new"));
  undo();
  emitter.emit("join", "alice");
  expect(heard).toEqual(["new alice"]);
});
