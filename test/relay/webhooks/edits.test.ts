import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Edits } from "../../../src/relay/webhooks/edits.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched() {
  const [begun, due]: [string[], string[]] = [[], []];
  const now = () => Date.now();
  const edits = new Edits(
    now,
    (room) => begun.push(room),
    (room) => due.push(room),
  );
  return { edits, begun, due };
}

it("[HOOK-13] a document is told when it has been quiet for two seconds", () => {
  const { edits, begun, due } = watched();
  edits.changed("doc");
  vi.advanceTimersByTime(1_500);
  edits.changed("doc");
  vi.advanceTimersByTime(1_900);
  expect([begun, due]).toEqual([["doc"], []]);
  vi.advanceTimersByTime(200);
  expect(due).toEqual(["doc"]);
  edits.changed("doc");
  expect(begun).toEqual(["doc", "doc"]);
  edits.close();
});

it("[HOOK-13] a document that is never quiet is told after ten seconds, and again", () => {
  const { edits, due } = watched();
  for (let ms = 0; ms < 21_000; ms += 100) {
    edits.changed("busy");
    vi.advanceTimersByTime(100);
  }
  expect(due).toEqual(["busy", "busy"]);
  edits.close();
});

it("what has yet to be told is told when it is closed, and no timer is left", () => {
  const { edits, due } = watched();
  edits.changed("one");
  edits.changed("two");
  edits.close();
  expect(due).toEqual(["one", "two"]);
  expect(vi.getTimerCount()).toBe(0);
});
