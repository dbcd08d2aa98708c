// @ts-check
/** Times in ms, counted in buckets of a tenth, so that millions of them cost nothing to keep. */

const BUCKETS_PER_MS = 10;
const MAX_MS = 60_000;

/** @typedef {{ count: number, p50: number, p95: number, p99: number, max: number }} Summary  in ms */

export class Histogram {
  #buckets = new Float64Array(MAX_MS * BUCKETS_PER_MS + 1);
  count = 0;
  max = 0;

  /**
   * @param {number} ms
   * @param {number} [times]
   */
  add(ms, times = 1) {
    const bounded = ms < 0 ? 0 : ms > MAX_MS ? MAX_MS : ms;
    const bucket = Math.floor(bounded * BUCKETS_PER_MS);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + times;
    this.count += times;
    if (bounded > this.max) this.max = bounded;
  }

  /** @param {number} share  0.99 for the 99th percentile */
  percentile(share) {
    let left = share * this.count;
    for (const [bucket, times] of this.#buckets.entries()) {
      left -= times;
      // the middle of a bucket, but no more than what was seen
      if (times > 0 && left <= 0) return Math.min(this.max, (bucket + 0.5) / BUCKETS_PER_MS);
    }
    return this.max;
  }

  /** @returns {Summary} */
  summary() {
    const [p50, p95, p99, max] = [this.percentile(0.5), this.percentile(0.95), this.percentile(0.99), this.max];
    return { count: this.count, p50: round(p50), p95: round(p95), p99: round(p99), max: round(max) };
  }
}

/** @param {number} ms */
function round(ms) {
  return Math.round(ms * 100) / 100;
}
