// @ts-check
/** How far apart in time readers see the same change, which all of them see at some time. */
import { performance } from "node:perf_hooks";
import { Histogram } from "./histogram.js";

/** @typedef {import("./histogram.js").Summary & { incomplete: number }} Agreed  ms; `incomplete` changes were not seen by all. */

export class Agreement {
  #readers;
  #from = Infinity;
  #to = Infinity;
  #apart = new Histogram();
  /** Changes that were not yet seen by all. @type {Map<string, { firstAt: number, readers: Set<number> }>} */
  #waiting = new Map();
  /** The last change of each user that was seen by all. @type {Map<string, number>} */
  #agreed = new Map();

  /** @param {number} readers  How many there are. */
  constructor(readers) {
    this.#readers = readers;
  }

  /** Changes that are seen first from now on count. */
  begin() {
    this.#from = performance.now();
  }

  /** Changes that are seen first from now on do not count any more; those that were are still waited for. */
  end() {
    this.#to = performance.now();
  }

  /**
   * @param {number} reader
   * @param {string} userId
   * @param {number} change
   */
  seen(reader, userId, change) {
    // readers look again at what they have seen when the document's parts are written anew
    if (change <= (this.#agreed.get(userId) ?? -1)) return;
    const key = `${userId} ${change}`;
    const known = this.#waiting.get(key) ?? { firstAt: performance.now(), readers: new Set() };
    this.#waiting.set(key, known);
    known.readers.add(reader);
    if (known.readers.size < this.#readers) return;
    this.#waiting.delete(key);
    this.#agreed.set(userId, change);
    if (this.#counts(known)) this.#apart.add(performance.now() - known.firstAt);
  }

  /** @returns {Agreed} */
  finish() {
    const incomplete = [...this.#waiting.values()].filter((known) => this.#counts(known)).length;
    return { ...this.#apart.summary(), incomplete };
  }

  /** @param {{ firstAt: number }} change */
  #counts({ firstAt }) {
    return firstAt >= this.#from && firstAt < this.#to;
  }
}
