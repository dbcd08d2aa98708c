import { expect, it, onTestFinished } from "vitest";
import * as Y from "yjs";
import { othersStay } from "../../src/editors/index.ts";

/** Alice, who may undo, and Bob, whose documents are the same. */
function open() {
  const [alice, bob] = [new Y.Doc(), new Y.Doc()];
  alice.on("update", (update: Uint8Array, origin: unknown) => {
    if (origin !== "passed") Y.applyUpdate(bob, update, "passed");
  });
  bob.on("update", (update: Uint8Array, origin: unknown) => {
    if (origin !== "passed") Y.applyUpdate(alice, update, "passed");
  });
  const root = alice.getXmlFragment("root");
  const undo = new Y.UndoManager([root, alice.getText("text")], { deleteFilter: othersStay(alice), captureTimeout: 0 });
  onTestFinished(() => {
    undo.destroy();
    alice.destroy();
    bob.destroy();
  });
  return { alice, bob, root, undo };
}

const undoAll = (undo: Y.UndoManager): void => {
  while (undo.canUndo()) undo.undo();
};

it("[EDIT-16] undo takes Alice's words out of a block that Bob wrote in, and takes away one of her own", () => {
  const { bob, root, undo } = open();
  const [shared, own] = [new Y.XmlElement("block"), new Y.XmlElement("block")];
  root.insert(0, [shared, own]);
  shared.insert(0, [new Y.XmlText("Alice's")]);
  own.insert(0, [new Y.XmlText("hers alone")]);
  const block = bob.getXmlFragment("root").get(0) as Y.XmlElement;
  (block.get(0) as Y.XmlText).insert(7, " and Bob's");
  undoAll(undo);
  expect(root.toString()).toBe("<block> and Bob's</block>");
});

it("[EDIT-17] undo leaves a map in a text if Bob wrote in the characters that follow", () => {
  const { alice, bob, undo } = open();
  const text = alice.getText("text");
  text.insertEmbed(0, new Y.Map([["of", "both"]]));
  text.insert(1, "Alice");
  text.insertEmbed(6, new Y.Map([["of", "Alice"]]));
  text.insert(7, "hers");
  bob.getText("text").insert(6, " Bob");
  undoAll(undo);
  const inserts = (text.toDelta() as { insert: unknown }[]).map(({ insert }) =>
    insert instanceof Y.Map ? insert.toJSON() : insert,
  );
  expect(inserts).toEqual([{ of: "both" }, " Bob"]);
});

it("[EDIT-18] a block that stays keeps the attributes that it was made with, and gets back the ones that Alice changed", () => {
  const { bob, root, undo } = open();
  const block = new Y.XmlElement("block");
  root.insert(0, [block]);
  block.setAttribute("id", "one");
  block.insert(0, [new Y.XmlText("Alice")]);
  const text = (bob.getXmlFragment("root").get(0) as Y.XmlElement).get(0) as Y.XmlText;
  text.insert(5, " Bob");
  block.setAttribute("id", "two");
  undo.undo();
  expect(root.toString()).toBe('<block id="one">Alice Bob</block>');
  undoAll(undo);
  expect(root.toString()).toBe('<block id="one"> Bob</block>');
});
