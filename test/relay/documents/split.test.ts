/** Long updates, cut in several that are short. */
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { encodeAsJson } from "../../../src/relay/documents/read-only/json.ts";
import { splitUpdate } from "../../../src/relay/documents/update/split.ts";
import { type Random, seeded } from "../../simulation/random.ts";

const LIMIT = 2_048;

const below = (random: Random, count: number): number => random.int(0, count - 1);

/** Applies updates one after the other, and says after each whether anything was left to wait. */
function applied(updates: readonly Uint8Array[], to = new Y.Doc()): Y.Doc {
  for (const update of updates) {
    Y.applyUpdate(to, update);
    expect(to.store.pendingStructs).toBeNull();
    expect(to.store.pendingDs).toBeNull();
  }
  return to;
}

function same(a: Y.Doc, b: Y.Doc): void {
  expect(a.getText("t").toDelta()).toEqual(b.getText("t").toDelta());
  expect(a.getMap("m").toJSON()).toEqual(b.getMap("m").toJSON());
  expect(a.getArray("a").toJSON()).toEqual(b.getArray("a").toJSON());
  expect(Y.encodeStateVector(a)).toEqual(Y.encodeStateVector(b));
}

/** Several people write, format, delete and set values, in turns that interleave. */
function written(random: Random, { gc = true, steps = 250 } = {}): Y.Doc {
  const docs = [1, 2, 3].map(() => new Y.Doc({ gc }));
  for (let i = 0; i < steps; i++) {
    const doc = docs[below(random, 3)]!;
    const text = doc.getText("t");
    const at = below(random, text.length + 1);
    switch (below(random, 6)) {
      case 0:
        text.delete(Math.min(at, Math.max(0, text.length - 1)), Math.min(3, text.length));
        break;
      case 1:
        doc.getMap("m").set(`k${below(random, 20)}`, { n: i, text: "value".repeat(below(random, 30)) });
        break;
      case 2:
        doc.getArray("a").insert(
          0,
          Array.from({ length: 1 + below(random, 40) }, (_, n) => n),
        );
        break;
      case 3:
        text.format(Math.min(at, Math.max(0, text.length - 1)), 1, { bold: true });
        break;
      default:
        text.insert(at, "wörd 🙂 ".repeat(1 + below(random, 20)));
    }
    if (below(random, 10) === 0) for (const other of docs) Y.applyUpdate(other, Y.encodeStateAsUpdate(doc));
  }
  const whole = new Y.Doc({ gc });
  for (const doc of docs) Y.applyUpdate(whole, Y.encodeStateAsUpdate(doc));
  return whole;
}

describe("[STORE-9] a long update", () => {
  it("is itself while it is short", () => {
    const doc = new Y.Doc();
    doc.getText("t").insert(0, "short");
    const update = Y.encodeStateAsUpdate(doc);
    expect(splitUpdate(update, LIMIT)).toEqual([update]);
  });

  it.each([1, 2, 3, 4])("is cut in short ones, of which each can be applied after those before it (%i)", (seed) => {
    const doc = written(seeded(seed));
    const update = Y.encodeStateAsUpdate(doc);
    const parts = splitUpdate(update, LIMIT);
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) expect(part.length).toBeLessThanOrEqual(LIMIT);
    same(applied(parts), doc);
  });

  it.each([7, 8, 9])("is cut for one who has a part of it already, whose deletions come too (%i)", (seed) => {
    const random = seeded(seed);
    const doc = written(random, { gc: seed % 2 === 0 });
    const reader = new Y.Doc();
    Y.applyUpdate(reader, Y.encodeStateAsUpdate(doc));
    for (let i = 0; i < 120; i++) {
      const text = doc.getText("t");
      text.insert(below(random, text.length), "more ".repeat(10));
      text.delete(below(random, text.length - 60), 40);
    }
    const parts = splitUpdate(Y.encodeStateAsUpdate(doc, Y.encodeStateVector(reader)), LIMIT);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(part.length).toBeLessThanOrEqual(LIMIT);
    same(applied(parts, reader), doc);
  });

  it("cuts a text that somebody pasted in one go, and no character of it", () => {
    const doc = new Y.Doc();
    doc.getText("t").insert(0, "wörd 🙂🙃 ".repeat(3_000));
    doc.getText("t").insert(5, "in the middle ".repeat(2_000));
    const parts = splitUpdate(Y.encodeStateAsUpdate(doc), LIMIT);
    for (const part of parts) expect(part.length).toBeLessThanOrEqual(LIMIT);
    same(applied(parts), doc);
    // and what others then write in it, and what they delete, is the same for both
    const reader = applied(parts);
    reader.getText("t").insert(10_001, "hers");
    reader.getText("t").delete(4_000, 5_000);
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(reader, Y.encodeStateVector(doc)));
    same(reader, doc);
  });

  it("cuts a list of values between them, and no value", () => {
    const doc = new Y.Doc();
    doc.getArray("a").push(Array.from({ length: 2_000 }, (_, i) => ({ i, text: "x".repeat(20) })));
    doc.getArray("a").push(["y".repeat(3 * LIMIT)]);
    const parts = splitUpdate(Y.encodeStateAsUpdate(doc), LIMIT);
    expect(parts.filter(({ length }) => length > LIMIT)).toHaveLength(1);
    same(applied(parts), doc);
  });

  it("stays whole where it builds on what it leaves out itself", () => {
    const doc = new Y.Doc();
    const updates: Uint8Array[] = [];
    doc.on("update", (update) => updates.push(update));
    for (let i = 0; i < 600; i++) doc.getText("t").insert(0, "some text ");
    updates.splice(300, 1);
    const gap = Y.mergeUpdates(updates);
    expect(splitUpdate(gap, LIMIT)).toEqual([gap]);
  });
});

it("cuts what the relay has encoded itself, whose JSON it does not check, at the same places as any update", () => {
  const doc = new Y.Doc();
  for (let i = 0; i < 200; i++) doc.getMap("m").set(`user-${i}`, { name: `Person ${i} – ✓`, rooms: ["a", "b"] });
  const update = encodeAsJson(doc);
  const parts = splitUpdate(update, LIMIT, true);
  expect(parts.length).toBeGreaterThan(5);
  expect(parts).toEqual(splitUpdate(update, LIMIT));
  same(applied(parts), doc);
});
