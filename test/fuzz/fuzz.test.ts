/**
 * Whatever is sent, to a relay in a process of its own: it goes on, its memory is bounded, and honest people in the same
 * room notice nothing. `npm run fuzz -- --frames 1000000` sends more.
 */
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { witnesses } from "../attacks/witnesses.ts";
import { runRelay } from "../faults/processes.ts";
import { SECRET, tokenFor } from "../relay/tokens.ts";
import { thoroughly } from "../thorough.ts";
import { frames } from "./frames.ts";

const FRAMES = Number(process.env["FUZZ_FRAMES"] ?? thoroughly(5_000, 20_000));
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const ROOM = "doc";
const ATTACKERS = 8;
const BURST = 20;
/** A relay that closes nobody for how much they send: what they send is what is tried. */
const FLAGS = ["--jwt-secret", SECRET, "--message-rate", "0", "--byte-rate", "0", "--connect-rate", "0", "--tick", "5"];
/** What the relay's memory may grow by once it is warm, bytes. */
const GROWTH = 64 * 2 ** 20;

it(
  `[WIRE-2] [WIRE-11] [WIRE-3] [OWN-1] ${FRAMES} frames of all kinds disturb nobody`,
  { timeout: 3_600_000 },
  async () => {
    const { process: relay, url, errors, exit } = await runRelay(FLAGS);
    const honest = await witnesses(url, ROOM);
    const token = await tokenFor({ sub: "mallory" }, { expiresIn: null });
    const arbitrary = frames([honest.aliceId, honest.bobId]);
    const closes = new Map<number, number>();
    /** Of a burst that a connection was closed for it is not known how much was read; it counts as one frame. */
    const done = { sent: 0, read: 0, bursts: 0 };
    let [warm, checkedAt] = [0, 0];

    const attack = async (index: number): Promise<void> => {
      const protocols = [[], ["y-websocket"], ["copresence.v2"]][index % 3];
      let socket: WebSocket | null = null;
      while (done.read < FRAMES) {
        socket ??= await open(`${url}/${index === 0 ? "@lobby" : ROOM}?token=${token}`, protocols, closes);
        const burst = fc.sample(arbitrary, { numRuns: BURST, seed: SEED * 1_000_003 + done.bursts++ });
        for (const frame of burst) socket.send(frame);
        done.sent += burst.length;
        if (await isRead(socket)) done.read += burst.length;
        else {
          done.read++;
          socket = null;
        }
      }
      socket?.terminate();
    };
    const watch = async (): Promise<void> => {
      while (done.read < FRAMES) {
        await honest.undisturbed();
        if (warm === 0 && done.read >= FRAMES / 10) warm = memoryOf(relay);
        if (done.read - checkedAt >= 100_000) {
          checkedAt = done.read;
          console.log(`${done.read} frames read, relay at ${Math.round(memoryOf(relay) / 2 ** 20)} MB`);
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
      `${done.sent} frames sent, ${done.read} read, in ${seconds} s; relay from ${from} to ${to} MB; connections closed, by code: ${codes}`,
    );
    expect(exit()).toBeUndefined();
    expect(errors).toEqual([]);
    expect(end - warm).toBeLessThan(GROWTH);
  },
);

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
function isRead(socket: WebSocket): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isOpen: boolean): void => {
      socket.off("pong", onPong).off("close", onClose);
      resolve(isOpen);
    };
    const onPong = (): void => settle(true);
    const onClose = (): void => settle(false);
    socket.once("pong", onPong).once("close", onClose);
    if (socket.readyState === WebSocket.OPEN) socket.ping();
    else settle(false);
  });
}

function memoryOf({ pid }: ChildProcess): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1_024;
}
