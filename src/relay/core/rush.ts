/**
 * Many connect at once, as after a restart of the relay or of what stands before it: then some are let in seconds after others.
 * Until the rush is over nobody is given up who may be on their way, and those who ask whether people who are missing have gone
 * are not answered. [ROSTER-11]
 */
import type { Clock } from "../ports/clock.ts";

/** How far back is looked, ms: a client that tries again waits so long at most. [LIVE-6] */
const WINDOW_MS = 2_500;
const SLICE_MS = 250;
/** Fewer than this in a window are no rush. */
const MIN_CAME = 20;
/** Nor are they when they are less than this share of all who are there. */
const MIN_SHARE = 0.02;
/** Nobody waits longer, ms. */
const LONGEST_MS = 20_000;

/** Whether so many who came within 2.5 s are a rush. @param all how many are there, they among them */
export function isRush(came: number, all: number): boolean {
  return came >= MIN_CAME && came >= MIN_SHARE * all;
}

interface Waiting {
  readonly act: () => void;
  readonly since: number;
}

export class Rush {
  readonly #clock: Clock;
  readonly #all: () => number;
  /** How many came in each slice of time, the oldest first. */
  #slices: { readonly at: number; came: number }[] = [];
  /** The longest first. */
  #waiting: Waiting[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  /** @param all how many are there */
  constructor(clock: Clock, all: () => number) {
    this.#clock = clock;
    this.#all = all;
  }

  /** Somebody came. */
  came(): void {
    const at = Math.floor(this.#clock.now() / SLICE_MS);
    const last = this.#slices.at(-1);
    if (last?.at === at) last.came++;
    else this.#slices.push({ at, came: 1 });
    if (this.#slices.length > 2 * (WINDOW_MS / SLICE_MS)) this.#forget();
  }

  /** Whether those who are missing since a moment (ms, monotonic) may still be on their way. */
  mayBring(since: number): boolean {
    return this.#clock.now() - since < LONGEST_MS && this.#isOn();
  }

  /** Acts when no rush is on: at once, or later, 20 s from now at most. After `stop` never. */
  after(act: () => void): void {
    const since = this.#clock.now();
    if (this.#isStopped) return;
    if (!this.mayBring(since)) return act();
    this.#waiting.push({ act, since });
    this.#timer ??= setTimeout(() => this.#look(), SLICE_MS);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#waiting = [];
  }

  #isOn(): boolean {
    this.#forget();
    return isRush(
      this.#slices.reduce((sum, { came }) => sum + came, 0),
      this.#all(),
    );
  }

  #forget(): void {
    const from = Math.floor((this.#clock.now() - WINDOW_MS) / SLICE_MS);
    this.#slices = this.#slices.filter(({ at }) => at > from);
  }

  #look(): void {
    this.#timer = undefined;
    const still = this.#waiting.findIndex(({ since }) => this.mayBring(since));
    const due = this.#waiting.splice(0, still === -1 ? this.#waiting.length : still);
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#look(), SLICE_MS);
    for (const { act } of due) act();
  }
}
