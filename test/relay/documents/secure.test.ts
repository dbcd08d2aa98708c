/** What comes of another relay, which stores it, and is lost before it has. */
import { expect, it } from "vitest";
import * as Y from "yjs";
import { Documents } from "../../../src/relay/documents/documents.ts";
import { SharedDocument } from "../../../src/relay/documents/shared.ts";
import { systemClock } from "../../../src/relay/ports/clock.ts";
import { OPTIONS } from "./relayed.ts";

const relay = { kind: "relay" };

function setup() {
  const changed: string[] = [];
  const taken: (readonly [update: Uint8Array, from: unknown])[] = [];
  const documents = new Documents(
    OPTIONS,
    null,
    () => {},
    systemClock,
    (room) => changed.push(room),
  );
  const document = new SharedDocument("doc", documents, {
    sendUpdate() {},
    taken: (update, from) => taken.push([update, from]),
    scheduleFlush: () => document.settle(),
    refuse() {},
    charge() {},
  });
  return { document, changed, taken };
}

it("[BUS-13] of what another relay sends, what is new here is told, and what is known is not", () => {
  const { document, taken } = setup();
  const alice = new Y.Doc();
  alice.getText("t").insert(0, "one two");
  alice.getText("t").delete(0, 4);
  document.apply(Y.encodeStateAsUpdate(alice), "alice");
  expect(taken).toEqual([]);
  // all deletions are in each answer
  document.apply(Y.encodeStateAsUpdate(alice, Y.encodeStateVector(alice)), relay);
  document.apply(Y.encodeStateAsUpdate(alice), relay);
  expect(taken).toEqual([]);
  alice.getText("t").insert(3, " three");
  document.apply(Y.encodeStateAsUpdate(alice), relay);
  expect(taken.map(([, from]) => from)).toEqual([relay]);
  expect(taken[0]?.[0].length).toBeLessThan(Y.encodeStateAsUpdate(alice).length);
});

it("[BUS-13] that a document was changed is told when the relay which has taken the change is gone, and else by that relay", () => {
  const { document, changed, taken } = setup();
  const alice = new Y.Doc();
  alice.getText("t").insert(0, "text");
  document.apply(Y.encodeStateAsUpdate(alice), relay);
  const updates = taken.map(([update]) => update);
  document.secure(updates, false);
  expect([updates.length, changed]).toEqual([1, []]);
  document.secure(updates, true);
  expect(changed).toEqual(["doc"]);
});
