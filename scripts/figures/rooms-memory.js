// Whether the memory of a relay with a store is as before when many rooms were written and left, and whether all of them come
// back whole. Linux alone says what a process takes.
//
//   npm run build && node scripts/figures/rooms-memory.js [rooms, 20000] [bytes of each, 50000]
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import * as Y from "yjs";
import { EMPTY_STATE_VECTOR, decodeFrame, syncStep1Frame, updateFrame } from "../../dist/wire/index.js";

const rooms = Number(process.argv[2] ?? 20_000);
const bytes = Number(process.argv[3] ?? 50_000);
/** Rooms at a time. */
const AT_A_TIME = 20;
/** How much more than an empty relay it may take in the end. */
const MOST = 1.2;
/** How long it may take to give memory back, ms. */
const PATIENCE_MS = 120_000;

/** @param {number} ms */
const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** @param {string} folder */
async function startRelay(folder) {
  const child = spawn(process.execPath, ["dist/cli.js", "--port", "0", "--store", `file:${folder}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /ws:\S+/.exec(line)?.[0];
    if (url !== undefined) return { child, url };
  }
  throw new Error("the relay does not listen");
}

/** What a process takes of the memory, MB: of its own, and of files that it has mapped. @param {number | undefined} pid */
function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  /** @param {string} name */
  const read = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1_024;
  return { all: read("VmRSS"), own: read("RssAnon"), mapped: read("RssFile") };
}

/** @param {ReturnType<typeof memoryOf>} memory */
const shown = ({ all, own, mapped }) =>
  `${all.toFixed(0)} MB (${own.toFixed(0)} of its own, ${mapped.toFixed(0)} of files)`;

/** What is written in a room: it says nothing, and no two rooms have the same. @param {number} room */
function textOf(room) {
  let text = "";
  for (let i = 0; text.length < bytes; i++) text += createHash("sha512").update(`${room} ${i}`).digest("base64");
  return text.slice(0, bytes);
}

/** Does something in each room, some at a time. @param {(room: number) => Promise<void>} act */
async function inEach(act) {
  let next = 0;
  const work = async () => {
    while (next < rooms) await act(next++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
}

/** What a relay has of a room; what is given is written before. @param {string} url @param {number} room @param {Uint8Array} [update] */
async function visit(url, room, update) {
  const doc = new Y.Doc();
  const socket = new WebSocket(`${url}/room-${room}`);
  socket.binaryType = "nodebuffer";
  await new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("open", () => {
      if (update !== undefined) socket.send(updateFrame(update));
      socket.send(syncStep1Frame(EMPTY_STATE_VECTOR));
    });
    socket.on("message", (/** @type {Buffer} */ data) => {
      const frame = decodeFrame(new Uint8Array(data));
      if (frame.type !== "update" && frame.type !== "syncStep2") return;
      Y.applyUpdate(doc, frame.update);
      if (frame.type === "syncStep2") resolve(undefined);
    });
  });
  socket.close();
  await once(socket, "close");
  return doc.getText("t").toJSON();
}

/** @param {string} url @param {string} name */
async function metric(url, name) {
  const page = await (await fetch(`${url.replace("ws:", "http:")}/metrics`)).text();
  return Number(new RegExp(`^copresence_${name} (.*)$`, "m").exec(page)?.[1]);
}

const folder = mkdtempSync(join(tmpdir(), "copresence-rooms-"));
const relay = await startRelay(folder);
await pause(5_000);
const empty = memoryOf(relay.child.pid);
console.log(`an empty relay takes ${shown(empty)}`);

let highest = 0;
const watch = setInterval(() => (highest = Math.max(highest, memoryOf(relay.child.pid).all)), 500);
const startedAt = Date.now();
await inEach(async (room) => {
  const doc = new Y.Doc();
  doc.getText("t").insert(0, textOf(room));
  await visit(relay.url, room, Y.encodeStateAsUpdate(doc));
  if (room % 1_000 === 999) console.log(`${room + 1} rooms written, ${shown(memoryOf(relay.child.pid))}`);
});
while ((await metric(relay.url, "store_documents")) > 0) await pause(500);
console.log(
  `${rooms} rooms were written and left in ${Math.round((Date.now() - startedAt) / 1_000)} s, at most ${highest.toFixed(0)} MB`,
);
const leftAt = Date.now();
let after = memoryOf(relay.child.pid);
for (; after.all > empty.all * MOST && Date.now() - leftAt < PATIENCE_MS; after = memoryOf(relay.child.pid))
  await pause(1_000);
clearInterval(watch);
console.log(
  `${Math.round((Date.now() - leftAt) / 1_000)} s after the last document has left the memory, the relay takes ${shown(after)}: ` +
    `${(after.all / empty.all).toFixed(2)} times what it took empty`,
);

let wrong = 0;
await inEach(async (room) => {
  if ((await visit(relay.url, room)) !== textOf(room)) wrong++;
});
console.log(`${rooms - wrong} of ${rooms} rooms came back whole`);
relay.child.kill();
await once(relay.child, "exit");
rmSync(folder, { recursive: true, force: true });
process.exit(wrong === 0 && after.all <= empty.all * MOST ? 0 : 1);
