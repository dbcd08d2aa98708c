/** Updates that wait for the next flush of their room, and are taken together. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as Y from "yjs";
import { type DocumentHost, Documents, type RoomDocument, SharedDocument } from "../../../src/relay/documents/index.ts";
import type { FrameError } from "../../../src/wire/index.ts";
import { Writers, contentOf, edits } from "./edits.ts";
import { inRoot, inType, rawUpdate, text } from "./raw-update.ts";
import { OPTIONS, read, updateOf } from "./relayed.ts";

/** A document whose room does not flush by itself. */
function waiting() {
  const told: { readonly update: Uint8Array; readonly except: unknown }[] = [];
  const refused: { readonly author: unknown; readonly error: FrameError }[] = [];
  const charged: unknown[] = [];
  let scheduled = 0;
  const host: DocumentHost = {
    sendUpdate: (packet, except) => told.push({ update: updateOf(packet), except }),
    taken() {},
    scheduleFlush: () => scheduled++,
    refuse: (author, error) => refused.push({ author, error }),
    charge: (author) => charged.push(author),
  };
  const document: RoomDocument = new SharedDocument("doc", new Documents(OPTIONS, null, () => {}), host);
  return { document, told, refused, charged, scheduled: () => scheduled };
}

/** Somebody who types: each letter is an update. */
class Typist {
  readonly doc = new Y.Doc();
  readonly #document: RoomDocument;

  constructor(document: RoomDocument) {
    this.#document = document;
    this.doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin !== "heard") document.apply(update, this);
    });
  }

  hear(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update, "heard");
  }

  catchUp(): void {
    for (const packet of this.#document.sync(Y.encodeStateVector(this.doc))) this.hear(updateOf(packet));
  }

  type(letters: string): void {
    for (const letter of letters) this.doc.getText("t").insert(this.doc.getText("t").length, letter);
  }
}

describe("what people type", () => {
  it("[DOC-22] waits for the flush, and goes out as one update to all", () => {
    const { document, told, scheduled } = waiting();
    const [alice, bob, carol] = [new Typist(document), new Typist(document), new Typist(document)];
    alice.type("abc");
    bob.type("xyz");
    expect(scheduled()).toBe(6);
    expect(document.isUnsettled).toBe(true);
    expect(told).toEqual([]);
    document.settle();
    expect(told).toHaveLength(1);
    expect(told[0]?.except).toBeNull();
    for (const { update } of told) for (const each of [alice, bob, carol]) each.hear(update);
    const texts = [alice, bob, carol].map(({ doc }) => doc.getText("t").toJSON());
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toHaveLength(6);
    expect(read(document).getText("t").toJSON()).toBe(texts[0]);
  });

  it("[DOC-22] is not told to Alice when all of it is hers", () => {
    const { document, told } = waiting();
    const alice = new Typist(document);
    alice.type("abc");
    document.settle();
    expect(told.map(({ except }) => except)).toEqual([alice]);
  });

  it("[DOC-22] is there for one who asks before the flush, and before the document is put away", () => {
    const { document, told } = waiting();
    const alice = new Typist(document);
    alice.type("abc");
    expect(read(document).getText("t").toJSON()).toBe("abc");
    // those who read it already were told
    expect(told).toHaveLength(1);
    alice.type("d");
    document.close();
    expect(told).toHaveLength(2);
  });

  it("[DOC-22] does not wait with more than 64 others, nor behind a long paste", () => {
    const { document, told } = waiting();
    const alice = new Typist(document);
    alice.type("a".repeat(65));
    expect(told).toHaveLength(1);
    alice.doc.getText("t").insert(0, "long".repeat(1_000));
    expect(told).toHaveLength(3);
    expect(document.isUnsettled).toBe(false);
  });

  it("[DOC-22] of another relay does not wait together with what is this relay's own to tell", () => {
    const { document, told } = waiting();
    const alice = new Typist(document);
    const other = { kind: "relay" };
    alice.type("a");
    const bob = new Y.Doc();
    bob.getText("t").insert(0, "b");
    document.apply(Y.encodeStateAsUpdate(bob), other);
    alice.type("c");
    document.settle();
    expect(told.map(({ except }) => except)).toEqual([alice, other, alice]);
  });

  it("[COST-7] [DOC-22] is charged to each of its authors for each update", () => {
    const { document, charged } = waiting();
    const [alice, bob] = [new Typist(document), new Typist(document)];
    alice.type("ab");
    bob.type("c");
    document.settle();
    expect(charged).toEqual([alice, alice, bob]);
  });

  it("[DOC-3] [DOC-22] converges, whenever the room flushes", () => {
    fc.assert(
      fc.property(edits(40), fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (list, flushes) => {
        const people = new Writers(true);
        const { document, told, refused } = waiting();
        const listener = new Y.Doc();
        list.forEach((edit, i) => {
          people.make(edit);
          people.updates.splice(0).forEach((update, k) => document.apply(update, `writer ${(i + k) % 3}`));
          if (flushes[i] === true) document.settle();
          // to nobody before what it builds on
          for (const { update } of told.splice(0)) {
            Y.applyUpdate(listener, update);
            expect(listener.store.pendingStructs).toBeNull();
            expect(listener.store.pendingDs).toBeNull();
          }
        });
        people.meet();
        const [doc] = people.docs;
        if (doc === undefined) throw new Error("nobody");
        document.apply(Y.encodeStateAsUpdate(doc), "alice");
        document.settle();
        for (const { update } of told.splice(0)) Y.applyUpdate(listener, update);
        expect(refused).toEqual([]);
        expect(contentOf(read(document))).toBe(contentOf(doc));
        expect(contentOf(listener)).toBe(contentOf(doc));
      }),
      { numRuns: 150, seed: 4 },
    );
  });
});

/** Types in one another: Yjs has to be asked how deep they are then. */
const nested = (clock: number, levels: number): Uint8Array =>
  rawUpdate([
    {
      client: 5,
      clock,
      structs: Array.from({ length: levels }, (_, i) =>
        clock + i === 0 ? inRoot(7, 0) : inType(7, 5, clock + i - 1, 0),
      ),
    },
  ]);

it("[DOC-24] one update that cannot be taken is refused, and those that waited with it are taken", () => {
  const { document, told, refused } = waiting();
  const alice = new Typist(document);
  const levels = 100;
  alice.type("a");
  for (const [i, author] of ["mallory", "mallory", "mallory"].entries()) {
    const update = nested(i * levels, levels);
    expect(update.length).toBeLessThan(1024);
    document.apply(update, author);
  }
  alice.type("b");
  document.settle();
  expect(refused.map(({ author, error }) => [author, error.code])).toEqual([["mallory", 4400]]);
  const bob = new Y.Doc();
  for (const { update } of told) Y.applyUpdate(bob, update);
  expect(bob.getText("t").toJSON()).toContain("ab");
  expect(bob.store.pendingStructs).toBeNull();
});

it("[DOC-23] after updates that took long together, each is taken at once, for a while", () => {
  const { document, told } = waiting();
  // each is put before all that are there already, and Yjs walks past them one by one
  const atTheBeginning = (client: number, count: number): Uint8Array =>
    rawUpdate([{ client, clock: 0, structs: Array.from({ length: count }, () => inRoot(4, ...text("x"))) }]);
  document.apply(atTheBeginning(1, 5_000), "mallory");
  told.splice(0);
  for (let i = 0; i < 10; i++) document.apply(atTheBeginning(900 + i, 40), `author ${i}`);
  document.settle();
  told.splice(0);
  document.apply(atTheBeginning(2_000, 1), "mallory");
  expect(document.isUnsettled).toBe(false);
  expect(told.map(({ except }) => except)).toEqual(["mallory"]);
});
