// @ts-check
/** What was spent and sent between two moments. */
import { performance } from "node:perf_hooks";
import { busySeconds, cpuSeconds, residentBytes } from "./proc.js";

/**
 * @typedef {object} Reading
 * @property {number} seconds
 * @property {number} serverCpuSeconds
 * @property {number} serverCores  Of one core, how much the server used.
 * @property {number} generatorCores
 * @property {number} otherCores  What anybody else used of this machine: it should be little.
 * @property {number} residentBytes  Of the server, at the end.
 * @property {number} frames  That receivers were sent.
 * @property {number} bytes
 * @property {number} states
 */

/** @typedef {{ readonly frames: number, readonly bytes: number, readonly states: number }} Counted */

export class Meter {
  #serverPid;
  #receivers;
  #before;

  /**
   * @param {number} serverPid
   * @param {readonly Counted[]} receivers
   */
  constructor(serverPid, receivers) {
    this.#serverPid = serverPid;
    this.#receivers = receivers;
    this.#before = this.#now();
  }

  /** What it was since the beginning. @returns {Reading} */
  read() {
    const before = this.#before;
    const now = this.#now();
    const seconds = (now.time - before.time) / 1000;
    const serverCpuSeconds = now.server - before.server;
    const generatorCpuSeconds = now.generator - before.generator;
    const otherCpuSeconds = now.busy - before.busy - serverCpuSeconds - generatorCpuSeconds;
    return {
      seconds,
      serverCpuSeconds,
      serverCores: serverCpuSeconds / seconds,
      generatorCores: generatorCpuSeconds / seconds,
      otherCores: Math.max(0, otherCpuSeconds) / seconds,
      residentBytes: residentBytes(this.#serverPid),
      frames: now.frames - before.frames,
      bytes: now.bytes - before.bytes,
      states: now.states - before.states,
    };
  }

  #now() {
    const { user, system } = process.cpuUsage();
    const total = { frames: 0, bytes: 0, states: 0 };
    for (const { frames, bytes, states } of this.#receivers) {
      total.frames += frames;
      total.bytes += bytes;
      total.states += states;
    }
    return {
      ...total,
      time: performance.now(),
      server: cpuSeconds(this.#serverPid),
      generator: (user + system) / 1e6,
      busy: busySeconds(),
    };
  }
}
