/** The document of a room, and what somebody may do to it. */
import * as Y from "yjs";
import { type Check, broken, inWords, judged, kept } from "../check.ts";
import type { Scene } from "../scene.ts";

const SETTLE_MS = 700;

/** Whether two who write go on to read each other, and somebody who comes later reads both. */
async function goesOn(scene: Scene, alice: Awaited<ReturnType<Scene["meet"]>>["alice"], bob: typeof alice) {
  const noticed: string[] = [];
  if (alice.ended !== null || bob.ended !== null) return ["others are disconnected"];
  alice.write("<alice>");
  bob.write("<bob>");
  const isOne = (): boolean =>
    alice.text === bob.text && alice.text.includes("<bob>") && alice.text.includes("<alice>");
  if ((await scene.until(isOne, 2_000)) === null) noticed.push("people do not read each other any more");
  const carol = await scene.enter("Carol");
  if ((await scene.until(() => carol.text === alice.text, 2_000)) === null) {
    noticed.push("who come later do not get the document");
  }
  return noticed;
}

/** Updates that no Yjs writes. */
const poisoned: readonly (readonly [string, () => Uint8Array])[] = [
  ["random bytes", () => Uint8Array.from({ length: 64 }, (_, i) => (i * 37 + 11) % 256)],
  ["an update that ends in the midst", () => updateOf("a text that is cut off").slice(0, -9)],
  // one client, one struct, clock 0: an item of a reference that is not known
  ["a kind of content that there is not", () => Uint8Array.of(1, 1, 1, 0, 31, 1, 1, 116, 0)],
  // a deletion of nothing
  ["a deletion of length 0", () => Uint8Array.of(0, 1, 1, 1, 0, 0)],
];

function updateOf(text: string): Uint8Array {
  const doc = new Y.Doc();
  doc.getText("t").insert(0, text);
  const update = Y.encodeStateAsUpdate(doc);
  doc.destroy();
  return update;
}

export const documents: readonly Check[] = [
  {
    rule: "ROOM-3",
    title: "the document of a room that everybody has left is there for the next one",
    abuse: null,
    seconds: 12,
    async run(scene) {
      const { alice, bob } = await scene.meet();
      alice.write("kept");
      await scene.until(() => bob.text === "kept", SETTLE_MS);
      alice.close();
      bob.close();
      await scene.pause(1_000);
      const carol = await scene.enter("Carol");
      const ms = await scene.until(() => carol.text === "kept", 3_000);
      if (ms === null)
        return broken("what was written is lost once the last person has left, unless a client still has it");
      return kept({ "read after, ms": ms });
    },
  },
  {
    rule: "ROOM-6",
    title: "who write are not sent back what they wrote",
    abuse: null,
    seconds: 10,
    async run(scene) {
      const { alice, bob } = await scene.meet();
      await scene.pause(SETTLE_MS);
      const before = alice.updates;
      for (let i = 0; i < 10; i++) {
        alice.write("x");
        await scene.pause(30);
      }
      await scene.until(() => bob.text.length === 10, 2_000);
      await scene.pause(200);
      const back = alice.updates - before;
      const figures = { "sent back of 10 updates": back };
      return back === 0 ? kept(figures) : broken("everything that somebody writes is sent twice", figures);
    },
  },
  {
    rule: "DOC-3",
    title: "an update that comes before what it builds on waits for it, and then all have both",
    abuse: null,
    seconds: 12,
    async run(scene) {
      const { alice, bob } = await scene.meet();
      const doc = new Y.Doc();
      const updates: Uint8Array[] = [];
      doc.on("update", (update: Uint8Array) => updates.push(update));
      doc.getText("t").insert(0, "one ");
      doc.getText("t").insert(4, "two");
      doc.destroy();
      const [first = new Uint8Array(), second = new Uint8Array()] = updates;
      alice.sendUpdate(second);
      await scene.pause(200);
      const tooSoon = bob.text;
      alice.sendUpdate(first);
      const ms = await scene.until(() => bob.text === "one two", 3_000);
      if (tooSoon !== "") return broken("others get a text of which the beginning is missing");
      if (ms === null) return broken("what arrives in another order is lost");
      return kept({ "whole after, ms": ms });
    },
  },
  ...poisoned.map(([what, make]): Check => ({
    rule: "DOC-1",
    title: `an update that is none (${what}) closes its author, for good, and nobody else notices`,
    abuse: "may leave a document that can no longer be read, in a room of its own",
    seconds: 15,
    async run(scene) {
      const { alice, bob } = await scene.meet();
      const mallory = await scene.enter("Mallory", { state: null });
      await scene.pause(200);
      mallory.sendUpdate(make());
      const endMs = await scene.until(() => mallory.ended !== null, 2_000);
      const code = mallory.ended?.code ?? 0;
      const noticed = await goesOn(scene, alice, bob);
      if (endMs === null) noticed.push("the author is not told, and goes on writing what nobody gets");
      else if (code < 4400 || code > 4499) noticed.push(`the author is closed with ${code}, and tries again for ever`);
      return judged(noticed, { "closed after, ms": endMs ?? Infinity });
    },
  })),
  {
    rule: "DOC-4",
    title: "what builds on things that never come is bounded, and costs others nothing",
    abuse: "may keep the server busy for seconds",
    seconds: 25,
    async run(scene) {
      const { alice, bob } = await scene.meet();
      const mallory = await scene.enter("Mallory", { state: null });
      await scene.pause(200);
      const doc = new Y.Doc();
      let first = true;
      doc.on("update", (update: Uint8Array) => {
        // the first one never comes, and all others wait for it
        if (first) first = false;
        else mallory.sendUpdate(update);
      });
      for (let i = 0; i < 3_000; i++) doc.getMap("m").set(`key ${i}`, i);
      doc.destroy();
      const startedAt = performance.now();
      alice.set("cursor", "moved");
      const ms = await scene.until(() => bob.sees(alice.id, "cursor", "moved"), 15_000);
      const figures = { "a cursor takes, ms": ms ?? performance.now() - startedAt };
      const noticed = await goesOn(scene, alice, bob);
      if (ms === null || ms > 1_000) noticed.push(`everybody's cursors stand still for ${inWords(ms ?? 15_000)}`);
      return judged(noticed, figures);
    },
  },
];
