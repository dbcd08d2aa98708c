// @ts-check
/** Calls back so many times a second, evenly; what it misses when the process is busy it makes up for at once. */
import { performance } from "node:perf_hooks";

export class Pacer {
  #perSecond;
  #act;
  #startedAt = 0;
  #done = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** The latest that it was, ms. */
  maxLagMs = 0;

  /**
   * @param {number} perSecond
   * @param {(count: number) => void} act
   */
  constructor(perSecond, act) {
    this.#perSecond = perSecond;
    this.#act = act;
  }

  start() {
    this.#startedAt = performance.now();
    this.#done = 0;
    this.#run();
  }

  stop() {
    clearTimeout(this.#timer);
  }

  #run() {
    const msEach = 1000 / this.#perSecond;
    const elapsed = performance.now() - this.#startedAt;
    this.maxLagMs = Math.max(this.maxLagMs, elapsed - this.#done * msEach);
    const due = Math.floor(elapsed / msEach) + 1;
    while (this.#done < due) this.#act(this.#done++);
    this.#timer = setTimeout(() => this.#run(), this.#done * msEach - (performance.now() - this.#startedAt));
  }
}
