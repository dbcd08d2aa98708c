import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from "y-protocols/awareness";
import * as Y from "yjs";
import {
  type Entry,
  FrameError,
  MAX_CLOCK,
  StateTooLargeError,
  decodeEntries,
  encodeEntries,
  layOut,
  replaceEntries,
} from "../../src/wire/index.ts";

const LIMITS = { maxStateBytes: 1_000, maxEntries: 10 };
const utf8 = (source: string): Uint8Array => new TextEncoder().encode(source);
const entry = (id: number, clock: number, state: unknown): Entry => ({
  id,
  clock,
  state: state === null ? null : utf8(JSON.stringify(state)),
});

/** Bytes as a part of a larger buffer that holds what looks like more of the same. */
function within(bytes: Uint8Array): Uint8Array {
  const pool = new Uint8Array(bytes.length + 400);
  for (let i = 0; i < pool.length; i++) pool[i] = "{}\u{1}".charCodeAt(i % 3);
  pool.set(bytes, 200);
  return pool.subarray(200, 200 + bytes.length);
}

function outcome(bytes: Uint8Array): unknown {
  try {
    return decodeEntries(bytes, LIMITS).map(({ id, clock, state }) => [id, clock, state && [...state]]);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return error.message;
  }
}

const anyId = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.maxSafeNat());
const anyState = fc.option(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }), { freq: 4 });
const anyEntries = fc.array(
  fc
    .record({ id: anyId, clock: fc.integer({ min: 0, max: MAX_CLOCK }), state: anyState })
    .map(({ id, clock, state }) => entry(id, clock, state)),
  { maxLength: 5 },
);

describe("awareness updates", () => {
  let [alice, bob] = [new Awareness(new Y.Doc()), new Awareness(new Y.Doc())];
  beforeEach(() => {
    [alice, bob] = [new Awareness(new Y.Doc()), new Awareness(new Y.Doc())];
  });
  afterEach(() => {
    for (const awareness of [alice, bob]) awareness.destroy();
  });

  it("[WIRE-1] are the bytes of y-protocols, both ways", () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyId, { maxLength: 4 }), fc.array(anyState, { minLength: 4 }), (ids, states) => {
        const held = ids.map((id, i) => ({ id, clock: id % 1_000, state: states[i]! }));
        const stock = {
          states: new Map(held.flatMap(({ id, state }) => (state === null ? [] : [[id, state] as const]))),
          meta: new Map(held.map(({ id, clock }) => [id, { clock, lastUpdated: 0 }])),
        };
        const bytes = encodeAwarenessUpdate(stock as Awareness, ids);
        const entries = held.map(({ id, clock, state }) => entry(id, clock, state));
        expect([...encodeEntries(entries)]).toEqual([...bytes]);
        expect(decodeEntries(bytes, LIMITS)).toEqual(entries);
      }),
    );
  });

  it("[WIRE-1] are taken by stock clients: who is there, who changed, and who left", () => {
    const heard: unknown[] = [];
    bob.on("change", (change: unknown) => heard.push(change));
    const tell = (...entries: Entry[]): void => applyAwarenessUpdate(bob, encodeEntries(entries), "relay");
    tell(entry(7, 1, { user: { id: "alice" } }), entry(8, 1, { user: { id: "carol" } }));
    tell(entry(7, 2, { user: { id: "alice" }, cursor: 3 }), entry(8, 1, { user: { id: "mallory" } }));
    expect([bob.states.get(7), bob.states.get(8)]).toEqual([
      { user: { id: "alice" }, cursor: 3 },
      { user: { id: "carol" } },
    ]);
    tell(entry(7, 2, null));
    tell();
    expect(heard).toEqual([
      { added: [7, 8], updated: [], removed: [] },
      { added: [], updated: [7], removed: [] },
      { added: [], updated: [], removed: [7] },
    ]);
  });

  it("[WIRE-1] are read as stock clients write them", () => {
    alice.setLocalState({ user: { name: "Älice 😀" } });
    const id = alice.clientID;
    const wrote = (): Entry[] => decodeEntries(encodeAwarenessUpdate(alice, [id]), LIMITS);
    const [said] = wrote();
    expect(said).toMatchObject({ id, clock: 1 });
    expect(JSON.parse(new TextDecoder().decode(said?.state ?? undefined))).toEqual({ user: { name: "Älice 😀" } });
    alice.setLocalState(null);
    expect(wrote()).toEqual([{ id, clock: 2, state: null }]);
  });
});

describe("decodeEntries", () => {
  it("reads back what was written, as views that are not copied", () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const bytes = within(encodeEntries(entries));
        const read = decodeEntries(bytes, LIMITS);
        expect(read).toEqual(entries);
        expect(read.every(({ state }) => state === null || state.buffer === bytes.buffer)).toBe(true);
      }),
    );
  });

  it("[WIRE-11] takes all of an update or nothing, wherever it is cut off", () => {
    fc.assert(
      fc.property(anyEntries, (entries) => {
        const whole = encodeEntries(entries);
        for (let end = 0; end < whole.length; end++) {
          expect(() => decodeEntries(within(whole.subarray(0, end)), LIMITS)).toThrow(FrameError);
        }
        const longer = Uint8Array.of(...whole, 0);
        expect(() => decodeEntries(longer, LIMITS)).toThrow("bytes after the end of the message");
      }),
      { numRuns: 30 },
    );
  });

  it("[WIRE-2] never reads beyond its bytes, whatever they are, and fails in one way only", () => {
    const garbled = fc
      .tuple(anyEntries, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }))
      .map(([entries, changes]) => {
        const bytes = encodeEntries(entries);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(garbled, fc.uint8Array({ maxLength: 40 })), (bytes) => {
        expect(outcome(within(bytes))).toEqual(outcome(bytes));
      }),
      { numRuns: 2_000 },
    );
  });

  it("[WIRE-5] takes clocks up to 2^48, and none above", () => {
    const read = (clock: number): unknown => decodeEntries(encodeEntries([entry(7, clock, {})]), LIMITS);
    expect(MAX_CLOCK).toBe(2 ** 48);
    expect(read(MAX_CLOCK)).toEqual([entry(7, MAX_CLOCK, {})]);
    for (const clock of [MAX_CLOCK + 1, Number.MAX_SAFE_INTEGER]) {
      expect(() => read(clock)).toThrow(new FrameError("awareness clock out of range"));
    }
  });

  it("[WIRE-5] takes no id or clock that lib0 reads as Infinity or NaN: writing it again would never end", () => {
    const overlong = (length: number, last: number): number[] => [...Array<number>(length).fill(0x80), last];
    for (const odd of [overlong(147, 1), overlong(148, 0)]) {
      for (const idAndClock of [
        [...odd, 1],
        [7, ...odd],
      ]) {
        const bytes = Uint8Array.of(1, ...idAndClock, 2, ...utf8("{}"));
        expect(() => decodeEntries(bytes, LIMITS)).toThrow("truncated or oversized integer");
      }
    }
  });

  it("[WIRE-3] refuses a state or a number of states above the limit, with words of its own for the state", () => {
    const state = (bytes: number): Uint8Array => encodeEntries([entry(7, 1, "x".repeat(bytes - 2))]);
    expect(decodeEntries(state(1_000), LIMITS)).toHaveLength(1);
    expect(() => decodeEntries(state(1_001), LIMITS)).toThrow(StateTooLargeError);
    expect(() => decodeEntries(state(1_001), LIMITS)).toThrow("awareness state larger than 1000 bytes");
    const many = (length: number): Uint8Array => encodeEntries(Array.from({ length }, (_, id) => entry(id, 1, null)));
    expect(decodeEntries(many(10), LIMITS)).toHaveLength(10);
    expect(() => decodeEntries(many(11), LIMITS)).toThrow("more than 10 awareness states");
    // refused by what it says, before it is there
    expect(() => decodeEntries(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f), LIMITS)).toThrow("more than 10");
  });
});

describe("an update with entries replaced", () => {
  it("is the update that has the others in their place", () => {
    const entries = Array.from({ length: 200 }, (_, i) => ({
      id: i * 2 ** 24,
      clock: 2 ** i % 2 ** 48,
      state: utf8(`{"n":${i}}`),
    }));
    const nudge = { id: 7, clock: 2 ** 47, state: null };
    for (const replaced of [[], [0], [199], [3, 100]]) {
      const expected = encodeEntries(entries.map((each, i) => (replaced.includes(i) ? nudge : each)));
      expect(replaceEntries(layOut(entries), new Map(replaced.map((i) => [i, nudge])))).toEqual(expected);
    }
  });

  it("is read without what does not concern", () => {
    const payload = encodeEntries(
      [1, 2, 3].map((id) => ({ id, clock: id, state: id === 2 ? null : Uint8Array.of(0x7b, 0x7d) })),
    );
    const limits = { maxStateBytes: 10, maxEntries: 10 };
    const asked: unknown[] = [];
    const entries = decodeEntries(payload, limits, (...asking) => asked.push(asking) === 2);
    expect(asked).toEqual([
      [1, 1, false],
      [2, 2, true],
      [3, 3, false],
    ]);
    expect(entries).toEqual([{ id: 2, clock: 2, state: null }]);
    expect(() => decodeEntries(payload.subarray(0, -1), limits, () => false)).toThrow(FrameError);
  });
});
