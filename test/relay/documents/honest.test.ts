import * as fc from "fast-check";
import { expect, it } from "vitest";
import * as Y from "yjs";
import { Writers, contentOf, edits } from "./edits.ts";
import { decodeFrame } from "../../../src/wire/index.ts";
import { read, relay, writer } from "./relayed.ts";

const RUNS = 150;

it("[DOC-1] [DOC-3] takes all that Yjs writes, and gives newcomers and those who listen what the writers have", () => {
  fc.assert(
    fc.property(edits(60), fc.boolean(), (list, gc) => {
      const people = new Writers(gc);
      const { document, told } = relay({ documentGc: gc }).open();
      const listener = new Y.Doc({ gc });
      const alice = writer();
      for (const edit of list) {
        people.make(edit);
        for (const update of people.updates.splice(0)) document.apply(update, alice);
        for (const { update } of told.splice(0)) Y.applyUpdate(listener, update);
      }
      people.meet();
      const [doc] = people.docs;
      if (doc === undefined) throw new Error("nobody");
      // cleaning up after formats is an update of everybody's own
      document.apply(Y.encodeStateAsUpdate(doc), alice);
      for (const { update } of told.splice(0)) Y.applyUpdate(listener, update);
      expect(contentOf(read(document))).toBe(contentOf(doc));
      expect(contentOf(listener)).toBe(contentOf(doc));
    }),
    { numRuns: RUNS, seed: 1 },
  );
});

it("[DOC-3] takes updates in any order, twice, merged with gaps and as differences, and ends with the same", () => {
  fc.assert(
    fc.property(edits(40), fc.array(fc.nat(), { minLength: 60, maxLength: 60 }), (list, random) => {
      const people = new Writers(true);
      for (const edit of list) people.make(edit);
      const updates = people.updates.splice(0);
      people.meet();
      const [doc] = people.docs;
      if (doc === undefined) throw new Error("nobody");
      const { document, told } = relay().open();
      const listener = new Y.Doc();
      const shuffled = updates
        .map((update, i) => ({ update, by: random[i % 60] ?? 0 }))
        .toSorted((a, b) => a.by - b.by);
      const peers = [writer(), writer()];
      for (let i = 0; i < shuffled.length;) {
        const count = 1 + ((random[i % 60] ?? 0) % 3);
        const some = shuffled.slice(i, i + count).map(({ update }) => update);
        i += count;
        const [alice, bob] = peers;
        if (alice === undefined || bob === undefined) throw new Error("nobody");
        document.apply(Y.mergeUpdates(some), i % 2 === 0 ? alice : bob);
        if (i % 5 === 0) document.apply(Y.mergeUpdates(some), bob);
        // to nobody before what it builds on
        for (const { update } of told.splice(0)) {
          Y.applyUpdate(listener, update);
          expect(listener.store.pendingStructs).toBeNull();
          expect(listener.store.pendingDs).toBeNull();
        }
      }
      document.apply(Y.encodeStateAsUpdate(doc), peers[0] ?? writer());
      for (const { update } of told.splice(0)) Y.applyUpdate(listener, update);
      expect(contentOf(read(document))).toBe(contentOf(doc));
      expect(contentOf(listener)).toBe(contentOf(doc));
    }),
    { numRuns: RUNS, seed: 2 },
  );
});

it("[DOC-3] takes the state of somebody whose own document waits for what never came", () => {
  const author = new Y.Doc();
  const updates: Uint8Array[] = [];
  author.on("update", (update: Uint8Array) => updates.push(update));
  for (const word of ["one ", "two ", "three "]) author.getText("text").insert(author.getText("text").length, word);
  const alice = new Y.Doc();
  for (const update of [updates[0], updates[2]]) if (update !== undefined) Y.applyUpdate(alice, update);
  alice.getMap("map").set("own", 1);
  const { document } = relay().open();
  document.apply(Y.encodeStateAsUpdate(alice), writer());
  expect(read(document).getText("text").toString()).toBe("one ");
  expect(read(document).getMap("map").get("own")).toBe(1);
  document.apply(updates[1] ?? new Uint8Array(), writer());
  expect(read(document).getText("text").toString()).toBe("one two three ");
});

it("[ROOM-3] [DOC-15] keeps a document while nobody is there, and what of it waits", () => {
  const author = new Y.Doc();
  const updates: Uint8Array[] = [];
  author.on("update", (update: Uint8Array) => updates.push(update));
  for (const word of ["one ", "two ", "three "]) author.getText("text").insert(author.getText("text").length, word);
  const rooms = relay();
  for (const update of [updates[0], updates[2], updates[1]]) {
    const { document } = rooms.open();
    document.apply(update ?? new Uint8Array(), writer());
    document.close();
    expect(rooms.documents.memory.counts).toMatchObject({ open: 0, kept: 1 });
  }
  expect(read(rooms.open().document).getText("text").toString()).toBe("one two three ");
});

it("[DOC-9] tells one who has some of it the rest, at any time", () => {
  fc.assert(
    fc.property(edits(40), fc.boolean(), (list, gc) => {
      const people = new Writers(gc);
      const { document } = relay({ documentGc: gc }).open();
      const reader = new Y.Doc({ gc });
      const alice = writer();
      for (const edit of list) {
        people.make(edit);
        for (const update of people.updates.splice(0)) document.apply(update, alice);
        read(document, reader);
        expect(contentOf(reader)).toBe(contentOf(read(document)));
        const question = decodeFrame(document.ask());
        if (question.type !== "syncStep1") throw new Error(question.type);
        // it is asked for nothing that it does not have
        expect(Y.decodeStateVector(question.stateVector)).toEqual(Y.decodeStateVector(Y.encodeStateVector(reader)));
      }
    }),
    { numRuns: 40, seed: 3 },
  );
});
