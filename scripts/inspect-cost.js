// What the inspector costs: 1,000 connections, and a page of the inspector that is open for a while, and then closed. Prints which
// part of a core the relay takes meanwhile, by its own count of processor time.
//
//   npm run build && node scripts/inspect-cost.js [connections, default 1000] [seconds, default 20]
import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import { createPresence } from "../dist/client/index.js";

const [connections = 1_000, seconds = 20] = process.argv.slice(2).map(Number);
const KEY = "a-key-for-measuring";
const REFRESH_MS = 2_000;
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
const http = url.replace("ws", "http");

/** @param {string} path */
const get = (path, signal = AbortSignal.timeout(30_000)) =>
  fetch(`${http}/api/v1${path}`, { signal, headers: { authorization: `Bearer ${KEY}`, connection: "close" } });

/** The relay's processor time so far, seconds. */
async function spent() {
  const text = await (await fetch(`${http}/metrics`, { headers: { connection: "close" } })).text();
  const [, value] = /^process_cpu_seconds_total (\S+)/m.exec(text) ?? [];
  return Number(value);
}

/** @param {string} what */
async function measure(what) {
  const [before, startedAt] = [await spent(), performance.now()];
  await pause(seconds * 1_000);
  const part = (await spent()) - before;
  console.log(`${what}: ${((part / (performance.now() - startedAt)) * 100_000).toFixed(2)} % of a core`);
}

const clients = Array.from({ length: connections }, (_, at) => {
  const presence = createPresence(url, { user: { id: `user-${at}` }, WebSocket, observeLobby: false });
  presence.join(`room-${at % 100}`);
  return presence;
});
for (;;) {
  const { relay: numbers } = await (await get("/inspect")).json();
  if (numbers.users === connections) break;
  await pause(200);
}
await pause(5_000);
await measure("closed");
const abort = new AbortController();
// what the page does
const open = async () => {
  const events = await get("/events", abort.signal);
  void events.text().catch(() => {});
  while (!abort.signal.aborted) {
    await Promise.all(["/inspect", "/users?limit=500"].map((path) => get(path).then((answer) => answer.arrayBuffer())));
    await get("/inspect/users/user-7").then((answer) => answer.arrayBuffer());
    await pause(REFRESH_MS);
  }
};
const page = open();
await pause(1_000);
await measure("open");
abort.abort();
await page;
await pause(1_000);
await measure("closed again");
for (const presence of clients) presence.destroy();
relay.kill();
