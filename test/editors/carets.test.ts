// @vitest-environment happy-dom
import { expect, it, onTestFinished } from "vitest";
import { caretBuilder, caretStyles, caretUser, distinctCarets, nudge, onRename } from "../../src/editors/index.ts";
import { colorOf } from "../../src/presence/index.ts";
import { aliceAndBob } from "./two.ts";

it("[EDIT-1] a user without a name is called by the id, and one without a colour has that of the id", () => {
  expect(caretUser({ id: "bob" })).toEqual({
    id: "bob",
    name: "bob",
    color: colorOf("bob"),
    colorLight: `${colorOf("bob")}33`,
  });
  const whole = { id: "bob", name: "Bob", color: "#112233", colorLight: "#445566" };
  expect(caretUser({ ...whole, avatar: "https://example.org/bob.png" })).toEqual(whole);
});

it("[EDIT-2] Alice hears of Bob's new name and colour, once each, and of nothing else", () => {
  const { alice, bob } = aliceAndBob();
  const told: string[] = [];
  const stop = onRename(alice, (clientId, { name, color }) =>
    told.push(`${clientId === bob.clientID} ${name} ${color}`),
  );
  bob.setLocalStateField("cursor", 1);
  alice.setLocalStateField("user", { id: "alice", name: "Alicia" });
  bob.setLocalStateField("user", { id: "bob", name: "Robert", color: "#112233" });
  bob.setLocalStateField("user", { id: "bob", name: "Robert", color: "#445566" });
  bob.setLocalState(null);
  bob.setLocalState({ user: { id: "bob", name: "Bobby", color: "#445566" } });
  expect(told).toEqual(["true Robert #112233", "true Robert #445566"]);
  stop();
  bob.setLocalStateField("user", { id: "bob", name: "Bob" });
  expect(told).toHaveLength(2);
});

it("[EDIT-3] a caret that was drawn once shows the new name and colour", () => {
  const { alice, bob } = aliceAndBob();
  const { build, stop } = caretBuilder(alice, { caret: "caret", label: "label" });
  const caret = build({ name: "whatever the editor kept" }, bob.clientID);
  const label = caret.querySelector<HTMLElement>(".label");
  expect([caret.className, label?.textContent]).toEqual(["caret", "Bob"]);
  bob.setLocalStateField("user", { id: "bob", name: "Robert", color: "#00ff00" });
  expect([label?.textContent, caret.style.borderColor]).toEqual(["Robert", "#00ff00"]);
  expect(label?.style.backgroundColor).toBe("#00ff00");
  stop();
  bob.setLocalStateField("user", { id: "bob", name: "Bobby" });
  expect(label?.textContent).toBe("Robert");
});

it("[EDIT-13] a caret that is made without a client id is that of the client with the user's id, or of the same name and colour", () => {
  const { alice, bob } = aliceAndBob();
  const { build, stop } = caretBuilder(alice);
  onTestFinished(stop);
  const nameOf = (caret: HTMLElement): string | null | undefined => caret.querySelector("div")?.textContent;
  const byId = build({ id: "bob", name: "an older name", color: "transparent" });
  expect(nameOf(byId)).toBe("Bob");
  bob.setLocalStateField("user", { id: "bob", name: "Robert", color: "#00ff00" });
  expect(nameOf(byId)).toBe("Robert");
  // a client that has no id
  bob.setLocalStateField("user", { name: "Bob", color: "#00ff00" });
  const byName = build({ name: "Bob", color: "#00ff00" });
  bob.setLocalStateField("user", { name: "Bobby", color: "#00ff00" });
  expect([nameOf(byName), nameOf(byId)]).toEqual(["Bobby", "Bobby"]);
  // nobody who is here
  expect(nameOf(build({ id: "carol", name: "Carol", color: "#00ff00" }))).toBe("Carol");
});

it("[EDIT-15] a builder that was stopped follows renames again once it makes a caret", () => {
  const { alice, bob } = aliceAndBob();
  const { build, stop } = caretBuilder(alice);
  build({ id: "bob" }, bob.clientID);
  stop();
  const caret = build({ id: "bob" }, bob.clientID);
  bob.setLocalStateField("user", { id: "bob", name: "Robert" });
  expect(caret.querySelector("div")?.textContent).toBe("Robert");
  stop();
});

it("[EDIT-14] of two tabs of one user each has a caret, and a caret that is shown again has the name of now", () => {
  const { alice, bob } = aliceAndBob();
  const { build, stop } = caretBuilder(alice);
  onTestFinished(stop);
  const tab = 4711;
  alice.states.set(tab, { user: { id: "bob", name: "Bob", color: "#112233" } });
  const carets = [1, 2].map(() => {
    const caret = build({ id: "bob", name: "Bob", color: "#112233" });
    document.body.append(caret);
    onTestFinished(() => caret.remove());
    return caret;
  });
  const names = (): string[] => carets.map((caret) => caret.querySelector("div")?.textContent ?? "").toSorted();
  bob.setLocalStateField("user", { id: "bob", name: "Robert", color: "#112233" });
  expect(names()).toEqual(["Bob", "Robert"]);
  bob.setLocalState(null);
  bob.setLocalState({ user: { id: "bob", name: "Bobby", color: "#112233" } });
  expect(names()).toEqual(["Bob", "Bobby"]);
});

it("[EDIT-5] listeners hear of Bob as if he had moved, and he hears nothing", () => {
  const { alice, bob } = aliceAndBob();
  const [changes, sent]: [unknown[], unknown[]] = [[], []];
  alice.on("change", (change: unknown) => changes.push(change));
  alice.on("update", () => sent.push(null));
  nudge(alice);
  expect(changes).toEqual([{ added: [], updated: [bob.clientID], removed: [] }]);
  expect(sent).toEqual([]);
});

it("[EDIT-6] two people of one colour have different colour texts, and a new name changes one; the states stay as they were", () => {
  const { alice, bob } = aliceAndBob();
  const distinct = distinctCarets(alice);
  const colorOfBob = (): unknown => distinct.getStates().get(bob.clientID)?.["user"]?.color;
  const before = colorOfBob();
  expect(before).toMatch(/^#112233\/\*[\d ]+\*\/$/);
  expect(distinct.getStates().get(alice.clientID)?.["user"]?.color).not.toBe(before);
  bob.setLocalStateField("user", { id: "bob", name: '*/"><b>', color: "#112233" });
  expect(colorOfBob()).not.toBe(before);
  expect(colorOfBob()).toMatch(/^#112233\/\*[\d ]+\*\/$/);
  // it is the same awareness
  distinct.setLocalStateField("cursor", 5);
  expect(bob.getStates().get(alice.clientID)).toMatchObject({ cursor: 5, user: { color: "#112233" } });
  expect(distinct.clientID).toBe(alice.clientID);
});

it("[EDIT-10] a style sheet has rules for Bob, whatever he calls himself, until it is taken away", () => {
  const { alice, bob } = aliceAndBob();
  const undo = caretStyles(
    alice,
    (clientId, { color, cssName }) => `.caret-${clientId} { color: ${color}; content: ${cssName} }`,
  );
  onTestFinished(undo);
  const sheet = (): string => document.querySelector("style")?.textContent ?? "";
  expect(sheet()).toBe(`.caret-${bob.clientID} { color: #112233; content: "Bob" }`);
  bob.setLocalStateField("user", { id: "bob", name: 'B"; } *{}', color: "red; } * { display: none" });
  expect(sheet()).toBe(
    `.caret-${bob.clientID} { color: currentColor; content: "B\\22 \\3b \\20 \\7d \\20 \\2a \\7b \\7d " }`,
  );
  bob.setLocalState(null);
  expect(sheet()).toBe("");
  undo();
  expect(document.querySelector("style")).toBeNull();
});
