/** How often something may happen: a bucket that fills with time. Pure but for its own level; `now` comes in, in ms that only go forward. */
export class Bucket {
  readonly #perMs: number;
  readonly #capacity: number;
  #level: number;
  #at: number;

  /**
   * @param rate per second
   * @param burst how many seconds' worth may come at once
   */
  constructor(rate: number, burst: number, now: number) {
    this.#perMs = rate / 1_000;
    this.#capacity = rate * burst;
    this.#level = this.#capacity;
    this.#at = now;
  }

  /** Takes from it while there is anything: what is larger than it fits once, and then is waited for. */
  take(cost: number, now: number): boolean {
    this.#fill(now);
    if (this.#level <= 0) return false;
    this.#level -= cost;
    return true;
  }

  /** Nobody has taken from it for long. */
  isFull(now: number): boolean {
    this.#fill(now);
    return this.#level >= this.#capacity;
  }

  #fill(now: number): void {
    this.#level = Math.min(this.#capacity, this.#level + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}
