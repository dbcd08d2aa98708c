// @ts-check
/** Rooms full of people who move their cursors. */
import { setTimeout as sleep } from "node:timers/promises";
import { inBatches } from "./batches.js";
import { clientKind } from "./clients/index.js";
import { placement } from "./cluster.js";
import { Connection } from "./connection.js";
import { Freshness } from "./freshness.js";
import { Meter } from "./meter.js";
import { Pacer } from "./pacer.js";

/** How long late states are waited for after the measured time, ms. */
const DRAIN_MS = 2_000;
const AGE_SAMPLE_MS = 200;
/** Nothing was sent for so long: a server has let everybody in. */
const QUIET_MS = 700;
const QUIET_LIMIT_MS = 20_000;

/**
 * @typedef {object} CrowdOptions
 * @property {number} port
 * @property {number} serverPid
 * @property {string} kind  Of client.
 * @property {number} rooms
 * @property {number} perRoom
 * @property {number} changesPerSecond  Of each client.
 * @property {number} measured  How many receivers are looked at closely; the rest count what they are sent.
 * @property {boolean} [echo]  Whether clients send back what they hear.
 * @property {import("./cluster.js").Cluster} [cluster]  The servers, where there are several.
 */

/**
 * What was measured in a while. `delivered` are the states of others that arrived at all receivers together: all are
 * counted, and how many of them were the receivers' own is known from those looked at closely.
 *
 * @typedef {import("./meter.js").Reading & import("./freshness.js").Observation & {
 *   changes: number, receptions: number, delivered: number, maxLagMs: number }} Window
 */

export class Crowd {
  #options;
  /** @type {Connection[]} */
  connections;
  #measured;
  #placeOf;
  #freshness;
  #pacer;
  #changes = 0;
  /** Senders in the order in which they speak, which is not the order in which they joined. */
  #order;

  /** @param {CrowdOptions} options */
  constructor(options) {
    this.#options = options;
    const { rooms, perRoom, kind, changesPerSecond, echo = false } = options;
    const count = rooms * perRoom;
    this.connections = Array.from({ length: count }, (_, index) => {
      const connection = new Connection(clientKind(kind), index, `room-${Math.floor(index / perRoom)}`, {
        state: ({ index: receiver }, sender, change) => this.#freshness.received(receiver, sender, change),
      });
      connection.echo = echo;
      return connection;
    });
    const measured = Math.min(count, options.measured);
    this.#measured = Array.from({ length: measured }, (_, i) => Math.floor((i * count) / measured));
    const receivers = this.#measured;
    const placeOf = options.cluster === undefined ? null : placement(options.cluster, perRoom);
    this.#placeOf = placeOf;
    this.#freshness = new Freshness({ senders: count, perRoom, changesPerSecond, receivers, placeOf });
    this.#order = shuffled(count);
    this.#pacer = new Pacer(count * changesPerSecond, (turn) => this.#change(this.#order[turn % count] ?? 0));
  }

  async join() {
    const { port, echo = false, cluster } = this.#options;
    await inBatches(this.connections, (connection) => {
      const server = cluster?.servers[this.#placeOf?.(connection.index) ?? 0];
      return connection.open({ port: server?.port ?? port });
    });
    await this.#quiet();
    const measured = new Set(this.#measured);
    for (const connection of this.connections) connection.whole = echo || measured.has(connection.index);
  }

  start() {
    this.#pacer.start();
  }

  stop() {
    this.#pacer.stop();
  }

  /**
   * Measures for a while.
   *
   * @param {number} ms
   * @returns {Promise<Window>}
   */
  async window(ms) {
    const { perRoom, serverPid, cluster } = this.#options;
    const before = this.#changes;
    this.#pacer.maxLagMs = 0;
    const meter = new Meter(cluster ?? serverPid, this.connections);
    this.#freshness.begin();
    const sampler = setInterval(() => this.#freshness.sampleAge(), AGE_SAMPLE_MS);
    await sleep(ms);
    this.#freshness.end();
    clearInterval(sampler);
    const reading = meter.read();
    const changes = this.#changes - before;
    const { maxLagMs } = this.#pacer;
    await sleep(DRAIN_MS);
    const observation = this.#freshness.finish();
    const delivered = Math.round(reading.states * (1 - observation.ownShare));
    return { ...reading, ...observation, changes, receptions: changes * (perRoom - 1), delivered, maxLagMs };
  }

  /** Until everybody knows everybody, and has answered what it was asked. */
  async #quiet() {
    const count = () => this.connections.reduce((sum, { frames }) => sum + frames, 0);
    for (let waited = 0, before = -1; waited < QUIET_LIMIT_MS && count() !== before; waited += QUIET_MS) {
      before = count();
      await sleep(QUIET_MS);
    }
  }

  /** @param {number} sender */
  #change(sender) {
    const connection = this.connections[sender];
    if (connection === undefined) return;
    connection.change();
    this.#changes++;
    this.#freshness.sent(sender, connection.changes);
  }
}

/**
 * The numbers below `count` in an order that is the same each time.
 *
 * @param {number} count
 */
function shuffled(count) {
  const numbers = Array.from({ length: count }, (_, i) => i);
  let seed = 1;
  for (let i = count - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    const j = seed % (i + 1);
    [numbers[i], numbers[j]] = [numbers[j] ?? 0, numbers[i] ?? 0];
  }
  return numbers;
}
