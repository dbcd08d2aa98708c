// @ts-check
/**
 * What a request to the HTTP API costs the relay: µs of the processors, user and system, in a room of 100 people of whom none moves.
 *
 *   npm run build && node scripts/figures/api-cost.js [requests of each kind, 10000] [folder for a profile of the relay's CPU]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";

const count = Number(process.argv[2] ?? 10_000);
const profile = process.argv[3];
const KEY = "a-key-for-the-figures";
const TICKS_PER_S = 100;
const CONNECTIONS = 8;
const PEOPLE = 100;

const profiled = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
const command = ["dist/cli.js", "--port", "0", "--api-key", KEY, "--api-rate", "0"];
const relay = spawn(process.execPath, [...profiled, ...command], { stdio: ["ignore", "pipe", "inherit"] });
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const port = await listening();

/** @typedef {{ method?: string, path: string, body?: unknown, headers?: Record<string, string> }} Asked */

async function listening() {
  for await (const line of createInterface({ input: relay.stdout })) {
    const found = /ws:\/\/[^:]+:(\d+)/.exec(line)?.[1];
    if (found !== undefined) return Number(found);
  }
  throw new Error("the relay does not listen");
}

/** @param {Asked} asked */
async function ask({ method = "GET", path, body, headers = {} }) {
  const authorization = `Bearer ${KEY}`;
  const sent = request({
    agent,
    port,
    method,
    path: `/api/v1${path}`,
    headers: { authorization, ...(body !== undefined && { "content-type": "application/json" }), ...headers },
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(sent, "response");
  response.resume();
  await once(response, "end");
  return response;
}

/** What the relay has used of the processors, µs. */
function cpu() {
  const [user = 0, system = 0] = readFileSync(`/proc/${relay.pid}/stat`, "utf8").split(" ").slice(13, 15).map(Number);
  return ((user + system) / TICKS_PER_S) * 1e6;
}

/** @param {number} times @param {Asked} asked */
async function repeat(times, asked) {
  let left = times;
  const askAll = async () => {
    while (left-- > 0) {
      const { statusCode } = await ask(asked);
      if (statusCode >= 400) throw new Error(`${asked.path}: ${statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, askAll));
}

/** The tag of the room, once nothing of those who came is still to be told. */
async function settledTag() {
  for (let last = ""; ;) {
    const { headers } = await ask({ path: "/rooms/room-0" });
    if (headers.etag === last) return last;
    last = headers.etag;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

for (let i = 0; i < PEOPLE; i++) {
  const body = { user: { id: `u${i}`, name: `User ${i}` }, ttlMs: 3_600_000, meta: { page: "plans" } };
  await ask({ method: "PUT", path: `/rooms/room-0/members/s${i}`, body });
  await ask({ method: "PUT", path: `/rooms/small-${i}/members/t${i}`, body });
}
const etag = await settledTag();
/** @type {Record<string, Asked>} */
const kinds = {
  "a room of 100 people": { path: "/rooms/room-0" },
  "the same, that the caller has": { path: "/rooms/room-0", headers: { "if-none-match": etag } },
  "the same, its counts": { path: "/rooms/room-0?people=false" },
  "a user": { path: "/users/u1" },
  "the counts of 100 rooms": {
    method: "POST",
    path: "/rooms:batch",
    body: { rooms: Array.from({ length: PEOPLE }, (_, i) => `small-${i}`) },
  },
};
for (const [name, asked] of Object.entries(kinds)) {
  await repeat(count / 5, asked);
  const before = cpu();
  await repeat(count, asked);
  console.log(`${name}: ${Math.round((cpu() - before) / count)} µs a request`);
}
agent.destroy();
relay.kill();
await once(relay, "exit");
