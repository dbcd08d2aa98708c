import { expect, it } from "vitest";
import * as Y from "yjs";
import { type LexicalState, lexicalProvider } from "../../src/editors/index.ts";
import { aliceAndBob } from "./two.ts";

const provider = { synced: true, on: () => {}, off: () => {} };
const state = (name: string): LexicalState => ({
  anchorPos: null,
  focusPos: null,
  color: "#000000",
  name,
  focusing: true,
  awarenessData: {},
});

function open() {
  const { alice, bob } = aliceAndBob();
  alice.doc.getText("root").insert(0, "before");
  const docs = new Map<string, Y.Doc>();
  const lexical = lexicalProvider({ doc: alice.doc, awareness: alice, provider })("content", docs);
  const doc = docs.get("content");
  if (doc === undefined) throw new TypeError("unreachable");
  return { alice, bob, lexical, doc };
}

it("[EDIT-7] the editor's document is filled once the editor listens, and both documents stay the same", () => {
  const { alice, lexical, doc } = open();
  const heard: unknown[] = [];
  doc.on("update", () => heard.push("update"));
  lexical.on("status", ({ status }) => heard.push(status));
  lexical.on("sync", (isSynced) => heard.push(isSynced));
  expect(doc.getText("root").toString()).toBe("");
  lexical.connect();
  expect(heard).toEqual(["update", "connected", true]);
  doc.getText("root").insert(0, "in the editor, ");
  alice.doc.getText("root").insert(0, "from others, ");
  expect(doc.getText("root").toString()).toBe("from others, in the editor, before");
  expect(alice.doc.getText("root").toString()).toBe(doc.getText("root").toString());
});

it("[EDIT-8] its cursor goes when it is unmounted, and the user stays; mounted again, it has what was written meanwhile", () => {
  const { alice, bob, lexical, doc } = open();
  lexical.connect();
  lexical.awareness.setLocalState(state("Alice"));
  expect(bob.getStates().get(alice.clientID)).toMatchObject({ user: { name: "Alice" }, focusing: true });
  lexical.disconnect();
  expect(bob.getStates().get(alice.clientID)).toEqual({ user: { id: "alice", name: "Alice", color: "#112233" } });
  expect(lexical.awareness.getLocalState()).toBeNull();
  alice.doc.getText("root").insert(0, "meanwhile, ");
  expect(doc.getText("root").toString()).toBe("before");
  lexical.connect();
  expect(doc.getText("root").toString()).toBe("meanwhile, before");
});

it("[EDIT-9] Bob is drawn under his new name: Lexical is shown the room without him first", () => {
  const { alice, bob, lexical, doc } = open();
  lexical.awareness.setLocalState(state("Alice"));
  bob.setLocalState({ ...bob.getLocalState(), ...state("Bob") });
  const seen: (string | undefined)[] = [];
  const listener = (): void => void seen.push(lexical.awareness.getStates().get(bob.clientID)?.name);
  lexical.awareness.on("update", listener);
  bob.setLocalStateField("user", { id: "bob", name: "Robert" });
  expect(seen).toEqual([undefined, "Robert", "Robert"]);
  // Lexical takes the state under its document's id for its own
  expect(new Set(lexical.awareness.getStates().keys())).toEqual(new Set([doc.clientID, bob.clientID]));
  expect(alice.clientID).not.toBe(doc.clientID);
  lexical.awareness.off("update", listener);
  bob.setLocalStateField("user", { id: "bob", name: "Bob" });
  expect(seen).toHaveLength(3);
});
