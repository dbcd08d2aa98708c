// How long a stock client takes to be in sync with a long document over a slow line, and how often it connects.
//
//   npm run build && node scripts/figures/slow-line.js [bytes of the document, 2000000] [bytes a second, 48000]
import { createConnection, createServer } from "node:net";
import { performance } from "node:perf_hooks";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { createRelay } from "../../dist/relay/index.js";

const bytes = Number(process.argv[2] ?? 2_000_000);
const bytesPerSecond = Number(process.argv[3] ?? 48_000);
const CHUNK = 4_096;

/**
 * A line that carries no more than so many bytes a second each way, and holds little on the way.
 *
 * @param {number} port where it leads to
 * @returns {Promise<import("node:net").Server>}
 */
function slowLine(port) {
  const server = createServer((near) => {
    const far = createConnection({ port, host: "127.0.0.1" });
    join(near, far);
    join(far, near);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

/**
 * @param {import("node:net").Socket} from
 * @param {import("node:net").Socket} to
 */
function join(from, to) {
  void carry(from, to);
  from.on("error", () => {});
  from.on("close", () => to.destroy());
}

/**
 * @param {import("node:net").Socket} from
 * @param {import("node:net").Socket} to
 */
async function carry(from, to) {
  let due = performance.now();
  try {
    for await (const chunk of from) {
      for (let at = 0; at < chunk.length; at += CHUNK) {
        const part = chunk.subarray(at, at + CHUNK);
        due = Math.max(due, performance.now()) + (part.length / bytesPerSecond) * 1_000;
        await new Promise((resolve) => void setTimeout(resolve, Math.max(0, due - performance.now())));
        to.write(part);
      }
    }
  } catch {
    // it is over
  }
}

/**
 * @param {string} url
 * @param {Y.Doc} doc
 */
function client(url, doc) {
  return new WebsocketProvider(url, "doc", doc, {
    disableBc: true,
    WebSocketPolyfill: /** @type {typeof globalThis.WebSocket} */ (/** @type {unknown} */ (WebSocket)),
  });
}

/** @param {WebsocketProvider} provider */
function inSync(provider) {
  return new Promise((resolve) => {
    provider.once("sync", resolve);
  });
}

const relay = createRelay();
const { url, port } = await relay.listen(0, "127.0.0.1");
const written = new Y.Doc();
written.getText("t").insert(0, "A document that somebody pasted. ".repeat(bytes / 33));
const author = client(url, written);
await inSync(author);
const line = await slowLine(port);
const address = line.address();
const reader = client(`ws://127.0.0.1:${typeof address === "object" ? address?.port : ""}`, new Y.Doc());
let connects = 0;
reader.on("status", ({ status }) => void (status === "connected" && connects++));
const startedAt = performance.now();
const progress = setInterval(() => {
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  console.log(`${seconds} s: ${reader.doc.getText("t").length} characters, connected ${connects} times`);
}, 5_000);
await inSync(reader);
clearInterval(progress);
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
const isWhole = reader.doc.getText("t").length === written.getText("t").length;
console.log(`in sync after ${seconds} s, ${isWhole ? "whole" : "NOT WHOLE"}, connected ${connects} times`);
reader.destroy();
author.destroy();
line.close();
await relay.close();
process.exit(isWhole && connects === 1 ? 0 : 1);
