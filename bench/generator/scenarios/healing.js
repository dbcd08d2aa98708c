// @ts-check
/** Many rooms, each on several servers, whose bus is killed and started again, empty: until each knows what it missed. */
import { once } from "node:events";
import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../until.js";
import { inBatches } from "../batches.js";
import { clientKind } from "../clients/index.js";
import { placement } from "../cluster.js";
import { Connection } from "../connection.js";
import { Pacer } from "../pacer.js";
import { cpuSeconds } from "../proc.js";
import { startRenewals } from "../renewals.js";

const CHANGES_PER_SECOND = 2_000;
const QUIET_MS = 1_000;
const LOOK_MS = 20;
/** What the servers spend in this time after all is healed is counted, too. */
const SETTLE_MS = 2_000;

/**
 * @param {object} options
 * @param {string} options.kind
 * @param {import("../cluster.js").Cluster} options.cluster  The one who started the bus starts it again at its port.
 * @param {number} options.busPort
 * @param {number} options.rooms
 * @param {number} options.perRoom
 * @param {number} options.limitMs
 */
export async function healing({ kind, cluster, busPort, rooms, perRoom, limitMs }) {
  const { servers, busPid } = cluster;
  if (busPid === null) throw new RangeError("there is no bus");
  const placeOf = placement(cluster, perRoom);
  const crowd = new Hearers(kind, rooms, perRoom, placeOf);
  const { connections } = crowd;
  const renewals = startRenewals(connections);
  await inBatches(connections, ({ index }) => crowd.open(index, servers[placeOf(index)]?.port ?? 0));
  await crowd.changeAll();
  if (!(await until(() => crowd.missing === 0, limitMs))) throw new Error("not everybody was heard before the fault");

  process.kill(busPid, "SIGKILL");
  await sleep(QUIET_MS);
  await crowd.changeAll();
  const missed = crowd.missing;
  if (await isListening(busPort)) throw new Error("the bus was back before all had changed");
  while (!(await isListening(busPort))) await sleep(LOOK_MS);
  const backAt = performance.now();
  const spentBefore = servers.map(({ pid }) => cpuSeconds(pid));
  crowd.heardAt.length = 0;
  await until(() => crowd.missing === 0, limitMs);
  await sleep(SETTLE_MS);
  const cpu = servers.map(({ pid }, i) => cpuSeconds(pid) - (spentBefore[i] ?? 0));
  renewals.stop();
  const times = crowd.heardAt.map((at) => Math.round(at - backAt)).toSorted((a, b) => a - b);
  return {
    rooms,
    people: connections.length,
    /** What others had not heard when the bus came back, and what of it they heard within `limitMs`. */
    missed,
    healed: times.length,
    medianMs: times[Math.floor(times.length / 2)] ?? null,
    lastMs: times.at(-1) ?? null,
    cpuSeconds: cpu,
    bytes: await busBytes(busPort),
  };
}

/** People who change their state all together, and hear each other. */
class Hearers {
  connections;
  /** Pairs of people on two servers of whom one has not heard the last change of the other. */
  missing = 0;
  /** When each of these heard it, ms. @type {number[]} */
  heardAt = [];
  #perRoom;
  #placeOf;
  /** By receiver and place in the room. */
  #heard;

  /**
   * @param {string} kind
   * @param {number} rooms
   * @param {number} perRoom
   * @param {(index: number) => number} placeOf
   */
  constructor(kind, rooms, perRoom, placeOf) {
    this.#perRoom = perRoom;
    this.#placeOf = placeOf;
    this.#heard = new Int32Array(rooms * perRoom * perRoom);
    this.connections = Array.from({ length: rooms * perRoom }, (_, index) => {
      return new Connection(clientKind(kind), index, `room-${Math.floor(index / perRoom)}`, {
        state: (receiver, sender, change) => this.#hear(receiver.index, sender, change),
      });
    });
  }

  /**
   * @param {number} index
   * @param {number} port
   */
  async open(index, port) {
    await this.connections[index]?.open({ port });
  }

  /** Each changes its state once. */
  async changeAll() {
    const count = this.connections.length;
    let changed = 0;
    const pacer = new Pacer(CHANGES_PER_SECOND, (turn) => {
      if (turn >= count) return;
      this.connections[turn]?.change();
      this.missing += this.#othersOf(turn).length;
      changed++;
    });
    pacer.start();
    await until(() => changed === count, Infinity);
    pacer.stop();
  }

  /**
   * Who is in somebody's room on another server.
   *
   * @param {number} index
   */
  #othersOf(index) {
    const first = index - (index % this.#perRoom);
    return Array.from({ length: this.#perRoom }, (_, i) => first + i).filter((other) => this.#isRemote(index, other));
  }

  /**
   * @param {number} one
   * @param {number} other
   */
  #isRemote(one, other) {
    return this.#placeOf(one) !== this.#placeOf(other);
  }

  /**
   * @param {number} receiver
   * @param {number} sender
   * @param {number} change
   */
  #hear(receiver, sender, change) {
    const place = receiver * this.#perRoom + (sender % this.#perRoom);
    const before = this.#heard[place] ?? 0;
    if (change <= before || !this.#isRemote(receiver, sender)) return;
    this.#heard[place] = change;
    this.missing -= change - before;
    this.heardAt.push(performance.now());
  }
}

/** @param {number} port */
async function isListening(port) {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * What Redis has sent to all who are connected to it, since it was started.
 *
 * @param {number} port
 */
async function busBytes(port) {
  const socket = connect(port, "127.0.0.1");
  socket.write("INFO stats\r\n");
  const [answer] = await once(socket, "data");
  socket.destroy();
  return Number(/^total_net_output_bytes:(\d+)/m.exec(String(answer))?.[1] ?? Number.NaN);
}
