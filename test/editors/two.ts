/** Two clients of one awareness, without a server between them. */
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from "y-protocols/awareness";
import * as Y from "yjs";
import { onTestFinished } from "vitest";

/** Alice and Bob, who hear of each other at once. */
export function aliceAndBob(): { readonly alice: Awareness; readonly bob: Awareness } {
  const [alice, bob] = [new Awareness(new Y.Doc()), new Awareness(new Y.Doc())];
  const pass = (from: Awareness, to: Awareness): void => {
    from.on("update", ({ added, updated, removed }: Record<string, number[]>, origin: unknown) => {
      if (origin === "passed") return;
      const ids = [added, updated, removed].flatMap((each) => each ?? []);
      applyAwarenessUpdate(to, encodeAwarenessUpdate(from, ids), "passed");
    });
  };
  pass(alice, bob);
  pass(bob, alice);
  alice.setLocalStateField("user", { id: "alice", name: "Alice", color: "#112233" });
  bob.setLocalStateField("user", { id: "bob", name: "Bob", color: "#112233" });
  onTestFinished(() => {
    alice.doc.destroy();
    bob.doc.destroy();
  });
  return { alice, bob };
}
