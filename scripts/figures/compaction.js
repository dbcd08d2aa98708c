// How long the relay's thread is kept by nothing else while a large document is compacted, with a store in a folder.
//
//   npm run build && node --expose-gc scripts/figures/compaction.js [bytes of the document, 10000000]
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import * as Y from "yjs";
import { Compaction } from "../../dist/relay/documents/stored/compaction.js";
import { StoreHealth } from "../../dist/relay/documents/stored/health.js";
import { openStore } from "../../dist/relay/index.js";

const bytes = Number(process.argv[2] ?? 10_000_000);
const folder = mkdtempSync(join(tmpdir(), "copresence-compaction-"));
const opened = await openStore(`file:${folder}`);
if (opened === null) throw new Error("no store");
const store = opened;

const never = new AbortController().signal;
await write();

/** Stores a document with a snapshot, and as many keystrokes as its log may have. */
async function write() {
  const doc = new Y.Doc();
  const text = doc.getText("t");
  for (let i = 0; text.length < bytes; i++) {
    // lines in several places, so that Yjs cannot join them
    const line = `Line ${i}, as somebody writes it, with some words in it.\n`;
    text.insert(i % 2 === 0 ? text.length : Math.max(0, text.length - 5_000), line);
  }
  await store.append("doc", [Y.encodeStateAsUpdate(doc)]);
  const whole = await store.load("doc", never);
  if (whole !== null) await store.compact("doc", whole.updates[0] ?? new Uint8Array(), whole.position);
  // and as many keystrokes as a log may have
  /** @type {Uint8Array[]} */
  const typed = [];
  doc.on("update", (update) => typed.push(update));
  for (let i = 0; i < 5_000; i++) text.insert(1_000 + i, "x");
  for (let at = 0; at < typed.length; at += 10) await store.append("doc", typed.slice(at, at + 10));
}

// what was made to write it is to be no burden while it is measured
globalThis.gc?.();
const stored = await store.load("doc", never);

/** What the relay's own thread has taken of the processor so far, ms: on a busy machine the clock says little. Linux alone tells. */
const used = () => Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;

let [longest, longestUsed] = [0, 0];
let [last, lastUsed] = [performance.now(), used()];
const watch = setInterval(() => {
  const [now, nowUsed] = [performance.now(), used()];
  longest = Math.max(longest, now - last - 1);
  longestUsed = Math.max(longestUsed, nowUsed - lastUsed);
  [last, lastUsed] = [now, nowUsed];
}, 1);
const clock = { now: () => performance.now(), wall: () => Date.now() };
const health = new StoreHealth(clock, (message) => console.error(message));
const compaction = new Compaction(store, false, (message, cause) => console.error(message, cause), health);
const startedAt = performance.now();
last = startedAt;
compaction.loaded("doc", stored);
while (compaction.counts.compactions === 0) await new Promise((resolve) => setTimeout(resolve, 5));
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(2);
clearInterval(watch);
const { snapshotBytes } = compaction.counts;
console.log(
  `a snapshot of ${bytes} bytes and a log of 5000 updates became one of ${snapshotBytes} bytes in ${seconds} s; ` +
    `nothing else waited longer than ${longest.toFixed(1)} ms, ${longestUsed.toFixed(1)} of the processor`,
);
await compaction.close();
await store.close?.();
rmSync(folder, { recursive: true, force: true });
