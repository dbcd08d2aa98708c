// @ts-check
/**
 * How long changes take to be known, measured at some of the receivers.
 *
 * States are latest-wins: a receiver that was sent the newest has lost nothing by what was left out. So a change counts
 * as known from the moment that the receiver has it or a newer one of the same sender, and each change counts, whether
 * or not it was itself sent on.
 */
import { performance } from "node:perf_hooks";
import { Histogram } from "./histogram.js";

/** How long the time of a change is remembered. A server that is later than this has long failed. */
const REMEMBERED_S = 90;
const LEAST_REMEMBERED = 16;

/** @typedef {{ local: import("./histogram.js").Summary, remote: import("./histogram.js").Summary }} Apart  On one server, and on two. */

/**
 * @typedef {object} Observation
 * @property {import("./histogram.js").Summary} freshness  Of each change and receiver: until it or a newer one was known.
 * @property {import("./histogram.js").Summary} latency  Of each state that arrived: how old it was.
 * @property {import("./histogram.js").Summary} age  Of each sender at each receiver, now and then: how old its newest is.
 * @property {number} knownShare  Of the changes that receivers ought to know, how many they knew before the end.
 * @property {number} ownShare  Of the states that arrived, how many were the receiver's own.
 * @property {Apart} [apart]  `freshness` by where the two are, where that was told.
 */

export class Freshness {
  #slots;
  #perRoom;
  #sentAt;
  #changes;
  /** Receiver → the newest change of each sender in its room. @type {Map<number, Int32Array>} */
  #known = new Map();
  #from = Infinity;
  #to = Infinity;
  #freshness = new Histogram();
  /** Of those on two servers. */
  #remote = new Histogram();
  #local = new Histogram();
  #latency = new Histogram();
  #age = new Histogram();
  #arrived = 0;
  #own = 0;
  #missing = 0;
  #placeOf;

  /**
   * @param {object} options
   * @param {number} options.senders
   * @param {number} options.perRoom
   * @param {number} options.changesPerSecond
   * @param {readonly number[]} options.receivers
   * @param {((client: number) => number) | null} [options.placeOf]  Which server a client dials, where there are several.
   */
  constructor({ senders, perRoom, changesPerSecond, receivers, placeOf = null }) {
    this.#placeOf = placeOf;
    this.#slots = Math.max(LEAST_REMEMBERED, Math.ceil(REMEMBERED_S * changesPerSecond));
    this.#perRoom = perRoom;
    this.#sentAt = new Float64Array(senders * this.#slots);
    this.#changes = new Int32Array(senders);
    for (const receiver of receivers) this.#known.set(receiver, new Int32Array(perRoom));
  }

  /** Changes that are sent from now on count, and none from before. */
  begin() {
    this.#from = performance.now();
    this.#to = Infinity;
    this.#freshness = new Histogram();
    this.#remote = new Histogram();
    this.#local = new Histogram();
    this.#latency = new Histogram();
    this.#age = new Histogram();
    this.#arrived = 0;
    this.#own = 0;
    this.#missing = 0;
  }

  /** Changes that are sent from now on do not count any more; those that were are still waited for. */
  end() {
    this.#to = performance.now();
  }

  /**
   * @param {number} sender
   * @param {number} change
   */
  sent(sender, change) {
    this.#sentAt[sender * this.#slots + (change % this.#slots)] = performance.now();
    this.#changes[sender] = change;
  }

  /**
   * @param {number} receiver
   * @param {number} sender
   * @param {number} change
   */
  received(receiver, sender, change) {
    const now = performance.now();
    const counts = now >= this.#from && now < this.#to;
    if (counts) this.#arrived++;
    if (sender === receiver) {
      if (counts) this.#own++;
      return;
    }
    const known = this.#known.get(receiver);
    const place = sender % this.#perRoom;
    const before = known?.[place] ?? 0;
    if (known === undefined || change <= before) return;
    known[place] = change;
    for (let i = before + 1; i <= change; i++) this.#count(receiver, sender, i, now);
    if (counts) this.#latency.add(now - this.#time(sender, change));
  }

  /** Looks how old what receivers know is now. */
  sampleAge() {
    const now = performance.now();
    this.#eachPair((_receiver, sender, known) => {
      if (known > 0) this.#age.add(now - this.#time(sender, known));
    });
  }

  /** Counts what has not come by now as late as it is. @returns {Observation} */
  finish() {
    const now = performance.now();
    this.#eachPair((receiver, sender, known) => {
      for (let i = known + 1; i <= (this.#changes[sender] ?? 0); i++) {
        if (this.#count(receiver, sender, i, now)) this.#missing++;
      }
    });
    const { count } = this.#freshness;
    const apart = { local: this.#local.summary(), remote: this.#remote.summary() };
    return {
      freshness: this.#freshness.summary(),
      latency: this.#latency.summary(),
      age: this.#age.summary(),
      knownShare: count === 0 ? 0 : 1 - this.#missing / count,
      ownShare: this.#arrived === 0 ? 0 : this.#own / this.#arrived,
      ...(this.#placeOf !== null && { apart }),
    };
  }

  /** @param {(receiver: number, sender: number, known: number) => void} visit */
  #eachPair(visit) {
    for (const [receiver, known] of this.#known) {
      const first = receiver - (receiver % this.#perRoom);
      for (const [place, change] of known.entries()) {
        if (first + place !== receiver) visit(receiver, first + place, change);
      }
    }
  }

  /**
   * @param {number} sender
   * @param {number} change
   */
  #time(sender, change) {
    return this.#sentAt[sender * this.#slots + (change % this.#slots)] ?? 0;
  }

  /**
   * A receiver knows a change of a sender now. Returns whether that is of the time that counts.
   *
   * @param {number} receiver
   * @param {number} sender
   * @param {number} change
   * @param {number} now
   */
  #count(receiver, sender, change, now) {
    const time = this.#time(sender, change);
    if (time < this.#from || time >= this.#to) return false;
    this.#freshness.add(now - time);
    const placeOf = this.#placeOf;
    if (placeOf !== null) (placeOf(receiver) === placeOf(sender) ? this.#local : this.#remote).add(now - time);
    return true;
  }
}
