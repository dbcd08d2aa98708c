/**
 * Whatever is sent, to a relay in a process of its own: it goes on, its memory is bounded, and honest people in the same
 * room notice nothing. `npm run fuzz -- --frames 1000000` sends more.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { witnesses } from "../attacks/witnesses.ts";
import { SECRET, tokenFor } from "../relay/tokens.ts";
import { frames } from "./frames.ts";

const FRAMES = Number(process.env["FUZZ_FRAMES"] ?? 10_000);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const ROOM = "doc";
const ATTACKERS = 8;
const BATCH = 100;
/** What the relay's memory may grow by once it is warm, bytes. */
const GROWTH = 64 * 2 ** 20;

it(`[WIRE-2] [WIRE-3] [OWN-1] ${FRAMES} frames of all kinds disturb nobody`, { timeout: 3_600_000 }, async () => {
  const { relay, url, errors } = await start();
  const honest = await witnesses(url, ROOM);
  const token = await tokenFor({ sub: "mallory" }, { expiresIn: null });
  const arbitrary = frames([honest.aliceId, honest.bobId]);
  const closes = new Map<number, number>();
  const done = { sent: 0, batches: 0 };
  let [warm, checkedAt] = [0, 0];

  const attack = async (index: number): Promise<void> => {
    const protocols = [[], ["copresence.v1"], ["copresence.v2"]][index % 3];
    let socket: WebSocket | null = null;
    while (done.sent < FRAMES) {
      socket ??= await open(`${url}/${index === 0 ? "@lobby" : ROOM}?token=${token}`, protocols, closes);
      for (const frame of fc.sample(arbitrary, { numRuns: BATCH, seed: SEED * 1_000_003 + done.batches++ })) {
        if (socket.readyState !== WebSocket.OPEN) break;
        socket.send(frame);
        done.sent++;
      }
      if (!(await isAnswered(socket))) socket = null;
    }
    socket?.terminate();
  };
  const watch = async (): Promise<void> => {
    while (done.sent < FRAMES) {
      await honest.undisturbed();
      if (warm === 0 && done.sent >= FRAMES / 10) warm = memoryOf(relay);
      if (done.sent - checkedAt >= 100_000) {
        checkedAt = done.sent;
        console.log(`${done.sent} frames, relay at ${Math.round(memoryOf(relay) / 2 ** 20)} MB`);
      }
    }
  };
  const startedAt = performance.now();
  await Promise.all([watch(), ...Array.from({ length: ATTACKERS }, (_, i) => attack(i))]);
  await honest.undisturbed();
  const end = memoryOf(relay);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  const [from, to] = [warm, end].map((size) => Math.round(size / 2 ** 20));
  const codes = [...closes].map(([code, count]) => `${code}: ${count}`).join(", ");
  console.log(
    `${done.sent} frames in ${seconds} s; relay from ${from} to ${to} MB; connections closed, by code: ${codes}`,
  );
  expect(relay.exitCode).toBeNull();
  expect(errors()).not.toMatch(/rror|at .*\.js/);
  expect(end - warm).toBeLessThan(GROWTH);
});

interface Running {
  readonly relay: ChildProcess;
  readonly url: string;
  readonly errors: () => string;
}

/** A relay that closes nobody for how much they send: what they send is what is tried. */
async function start(): Promise<Running> {
  const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
  const flags = ["--port", "0", "--message-rate", "0", "--byte-rate", "0", "--connect-rate", "0", "--tick", "5"];
  const relay = spawn(process.execPath, [cli, "--host", "127.0.0.1", ...flags], {
    env: { ...process.env, COPRESENCE_JWT_SECRET: SECRET },
  });
  onTestFinished(() => void relay.kill("SIGKILL"));
  let errors = "";
  relay.stderr.on("data", (text: Buffer) => (errors += text.toString()));
  const url = await new Promise<string>((resolve, reject) => {
    relay.stdout.once("data", (line: Buffer) => resolve(/ws:\S+/.exec(line.toString())?.[0] ?? ""));
    relay.once("exit", () => reject(new Error(`the relay did not start: ${errors}`)));
  });
  return { relay, url, errors: () => errors };
}

async function open(url: string, protocols: string[] | undefined, closes: Map<number, number>): Promise<WebSocket> {
  const socket = new WebSocket(url, protocols);
  socket.on("error", () => {});
  socket.on("close", (code) => closes.set(code, (closes.get(code) ?? 0) + 1));
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  return socket;
}

/** Waits until all that was sent has been read; false: it was closed for it. */
function isAnswered(socket: WebSocket): Promise<boolean> {
  return new Promise((resolve) => {
    if (socket.readyState !== WebSocket.OPEN) return resolve(false);
    socket.once("close", () => resolve(false));
    socket.once("pong", () => {
      socket.removeAllListeners("pong");
      resolve(socket.readyState === WebSocket.OPEN);
    });
    socket.ping();
  });
}

function memoryOf({ pid }: ChildProcess): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1_024;
}
