import { expect, it } from "vitest";
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from "y-protocols/awareness";
import * as Y from "yjs";
import { Echoes } from "../../../src/awareness/audience/index.ts";
import { type Entry, FrameError, decodeEntries, encodeEntries, layOut } from "../../../src/wire/index.ts";

const ALICE = 101;
const BOB = 102;

/** States of people, Alice and Bob among them, at a clock. */
function statesAt(clock: number, ids: readonly number[] = [1, 2, 3, ALICE, 5, 6, BOB, 8, 9]): Entry[] {
  return ids.map((id) => {
    const state = { user: { id: `u${id}`, name: "née" }, cursor: { anchor: clock * id, head: null } };
    return { id, clock, state: new TextEncoder().encode(JSON.stringify(state)) };
  });
}

/** What a stock client with this id says when it is told `entries`. */
function echoOf(entries: readonly Entry[], own: number): Uint8Array {
  const doc = new Y.Doc();
  doc.clientID = own;
  const awareness = new Awareness(doc);
  const said: Uint8Array[] = [];
  awareness.setLocalState({});
  awareness.meta.set(own, { clock: 1_000, lastUpdated: 0 });
  awareness.once("update", ({ added, updated, removed }: Record<"added" | "updated" | "removed", number[]>) => {
    said.push(encodeAwarenessUpdate(awareness, [...added, ...updated, ...removed]));
  });
  applyAwarenessUpdate(awareness, encodeEntries(entries), "relay");
  awareness.destroy();
  doc.destroy();
  const [echo] = said;
  if (echo === undefined) throw new Error("it said nothing");
  return echo;
}

function told(...messages: readonly (readonly Entry[])[]): Echoes {
  const echoes = new Echoes();
  for (const entries of messages)
    echoes.told(
      entries.map(({ id }) => id),
      layOut(entries),
    );
  return echoes;
}

it("knows what a stock client says back, its own state left out, wherever that stood", () => {
  for (const ids of [undefined, [ALICE, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, ALICE], [1, 2, 3, 4, 5, 6, 7, 8]]) {
    const entries = statesAt(7, ids);
    const echo = echoOf(entries, ALICE);
    expect(decodeEntries(echo, { maxEntries: 100, maxStateBytes: 1_000 }).map(({ id }) => id)).not.toContain(ALICE);
    expect(told(entries).has(echo, ALICE)).toBe(true);
  }
});

it("knows an echo of one of the last messages, and none of long ago", () => {
  const echoes = told(...Array.from({ length: 9 }, (_, clock) => statesAt(clock + 1)));
  expect(echoes.has(echoOf(statesAt(2), ALICE), ALICE)).toBe(true);
  expect(echoes.has(echoOf(statesAt(1), ALICE), ALICE)).toBe(false);
  echoes.forget();
  expect(echoes.has(echoOf(statesAt(2), ALICE), ALICE)).toBe(false);
});

it("takes no word of Alice's own for an echo", () => {
  const entries = statesAt(7);
  const echoes = told(entries);
  // all of it, her own state too: she may speak for that
  expect(echoes.has(encodeEntries(entries), ALICE)).toBe(false);
  // Bob's left out in place of hers
  expect(echoes.has(echoOf(entries, BOB), ALICE)).toBe(false);
});

it("takes nothing for an echo that differs by one byte, at any place", () => {
  const entries = statesAt(7);
  const echoes = told(entries);
  const echo = echoOf(entries, ALICE);
  for (let at = 0; at < echo.length; at++) {
    const changed = echo.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(isKnown(echoes, changed), `byte ${at}`).toBe(false);
  }
  for (let length = 0; length < echo.length; length++) {
    expect(isKnown(echoes, echo.subarray(0, length)), `${length} bytes`).toBe(false);
  }
  expect(echoes.has(new Uint8Array([...echo, 0]), ALICE)).toBe(false);
});

it("reads messages of few states rather than keep them", () => {
  const entries = statesAt(7, [1, 2, 3, 4, 5, 6, ALICE]);
  expect(told(entries).has(echoOf(entries, ALICE), ALICE)).toBe(false);
});

function isKnown(echoes: Echoes, update: Uint8Array): boolean {
  try {
    return echoes.has(update, ALICE);
  } catch (error) {
    if (error instanceof FrameError) return false;
    throw error;
  }
}
