// What the inspector costs: 1,000 connections, and a page of the inspector that is open for a while, and then closed. Prints which
// part of a core the relay takes meanwhile, by its own count of processor time: with a page that shows people, and one that shows
// sockets, above what the relay takes without any.
//
//   npm run build && node scripts/figures/inspect-cost.js [connections, default 1000] [seconds, default 20]
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { createPresence } from "../../dist/client/index.js";

const [connections = 1_000, seconds = 20] = process.argv.slice(2).map(Number);
const KEY = "a-key-for-measuring";
const REFRESH_MS = 2_000;
/** A tick of the processor's time, as Linux counts it, ms. */
const TICK_MS = 10;
// while a thousand clients are made, some say that nobody answers yet
console.warn = () => {};

const relay = spawn(process.execPath, ["dist/cli.js", "--port", "0", "--api-key", KEY], {
  stdio: ["ignore", "pipe", "ignore"],
});
/** @type {string} */
const url = await new Promise((resolve) => {
  relay.stdout.on("data", (chunk) => {
    const found = /ws:\/\/\S+/.exec(String(chunk))?.[0];
    if (found !== undefined) resolve(found);
  });
});
// as a browser does
const agent = new Agent({ keepAlive: true });

/**
 * @param {string} path
 * @param {Record<string, string>} [headers]
 * @returns {Promise<import("node:http").IncomingMessage>}
 */
const ask = (path, headers = {}) =>
  new Promise((resolve, reject) => {
    const asked = request(`${url.replace("ws", "http")}/api/v1${path}`, {
      agent,
      headers: { ...headers, authorization: `Bearer ${KEY}` },
    });
    asked.on("response", resolve).on("error", reject).end();
  });

/** @type {Map<string, string>} */
const tags = new Map();
let [answers, unchanged, bytes] = [0, 0, 0];

/** As the page does: it says what it has already. @param {string} path */
async function get(path) {
  const tag = tags.get(path);
  const answer = await ask(path, tag === undefined ? {} : { "if-none-match": tag });
  tags.set(path, String(answer.headers.etag));
  answers++;
  if (answer.statusCode === 304) unchanged++;
  let text = "";
  for await (const chunk of answer) {
    bytes += chunk.length;
    text += chunk;
  }
  return text;
}

/** The relay's processor time so far, ms. */
function spent() {
  const fields = readFileSync(`/proc/${relay.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** @param {string} what  @returns {Promise<number>} % of a core */
async function measure(what) {
  [answers, unchanged, bytes] = [0, 0, 0];
  const [before, startedAt] = [spent(), performance.now()];
  await pause(seconds * 1_000);
  const part = ((spent() - before) / (performance.now() - startedAt)) * 100;
  const asked =
    answers === 0 ? "" : `, ${answers} answers, ${unchanged} of them unchanged, ${Math.round(bytes / 1024)} KiB`;
  console.log(`${what}: ${part.toFixed(2)} % of a core${asked}`);
  return part;
}

/** A page that is open until it is closed. @param {readonly string[]} paths */
function open(paths) {
  const abort = new AbortController();
  const live = async () => {
    const events = await ask("/events");
    abort.signal.addEventListener("abort", () => events.destroy());
    events.on("error", () => {}).resume();
    while (!abort.signal.aborted) {
      await Promise.all(paths.map(get));
      await pause(REFRESH_MS);
    }
  };
  const ended = live();
  return () => {
    abort.abort();
    return ended;
  };
}

const clients = Array.from({ length: connections }, (_, at) => {
  const presence = createPresence(url, { user: { id: `user-${at}` }, WebSocket, observeLobby: false });
  presence.join(`room-${at % 100}`);
  return presence;
});
for (;;) {
  const { relay: numbers } = JSON.parse(await get("/inspect"));
  if (numbers.users === connections) break;
  await pause(500);
}
// until nothing is left of the start, and of having been asked
await pause(70_000);
const without = [await measure("closed")];
const people = open(["/inspect?list=none", "/users?limit=500", "/inspect/users/user-7"]);
await pause(3_000);
const open1 = await measure("open, with people and one of them");
await people();
const sockets = open(["/inspect?list=sockets", "/inspect/users/user-7"]);
await pause(3_000);
const open2 = await measure("open, with sockets");
await sockets();
await pause(1_000);
without.push(await measure("closed again"));
const idle = without.reduce((sum, part) => sum + part, 0) / without.length;
console.log(
  `the page costs ${(open1 - idle).toFixed(2)} % of a core with people, ${(open2 - idle).toFixed(2)} % with sockets`,
);
for (const presence of clients) presence.destroy();
relay.kill();
agent.destroy();
