// @ts-check
/**
 * Calls the HTTP API so many times a second: `node api-caller.js <origin> <key> <rate> room|batch <room>`. Asked by its parent,
 * it says how many answers it has had, and how long they took.
 */
import { Agent, request } from "node:http";

const [origin = "", key = "", rate = "", what = "", room = ""] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 32 });
const authorization = `Bearer ${key}`;
const rooms = [room, ...Array.from({ length: 99 }, (_, i) => `${room}-${i}`)];
const batch = JSON.stringify({ rooms });
/** @type {number[]} */
let times = [];
let failures = 0;

function call() {
  const startedAt = performance.now();
  const [method, path] = what === "batch" ? ["POST", "/rooms:batch"] : ["GET", `/rooms/${room}`];
  const headers = { authorization, ...(method === "POST" && { "content-type": "application/json" }) };
  const asked = request(`${origin}/api/v1${path}`, { method, agent, headers }, (response) => {
    response.resume().on("end", () => {
      times.push(performance.now() - startedAt);
      if (response.statusCode !== 200) failures++;
    });
  });
  asked.on("error", () => failures++);
  asked.end(method === "POST" ? batch : undefined);
}

const startedAt = performance.now();
let called = 0;
setInterval(() => {
  const due = ((performance.now() - startedAt) / 1_000) * Number(rate);
  for (; called < due; called++) call();
}, 1);

process.on("message", () => {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ share) => Math.round((sorted[Math.floor(share * sorted.length)] ?? 0) * 10) / 10;
  process.send?.({ answers: sorted.length, failures, p50: at(0.5), p99: at(0.99) });
  [times, failures] = [[], 0];
});
