// @ts-check
/**
 * What a change of status costs a tab in many rooms, and the relay: said once for all rooms, and said in each, as to a relay that
 * takes it only so.
 *
 *   npm run build && node scripts/figures/status-cost.js [rooms, 20] [changes, 400]
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { createPresence } from "../../dist/client/index.js";

const rooms = Number(process.argv[2] ?? 20);
const changes = Number(process.argv[3] ?? 400);
const TICKS_PER_MS = 0.1;

/** @param {() => boolean} condition */
async function until(condition) {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error("not within a minute");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function startRelay() {
  const child = spawn(process.execPath, ["dist/cli.js", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /ws:\S+/.exec(line)?.[0];
    if (url !== undefined) return { child, url };
  }
  throw new Error("the relay does not listen");
}

/** What a process has used of the processors, ms. @param {number | undefined} pid */
function cpuOf(pid) {
  const [user = 0, system = 0] = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ").slice(13, 15).map(Number);
  return (user + system) / TICKS_PER_MS;
}

/** A message, as a relay says it that takes a change in each room alone. @param {ArrayBuffer} data */
function withoutOffer(data) {
  const text = Buffer.from(data).toString("latin1").replace('"session":true', '"nothing":true');
  return Uint8Array.from(Buffer.from(text, "latin1")).buffer;
}

/** @param {boolean} isOnce whether the relay says that it takes a change once for all rooms */
async function measure(isOnce) {
  const { child, url } = await startRelay();
  let [messages, bytes] = [0, 0];
  class CountingSocket extends WebSocket {
    /** @override @param {Uint8Array} data */
    send(data) {
      messages++;
      bytes += data.length;
      super.send(data);
    }

    /** @override @param {string | symbol} event @param {any[]} args */
    emit(event, ...args) {
      if (event === "message" && !isOnce) args[0] = withoutOffer(args[0]);
      return super.emit(event, ...args);
    }
  }
  const names = Array.from({ length: rooms }, (_, i) => `doc-${i}`);
  const alice = createPresence(url, { user: { id: "alice", name: "Alice" }, WebSocket: CountingSocket });
  const bob = createPresence(url, { user: { id: "bob", name: "Bob" }, WebSocket });
  const his = names.map((name) => bob.join(name));
  const hers = names.map((name) => alice.join(name));
  await until(() => [...his, ...hers].every(({ roster }) => roster.users.length === 2));
  await until(() => hers.every(({ provider }) => provider.synced));
  await new Promise((resolve) => setTimeout(resolve, 500));
  [messages, bytes] = [0, 0];
  const before = cpuOf(child.pid);
  const seen = [bob.lobby, ...his.map(({ roster }) => roster)];
  for (let i = 0; i < changes; i++) {
    const status = i % 2 === 0 ? "dnd" : "busy";
    alice.setStatus(status);
    await until(() => seen.every((roster) => roster.get("alice")?.status === status));
  }
  const cpuMs = cpuOf(child.pid) - before;
  console.log(
    `${isOnce ? "once for all rooms" : "in each room      "}: ${(messages / changes).toFixed(2)} messages and ` +
      `${Math.round(bytes / changes)} bytes a change, ${(cpuMs / changes).toFixed(2)} ms of the relay's CPU`,
  );
  alice.destroy();
  bob.destroy();
  child.kill();
}

console.log(`a tab in ${rooms} rooms and the lobby, which changes its status ${changes} times`);
await measure(false);
await measure(true);
process.exit(0);
