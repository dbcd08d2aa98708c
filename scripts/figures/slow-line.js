// @ts-check
/**
 * How old the cursors of one room are while a tab is sent a long document of another room, over a line of 2 Mbit/s:
 * `node scripts/figures/slow-line.js [document's MB, 10]`, after `npm run build`, as root on Linux. The tab lives in a network
 * namespace of its own, and the kernel (`tc`) lets no more through to it.
 */
import { execFileSync, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { createPresence } from "../../dist/client/index.js";
import { createRelay } from "../../dist/relay/index.js";

const NAMESPACE = `slow-line-${process.pid}`;
const LINK = `sl${process.pid}`.slice(0, 12);
const RELAY = "10.213.0.1";
const TAB = "10.213.0.2";
const RATE = "2mbit";
const CURSORS_PER_SECOND = 20;
/** So long cursors are looked at before the document is asked for, ms. */
const QUIET_MS = 3_000;

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** ms since the epoch, with fractions: the same in all processes of this machine. */
const now = () => performance.timeOrigin + performance.now();

/** @param {string} command */
const run = (command) => void execFileSync("/bin/sh", ["-c", command], { stdio: "pipe" });

function setUp() {
  run(`ip netns add ${NAMESPACE}`);
  run(`ip link add ${LINK}a type veth peer name ${LINK}b netns ${NAMESPACE}`);
  run(`ip addr add ${RELAY}/24 dev ${LINK}a && ip link set ${LINK}a up`);
  run(`ip -n ${NAMESPACE} addr add ${TAB}/24 dev ${LINK}b && ip -n ${NAMESPACE} link set ${LINK}b up`);
  run(`ip -n ${NAMESPACE} link set lo up`);
  // a router that lets packets wait for at most 50 ms, as a line at home may
  run(`tc qdisc add dev ${LINK}a root tbf rate ${RATE} burst 4kb latency 50ms`);
}

function tearDown() {
  for (const command of [`ip link del ${LINK}a`, `ip netns del ${NAMESPACE}`]) {
    try {
      run(command);
    } catch {
      // it was not there yet
    }
  }
}

/** @param {readonly number[]} sorted @param {number} share */
const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;

/** @param {string} what @param {readonly number[]} ages */
function tell(what, ages) {
  const sorted = ages.toSorted((a, b) => a - b);
  const [p50, p99, most] = [at(sorted, 0.5), at(sorted, 0.99), at(sorted, 1)].map((ms) => ms.toFixed(1));
  console.log(`${what}: ${ages.length} cursors, p50 ${p50} ms, p99 ${p99} ms, at most ${most} ms old`);
}

/** The tab on the slow line. @param {string} url @param {number} bytes */
async function tab(url, bytes) {
  const presence = createPresence(url, { user: { id: "bob", name: "Bob" }, WebSocket });
  const room = presence.join("cursors");
  /** @type {number[]} */
  let ages = [];
  let sentAt = 0;
  room.awareness.on("change", () => {
    for (const [id, state] of room.awareness.getStates()) {
      if (id === room.awareness.clientID || typeof state["sentAt"] !== "number" || state["sentAt"] <= sentAt) continue;
      sentAt = state["sentAt"];
      ages.push(now() - sentAt);
    }
  });
  while (ages.length === 0) await pause(10);
  ages = [];
  await pause(QUIET_MS);
  tell("before", ages);
  ages = [];
  const askedAt = now();
  const { doc } = presence.join("document");
  while (doc.getMap("files").size === 0) await pause(20);
  const seconds = ((now() - askedAt) / 1_000).toFixed(1);
  console.log(`a document of ${(bytes / 1e6).toFixed(1)} MB was there after ${seconds} s`);
  tell("meanwhile", ages);
  presence.destroy();
}

/** @param {number} megabytes */
async function main(megabytes) {
  const bytes = megabytes * 1_000_000;
  const relay = createRelay({ open: true, maxDocument: 2 * bytes });
  process.once("exit", tearDown);
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) process.once(signal, () => process.exit(1));
  setUp();
  const { url } = await relay.listen(0, RELAY);
  const alice = createPresence(url, { user: { id: "alice", name: "Alice" }, WebSocket });
  const [cursors, long] = [alice.join("cursors"), alice.join("document")];
  while (!long.provider.synced) await pause(20);
  // what is random cannot be compressed on the way; one message takes no more than the relay lets in
  for (let i = 0; i * 500_000 < bytes; i++) {
    const part = new Uint8Array(Math.min(500_000, bytes - i * 500_000));
    for (let j = 0; j < part.length; j++) part[j] = Math.floor(Math.random() * 256);
    long.doc.getArray("parts").push([part]);
    await pause(100);
  }
  long.doc.getMap("files").set("complete", true);
  await pause(1_000);
  const timer = setInterval(() => {
    cursors.awareness.setLocalStateField("sentAt", now());
  }, 1_000 / CURSORS_PER_SECOND);
  const script = fileURLToPath(import.meta.url);
  const args = ["netns", "exec", NAMESPACE, process.execPath, script, "--tab", url, String(bytes)];
  const child = spawn("ip", args, { stdio: "inherit" });
  await new Promise((resolve) => child.once("exit", resolve));
  clearInterval(timer);
  alice.destroy();
  await relay.close();
}

const [first, ...rest] = process.argv.slice(2);
if (first === "--tab") await tab(rest[0] ?? "", Number(rest[1]));
else await main(Number(first ?? 10));
