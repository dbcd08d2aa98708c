// Proves webhooks where all goes wrong: many people come and go through bad networks, the receiver refuses half of what it
// gets, is slow and for a while dead, and the relay is killed (-9) three times. In the end each user's `user.online` and
// `user.offline` alternate, none is missing, and `GET /events` told the same in the same order.
//
// At the end it waits until the receiver has taken everything, at most ten minutes (--drain).
//
//   npm run build && node scripts/webhooks/prove.js [--users 10000] [--seconds 60] [--drain 600] [--json]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { EventListener, differences } from "./events.js";
import { UnreliableReceiver } from "./receiver.js";
import { Visitor, pause } from "./visitors.js";

const { values } = parseArgs({
  options: {
    users: { type: "string", default: "10000" },
    seconds: { type: "string", default: "60" },
    drain: { type: "string", default: "600" },
    json: { type: "boolean", default: false },
  },
});
const users = Number(values.users);
const seconds = Number(values.seconds);
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const GRACE_MS = 1_000;
const RETURN_MS = 4_000;
const KILLS = 3;
const KEY = "a-key-for-this-alone";
/** What happens so shortly before a kill may be lost on one of the ways that it is told, ms. */
const LAST_MOMENT_MS = 2_000;

/** @param {string} line */
const say = (line) => void (values.json || console.error(line));

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** The relay as a process, killed and started again on the same port and folder. */
class KilledRelay {
  upSince = Infinity;
  peakMiB = 0;
  cpuMs = 0;
  /** When what it said may have been heard by some and not by others. @type {{ from: number, to: number }[]} */
  darkness = [];
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #child;

  /** @param {number} port @param {string} folder @param {string} webhook */
  constructor(port, folder, webhook) {
    const flags = {
      host: "127.0.0.1",
      port,
      store: `file:${folder}`,
      webhook,
      "leave-grace": GRACE_MS,
      "api-key": KEY,
    };
    const more = { "webhook-return": RETURN_MS, "webhook-events": "user.online,user.offline" };
    this.args = Object.entries({ ...flags, ...more }).map(([flag, value]) => `--${flag}=${value}`);
  }

  async start() {
    const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
    const env = { ...process.env, COPRESENCE_WEBHOOK_SECRET: SECRET };
    const child = spawn(process.execPath, [cli, ...this.args], { env, stdio: ["ignore", "pipe", "ignore"] });
    this.#child = child;
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`the relay ended with ${code} before it listened: is it built?`);
    });
    await Promise.race([once(child.stdout, "data"), ended]);
    this.upSince = Date.now();
    const [last] = this.darkness.slice(-1);
    if (last !== undefined) last.to = this.upSince;
  }

  /** @param {NodeJS.Signals} signal */
  async end(signal) {
    const child = this.#child;
    if (child === undefined) return;
    this.#measure(child.pid ?? 0);
    this.upSince = Infinity;
    const ended = once(child, "exit");
    const now = Date.now();
    this.darkness.push({ from: now - LAST_MOMENT_MS, to: now });
    child.kill(signal);
    await ended;
  }

  /** @param {number} pid */
  #measure(pid) {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    this.peakMiB = Math.max(this.peakMiB, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024);
    const times = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    this.cpuMs += (Number(times[11]) + Number(times[12])) * 10;
  }
}

/** @param {string} folder  @returns {number} MiB */
function sizeOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  // a file may be gone by now
  const bytes = files.map((file) => statSync(join(file.parentPath, file.name), { throwIfNoEntry: false })?.size ?? 0);
  return bytes.reduce((sum, size) => sum + size, 0) / 2 ** 20;
}

/** What is wrong with what the receiver heard. @param {Visitor[]} visitors @param {UnreliableReceiver} receiver */
function judge(visitors, receiver) {
  /** @type {Map<string, string[]>} */
  const stories = new Map(visitors.map(({ id }) => [id, []]));
  for (const { type, data } of receiver.taken) stories.get(data.userId)?.push(type);
  const problems = visitors.flatMap(({ id, leaves, losses, hasCome }) => {
    const story = stories.get(id) ?? [];
    const isAlternating = story.every((type, i) => type === (i % 2 === 0 ? "user.online" : "user.offline"));
    const pairs = story.length / 2;
    if (!isAlternating || story.length % 2 === 1) return [`${id}: ${story.join(" ")}`];
    if (pairs < leaves || (hasCome && pairs < 1))
      return [`${id}: told to leave ${pairs} times, and left ${leaves} times`];
    if (pairs > leaves + losses)
      return [`${id}: told to leave ${pairs} times, and left ${leaves + losses} times at most`];
    return [];
  });
  if (receiver.counts.unverified > 0) problems.push(`${receiver.counts.unverified} could not be verified`);
  return problems;
}

const folder = mkdtempSync(join(tmpdir(), "copresence-webhooks-"));
const receiver = new UnreliableReceiver(SECRET);
await receiver.start();
const port = await freePort();
const relay = new KilledRelay(port, folder, `http://127.0.0.1:${receiver.port}/`);
await relay.start();
const world = {
  url: `ws://127.0.0.1:${port}`,
  graceMs: GRACE_MS,
  // all at once would be more than are let in from one address in a second
  spreadMs: Math.max(2_000, users * 2),
  isUp: (/** @type {number} */ since) => relay.upSince < since,
};
const visitors = Array.from({ length: users }, (_, i) => new Visitor(`u${i}`, `room${Math.floor(i / 10)}`, world));
const listener = new EventListener(`http://127.0.0.1:${port}`, KEY);
await listener.start();
const startedAt = Date.now();
const lives = visitors.map((visitor) => visitor.live());
let folderMiB = 0;
for (let kill = 1; kill <= KILLS; kill++) {
  await pause((seconds * 1_000) / (KILLS + 1));
  say(`${receiver.taken.length} webhooks were taken; the relay is killed`);
  folderMiB = Math.max(folderMiB, sizeOf(folder));
  await relay.end("SIGKILL");
  // one time it is not there for longer than the grace
  if (kill === 2) await pause(GRACE_MS * 2);
  await relay.start();
  await listener.start();
  if (kill !== 1) continue;
  say("the receiver is dead for a sixth of the time");
  await receiver.stop();
  await pause((seconds * 1_000) / 6);
  await receiver.start();
}
await pause((seconds * 1_000) / (KILLS + 1));
for (const visitor of visitors) visitor.stop();
await Promise.all(lives);
const leftAt = Date.now();
say("all have left; what waits is taken");
const isOver = () => receiver.taken.length % 2 === 0 && judge(visitors, receiver).length === 0;
while (!isOver() && Date.now() - leftAt < Number(values.drain) * 1_000) await pause(500);
const drainedAt = Date.now();
folderMiB = Math.max(folderMiB, sizeOf(folder));
await listener.stop();
await relay.end("SIGTERM");
await receiver.stop();
const differing = differences(listener, receiver.taken, relay.darkness);
const problems = [...judge(visitors, receiver), ...differing];
const report = {
  users,
  letIn: visitors.filter(({ hasCome }) => hasCome).length,
  kills: KILLS,
  seconds: Math.round((leftAt - startedAt) / 1_000),
  secondsUntilAllWasTaken: Math.round((drainedAt - leftAt) / 1_000),
  webhooks: receiver.taken.length,
  ...receiver.counts,
  eventsHeard: listener.count,
  snapshotsOfEvents: listener.resets,
  differences: differing.length,
  relayPeakMiB: Math.round(relay.peakMiB),
  relayCpuSeconds: Math.round(relay.cpuMs / 1_000),
  folderMiB: Math.round(folderMiB * 10) / 10,
  problems: problems.length,
};
console.log(values.json ? JSON.stringify({ ...report, problems: problems.slice(0, 20) }) : report);
if (!values.json) for (const problem of problems.slice(0, 20)) console.error(problem);
rmSync(folder, { recursive: true, force: true });
process.exit(problems.length === 0 ? 0 : 1);
