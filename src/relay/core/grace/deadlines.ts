/** Items that all wait equally long and are given up unless they are released before. One timer is enough for all of them. */
import { type Clock, stallOf } from "../../ports/clock.ts";

/** Once the relay runs again after a stall, it may take this long until it has heard what clients said meanwhile, ms. */
const HEARD_MS = 1_000;
/** When so many items wait at the same time, a rush may bring them back. [ROSTER-11] */
const MANY = 20;
/** How often the relay looks whether the rush is over, ms. */
const LOOK_MS = 250;

export interface DeadlinesSetup<T> {
  readonly clock: Clock;
  /** How long each item waits, ms. */
  readonly waitMs: number;
  /** Gives up an item whose time is over. */
  readonly expire: (item: T) => void;
  /** See `Rush.awaitedSince`. Default: there is never a rush. */
  readonly awaitedSince?: (() => number) | undefined;
}

export class Deadlines<T> {
  readonly #setup: DeadlinesSetup<T>;
  /** When each item is to be given up, monotonic ms: the soonest first. */
  readonly #deadlines = new Map<T, number>();
  /** The latest deadline of an item that has waited at the same time as many others, monotonic ms. */
  #lastOfMany = -Infinity;
  /** When the timer is to fire, monotonic ms. */
  #dueAt = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(setup: DeadlinesSetup<T>) {
    this.#setup = setup;
  }

  deadlineOf(item: T): number | undefined {
    return this.#deadlines.get(item);
  }

  /** Has an item wait. One that waits already begins anew. */
  hold(item: T): void {
    const { clock, waitMs } = this.#setup;
    const deadline = clock.now() + waitMs;
    // an item that is set again would keep its place in the order
    this.#deadlines.delete(item);
    this.#deadlines.set(item, deadline);
    if (this.#deadlines.size >= MANY) this.#lastOfMany = deadline;
    this.#arm();
  }

  release(item: T): void {
    this.#deadlines.delete(item);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#deadlines.clear();
  }

  /** Sets the timer for the soonest deadline, unless it is set. */
  #arm(): void {
    const [soonest] = this.#deadlines.values();
    if (this.#timer === undefined && soonest !== undefined) this.#wait(soonest);
  }

  #wait(until: number): void {
    clearTimeout(this.#timer);
    this.#dueAt = until;
    this.#timer = setTimeout(() => this.#run(), Math.max(0, until - this.#setup.clock.now()));
  }

  #run(): void {
    this.#timer = undefined;
    const { clock, expire, awaitedSince = noRush } = this.#setup;
    const now = clock.now();
    // [TIME-3] the clients may have come back while the relay did not run, and have yet to be heard
    const stalledMs = stallOf(this.#dueAt, now);
    if (stalledMs > 0) this.#postpone(stalledMs + HEARD_MS);
    const since = awaitedSince();
    let isAnyAwaited = false;
    for (const [item, deadline] of this.#deadlines) {
      if (deadline > now) break;
      // [ROSTER-11] an item that was lost alone is none of those whom a rush brings back
      if (deadline <= this.#lastOfMany && deadline > since) {
        isAnyAwaited = true;
        continue;
      }
      this.#deadlines.delete(item);
      expire(item);
    }
    if (isAnyAwaited) this.#wait(now + LOOK_MS);
    else this.#arm();
  }

  #postpone(ms: number): void {
    for (const [item, deadline] of this.#deadlines) this.#deadlines.set(item, deadline + ms);
    this.#lastOfMany += ms;
  }
}

const noRush = (): number => Infinity;
