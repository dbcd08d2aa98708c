import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Emitter } from "../../src/presence/index.ts";

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

it("reports what a listener throws, and lets the others hear", () => {
  const reported: (() => void)[] = [];
  vi.stubGlobal("queueMicrotask", (task: () => void) => reported.push(task));
  emitter.on("join", () => {
    throw new Error("mine");
  });
  emitter.on("join", hear("other"));
  emitter.emit("join", "alice");
  expect(heard).toEqual(["other alice"]);
  expect(reported).toHaveLength(1);
  expect(reported[0]).toThrow("mine");
});

it("has no listeners once cleared, and takes new ones", () => {
  const undo = emitter.on("join", hear("old"));
  emitter.clear();
  emitter.on("join", hear("new"));
  undo();
  emitter.emit("join", "alice");
  expect(heard).toEqual(["new alice"]);
});
