/** Long documents, over lines of any speed. */
import { expect, it } from "vitest";
import * as Y from "yjs";
import { EMPTY_STATE_VECTOR, syncStep1Frame } from "../../../src/wire/index.ts";
import { tcpProxy } from "../../proxy.ts";
import { ownClient, startRelay, stockClient, until } from "../../support.ts";
import { type RawPeer, rawPeer } from "../raw.ts";

const MAX_MESSAGE = 256 * 1024;

/** The messages of a document that somebody was sent: what they are, and how long. */
function partsFor(peer: RawPeer): { readonly type: string; readonly bytes: number }[] {
  return peer.frames.flatMap((frame, i) => {
    if (frame.type !== "syncStep2" && frame.type !== "update") return [];
    return [{ type: frame.type, bytes: peer.received[i]!.length }];
  });
}

/** A document of some MiB, by two people: typed in lines, and pasted in one go. */
function long(bytes: number): Y.Doc {
  const [doc, other] = [new Y.Doc(), new Y.Doc()];
  const line = "A line of the document, as somebody types it.\n";
  for (let i = 0; i < bytes / 4 / line.length; i++) doc.getText("t").insert(doc.getText("t").length, line);
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc));
  other.getText("t").insert(100, "pasted ".repeat(bytes / 2 / 7));
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(other));
  doc.getArray("a").push(Array.from({ length: bytes / 4 / 10 }, (_, i) => i));
  return doc;
}

const sizeOf = (doc: Y.Doc): number => Y.encodeStateAsUpdate(doc).length;

it("[STORE-9] [STORE-10] a long document comes in short messages, of which the answer proper is the last", async () => {
  const { relay, url } = await startRelay();
  const written = long(3 * 2 ** 20);
  const alice = stockClient(url, "doc", { doc: written });
  await until("the relay has it", () => alice.synced && relay.room("doc")?.hasDocument === true);
  const ask = async (): Promise<void> => {
    const peer = await rawPeer(url, "doc");
    peer.send(syncStep1Frame(EMPTY_STATE_VECTOR));
    await until("the answer is there", () => peer.frames.some(({ type }) => type === "syncStep2"), 20_000);
    const parts = partsFor(peer);
    expect(parts.length).toBeGreaterThan(8);
    expect(parts.map(({ type }) => type).lastIndexOf("update")).toBe(parts.length - 2);
    expect(parts.at(-1)?.type).toBe("syncStep2");
    for (const { bytes } of parts) expect(bytes).toBeLessThanOrEqual(MAX_MESSAGE);
    expect(peer.doc.getText("t").toJSON()).toBe(written.getText("t").toJSON());
    expect(peer.doc.getArray("a").length).toBe(written.getArray("a").length);
    peer.socket.terminate();
  };
  await ask();
  // and so does one that is written meanwhile: what was written since comes behind what was sent before
  for (let i = 0; i < 3; i++) {
    written.getText("t").insert(50_000, `change ${i}, `);
    written.getText("t").delete(1_000, 3);
    const carol = stockClient(url, "doc");
    await until("she has the change", () => carol.synced, 20_000);
    expect(carol.doc.getText("t").toJSON()).toBe(written.getText("t").toJSON());
    carol.destroy();
    await ask();
  }
  // nobody is in the room: it is sent from its encoding
  alice.destroy();
  await ask();
});

it("[STORE-9] what somebody pastes reaches others in short messages", async () => {
  const { url } = await startRelay();
  const alice = stockClient(url, "doc");
  const peer = await rawPeer(url, "doc");
  peer.send(syncStep1Frame(EMPTY_STATE_VECTOR));
  await until("both are in sync", () => alice.synced && peer.frames.some(({ type }) => type === "syncStep2"));
  alice.doc.getText("t").insert(0, "pasted ".repeat(100_000));
  await until("it has arrived", () => peer.doc.getText("t").length === 700_000, 20_000);
  const parts = partsFor(peer).filter(({ type }) => type === "update");
  expect(parts.length).toBeGreaterThan(2);
  for (const { bytes } of parts) expect(bytes).toBeLessThanOrEqual(MAX_MESSAGE);
});

it("[STORE-10] over a slow line nobody is in sync with a part of the document", async () => {
  const { relay, url, port } = await startRelay();
  const written = long(2 ** 20);
  const alice = stockClient(url, "doc", { doc: written });
  await until("the relay has it", () => alice.synced && relay.room("doc")?.hasDocument === true);
  const line = await tcpProxy(port);
  line.slow(600_000);
  const bob = stockClient(line.url, "doc");
  const carol = ownClient(line.url, "carol").join("doc");
  const seen: number[] = [];
  let connects = 0;
  bob.on("status", ({ status }) => void (status === "connected" && connects++));
  // as editors do that have a content to begin with: [STORE-1]
  bob.on("sync", () => seen.push(bob.doc.getText("t").length, bob.doc.getArray("a").length));
  carol.provider.on("sync", () => seen.push(carol.doc.getText("t").length, carol.doc.getArray("a").length));
  let updates = 0;
  bob.doc.on("update", () => updates++);
  await until("both are in sync", () => bob.synced && carol.provider.synced, 25_000);
  const whole = [written.getText("t").length, written.getArray("a").length];
  expect(seen).toEqual([...whole, ...whole]);
  expect(updates).toBeGreaterThan(2);
  expect(connects).toBe(1);
  expect(sizeOf(bob.doc)).toBeGreaterThan(2 ** 19);
});
