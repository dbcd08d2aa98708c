import { expect, it } from "vitest";
import * as Y from "yjs";
import { clearOnUnmount, cursorsIn } from "../../src/editors/index.ts";
import { aliceAndBob } from "./two.ts";

const cursorIn = (text: Y.Text): object => {
  const position = Y.createRelativePositionFromTypeIndex(text, 1);
  return { anchor: Y.relativePositionToJSON(position), head: Y.relativePositionToJSON(position) };
};

it("[EDIT-4] the cursor goes when the editor does, and the user and what else was said stays", () => {
  const { alice, bob } = aliceAndBob();
  const unmounted = clearOnUnmount(alice);
  alice.setLocalStateField("cursor", { anchor: null });
  alice.setLocalStateField("pointer", [1, 2]);
  unmounted();
  const seen = bob.getStates().get(alice.clientID);
  expect(seen).toEqual({ user: { id: "alice", name: "Alice", color: "#112233" }, pointer: [1, 2] });
  // again, and after the room was left: nothing happens
  alice.setLocalState(null);
  unmounted();
  expect(alice.getLocalState()).toBeNull();
});

it("[EDIT-4] a cursor in another editor's text stays, also where texts lie in one another", () => {
  const { alice } = aliceAndBob();
  const [title, body] = [alice.doc.getText("title"), alice.doc.getXmlFragment("body")];
  title.insert(0, "A title");
  const paragraph = new Y.XmlText("A paragraph");
  body.insert(0, [paragraph]);
  const clearBody = clearOnUnmount(alice, { type: body });
  alice.setLocalStateField("cursor", cursorIn(title));
  clearBody();
  expect(alice.getLocalState()).toHaveProperty("cursor");
  alice.setLocalStateField("cursor", cursorIn(paragraph));
  clearOnUnmount(alice, { type: title })();
  expect(alice.getLocalState()).toHaveProperty("cursor");
  clearBody();
  expect(alice.getLocalState()).not.toHaveProperty("cursor");
});

it("[EDIT-11] [EDIT-12] an editor sees the cursors in its own text, and takes the own cursor away only if it lies there", () => {
  const { alice, bob } = aliceAndBob();
  const [title, body] = [alice.doc.getText("title"), alice.doc.getText("body")];
  title.insert(0, "A title");
  body.insert(0, "A body");
  const [inTitle, inBody] = [cursorsIn(alice, title), cursorsIn(alice, body)];
  const cursorOf = (view: typeof alice): unknown => view.getStates().get(bob.clientID)?.["cursor"];
  bob.setLocalStateField("cursor", cursorIn(title));
  expect([cursorOf(inTitle), cursorOf(inBody)]).toEqual([cursorIn(title), null]);
  inTitle.setLocalStateField("cursor", cursorIn(title));
  inBody.setLocalStateField("cursor", null);
  expect(alice.getLocalState()?.["cursor"]).toEqual(cursorIn(title));
  inTitle.setLocalStateField("cursor", null);
  expect(alice.getLocalState()?.["cursor"]).toBeNull();
});

it("[EDIT-19] what the title's editor says while Alice is in the body is not passed on", () => {
  const { alice } = aliceAndBob();
  const [title, body] = [alice.doc.getText("title"), alice.doc.getText("body")];
  let isInTitle = true;
  const inTitle = cursorsIn(alice, title, { field: "selection", hasFocus: () => isInTitle });
  inTitle.setLocalStateField("selection", cursorIn(title));
  expect(alice.getLocalState()?.["selection"]).toEqual(cursorIn(title));
  isInTitle = false;
  alice.setLocalStateField("selection", cursorIn(body));
  inTitle.setLocalStateField("selection", cursorIn(title));
  expect(alice.getLocalState()?.["selection"]).toEqual(cursorIn(body));
  inTitle.setLocalStateField("pointer", 1);
  expect(alice.getLocalState()).toHaveProperty("pointer", 1);
});
