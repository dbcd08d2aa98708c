import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import * as Y from "yjs";
import { createPresence } from "../../../src/client/index.ts";
import { createRelay } from "../../../src/relay/index.ts";
import { until } from "../../support.ts";

async function start(documentGc: boolean) {
  const relay = createRelay({ documentGc });
  const { url } = await relay.listen(0);
  onTestFinished(() => relay.close());
  const join = (id: string, gc: boolean) => {
    const presence = createPresence(url, { user: { id }, WebSocket });
    onTestFinished(() => presence.destroy());
    const doc = new Y.Doc({ gc });
    const { provider } = presence.join("doc", { doc });
    return { doc, provider };
  };
  return { join };
}

it.each([
  [true, false],
  [false, true],
])(
  "[DOC-11] Bob, who comes later, goes back to what Alice deleted (documentGc %s, her own gc %s)",
  async (documentGc, gc) => {
    const { join } = await start(documentGc);
    const alice = join("alice", gc);
    await until("Alice is synced", () => alice.provider.synced);
    const text = alice.doc.getText("t");
    text.insert(0, "first version");
    const snapshot = Y.snapshot(alice.doc);
    text.delete(0, 13);
    text.insert(0, "second");
    const bob = join("bob", false);
    await until("Bob has the document", () => bob.doc.getText("t").toString() === "second");
    expect(Y.createDocFromSnapshot(bob.doc, snapshot).getText("t").toString()).toBe("first version");
  },
);
