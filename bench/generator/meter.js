// @ts-check
/** What was spent and sent between two moments. */
import { performance } from "node:perf_hooks";
import { busySeconds, cpuSeconds, residentBytes } from "./proc.js";

/**
 * @typedef {object} Reading
 * @property {number} seconds
 * @property {number} serverCpuSeconds  Of all servers together.
 * @property {number} serverCores  Of one core, how much the server used.
 * @property {number} generatorCores
 * @property {number} otherCores  What anybody else used of this machine: it should be little.
 * @property {number} residentBytes  Of the servers, at the end.
 * @property {Cores} [coresOf]  Of one core, how much each used, where there is a cluster.
 * @property {number} frames  That receivers were sent.
 * @property {number} bytes
 * @property {number} states
 */

/** @typedef {{ servers: number[], bus: number | null }} Cores */

/** @typedef {{ readonly frames: number, readonly bytes: number, readonly states: number }} Counted */

export class Meter {
  #serverPids;
  #busPid;
  #receivers;
  #before;

  /**
   * @param {number | import("./cluster.js").Cluster} server  The process id of the only one, or several.
   * @param {readonly Counted[]} receivers
   */
  constructor(server, receivers) {
    this.#serverPids = typeof server === "number" ? [server] : server.servers.map(({ pid }) => pid);
    /** `undefined`: there is no cluster. */
    this.#busPid = typeof server === "number" ? undefined : server.busPid;
    this.#receivers = receivers;
    this.#before = this.#now();
  }

  /** What it was since the beginning. @returns {Reading} */
  read() {
    const before = this.#before;
    const now = this.#now();
    const seconds = (now.time - before.time) / 1000;
    const each = now.servers.map((spent, i) => spent - (before.servers[i] ?? 0));
    const serverCpuSeconds = sum(each);
    const busCpuSeconds = now.bus - before.bus;
    const generatorCpuSeconds = now.generator - before.generator;
    const otherCpuSeconds = now.busy - before.busy - serverCpuSeconds - busCpuSeconds - generatorCpuSeconds;
    const bus = this.#busPid === null ? null : busCpuSeconds / seconds;
    const coresOf = { servers: each.map((spent) => spent / seconds), bus };
    return {
      seconds,
      serverCpuSeconds,
      serverCores: serverCpuSeconds / seconds,
      generatorCores: generatorCpuSeconds / seconds,
      otherCores: Math.max(0, otherCpuSeconds) / seconds,
      residentBytes: sum(this.#serverPids.map(residentBytes)),
      ...(this.#busPid !== undefined && { coresOf }),
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
      servers: this.#serverPids.map(cpuSeconds),
      bus: this.#busPid === undefined || this.#busPid === null ? 0 : cpuSeconds(this.#busPid),
      generator: (user + system) / 1e6,
      busy: busySeconds(),
    };
  }
}

/** @param {readonly number[]} values */
function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
