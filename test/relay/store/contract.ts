/** What every store of documents has to do, whatever keeps them. */
import { expect, it } from "vitest";
import * as Y from "yjs";
import type { DocumentStore, StoredDocument } from "../../../src/relay/ports/document-store.ts";

const never = (): AbortSignal => new AbortController().signal;

/** A writer of one text, and the updates of each word. */
function writer(): { readonly doc: Y.Doc; readonly write: (word: string) => Uint8Array } {
  const doc = new Y.Doc();
  let last = new Uint8Array();
  doc.on("update", (update) => (last = update as Uint8Array<ArrayBuffer>));
  const write = (word: string): Uint8Array => {
    doc.getText("t").insert(doc.getText("t").length, word);
    return last;
  };
  return { doc, write };
}

function wholeOf({ snapshot, updates }: StoredDocument): Uint8Array {
  return Y.mergeUpdates(snapshot === null ? [...updates] : [snapshot, ...updates]);
}

function textOf(stored: StoredDocument | null): string {
  const doc = new Y.Doc();
  if (stored !== null) Y.applyUpdate(doc, wholeOf(stored));
  return doc.getText("t").toJSON();
}

/** @param open makes an empty store; the contract closes none */
export function documentStoreContract(open: () => Promise<DocumentStore>): void {
  it("has nothing of a room that nobody wrote in", async () => {
    const store = await open();
    expect(await store.load("doc", never())).toBeNull();
  });

  it("gives back what was appended, in order, and each room its own", async () => {
    const store = await open();
    const [alice, bob] = [writer(), writer()];
    const said = ["one ", "two ", "three"].map((word) => alice.write(word));
    await store.append("doc", said.slice(0, 2));
    await store.append("doc", said.slice(2));
    await store.append("a/b %20 ü", [bob.write("elsewhere")]);
    const stored = await store.load("doc", never());
    expect(stored?.updates).toEqual(said);
    expect(textOf(stored)).toBe("one two three");
    expect(textOf(await store.load("a/b %20 ü", never()))).toBe("elsewhere");
  });

  it("keeps a copy: the caller may use its bytes again", async () => {
    const store = await open();
    const alice = writer();
    const update = alice.write("kept").slice();
    await store.append("doc", [update]);
    update.fill(0);
    expect(textOf(await store.load("doc", never()))).toBe("kept");
  });

  it("a snapshot stands for all up to its position, and what came later stays", async () => {
    const store = await open();
    const alice = writer();
    await store.append("doc", [alice.write("one "), alice.write("two ")]);
    const before = await store.load("doc", never());
    await store.append("doc", [alice.write("three")]);
    expect(await store.compact("doc", wholeOf(before!), before!.position)).toBe(true);
    const after = await store.load("doc", never());
    expect(after?.snapshot).toEqual(wholeOf(before!));
    expect(after?.updates).toHaveLength(1);
    expect(textOf(after)).toBe("one two three");
  });

  it("of two compactions of the same, the second changes nothing", async () => {
    const store = await open();
    const alice = writer();
    await store.append("doc", [alice.write("one ")]);
    const seen = (await store.load("doc", never()))!;
    await store.append("doc", [alice.write("two ")]);
    const later = (await store.load("doc", never()))!;
    expect(await store.compact("doc", wholeOf(later), later.position)).toBe(true);
    expect(await store.compact("doc", wholeOf(seen), seen.position)).toBe(false);
    expect(textOf(await store.load("doc", never()))).toBe("one two ");
  });

  it("loses nothing of many writers while several compact", async () => {
    const store = await open();
    const writers = Array.from({ length: 4 }, writer);
    const writing = { isOver: false };
    const compact = async (): Promise<number> => {
      let count = 0;
      while (!writing.isOver) {
        const stored = await store.load("doc", never());
        if (stored !== null && stored.updates.length > 8) {
          if (await store.compact("doc", wholeOf(stored), stored.position)) count++;
        }
        await new Promise((resolve) => void setImmediate(resolve));
      }
      return count;
    };
    const compactors = [compact(), compact(), compact()];
    await Promise.all(
      writers.map(async ({ write }) => {
        for (let i = 0; i < 400; i++) {
          await store.append("doc", [write(".")]);
          if (i % 10 === 0) await new Promise((resolve) => void setImmediate(resolve));
        }
      }),
    );
    writing.isOver = true;
    const counts = await Promise.all(compactors);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
    expect(textOf(await store.load("doc", never()))).toHaveLength(1_600);
  });

  it("does not load for one who wants it no longer", async () => {
    const store = await open();
    await store.append("doc", [writer().write("one")]);
    const controller = new AbortController();
    controller.abort(new Error("left"));
    await expect(store.load("doc", controller.signal)).rejects.toThrow("left");
  });
}
