/**
 * A rush: many clients connect at once, as after a restart of the relay or of a proxy before it. The relay lets some of them in
 * seconds after others. Until the rush is over, it gives up nobody whom the rush may bring back, and does not answer clients that
 * ask whether the missing people have gone. [ROSTER-11]
 */
import type { Clock } from "../../ports/clock.ts";

/** Clients that came within this time are counted, ms: a client that tries again waits no longer. [LIVE-6] */
const WINDOW_MS = 2_500;
/** They are counted in slices of this length, ms. */
const SLICE_MS = 250;
/** Fewer clients than this within the window are no rush. */
const MIN_CAME = 20;
/** Nor are clients that are less than this share of all who are here. */
const MIN_SHARE = 0.02;
/** Nobody is waited for, and nobody waits for an answer, for longer than this, ms. */
const LONGEST_MS = 20_000;
/** The same while the relay fills. Where others go as fast as these come, nobody may be on their way back at all. */
const LONGEST_FILLING_MS = 60_000;

/** Whether so many clients that came within 2.5 s are a rush. @param all how many are here, they among them */
export function isRush(came: number, all: number): boolean {
  return came >= MIN_CAME && came >= MIN_SHARE * all;
}

interface Question {
  /** When it was asked, monotonic ms. */
  readonly since: number;
  readonly answer: () => void;
}

export class Rush {
  readonly #clock: Clock;
  readonly #all: () => number;
  /** How many clients were here before each slice of time, and how many came in it: the oldest first. */
  #slices: { readonly at: number; readonly before: number; came: number }[] = [];
  /** When a client last came that was one of a rush, monotonic ms. */
  #lastAt = -Infinity;
  /** How long that rush may last for one who waits for its end, ms. */
  #longestMs = LONGEST_MS;
  /** Questions that wait for the end of the rush, by who asks: the oldest first. */
  readonly #questions = new Map<object, Question>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  /** @param all how many clients are here */
  constructor(clock: Clock, all: () => number) {
    this.#clock = clock;
    this.#all = all;
  }

  /** A client came, and is here. */
  came(): void {
    const now = this.#clock.now();
    const all = this.#all();
    const at = Math.floor(now / SLICE_MS);
    const last = this.#slices.at(-1);
    if (last?.at === at) last.came++;
    else this.#slices.push({ at, before: all - 1, came: 1 });
    const from = Math.floor((now - WINDOW_MS) / SLICE_MS);
    this.#slices = this.#slices.filter((slice) => slice.at > from);
    const came = this.#slices.reduce((sum, slice) => sum + slice.came, 0);
    if (!isRush(came, all)) return;
    this.#lastAt = now;
    const isFilling = isRush(all - (this.#slices[0]?.before ?? all), all);
    this.#longestMs = isFilling ? LONGEST_FILLING_MS : LONGEST_MS;
  }

  /** The rush may still bring back clients that are missing since a later moment than this, monotonic ms. Infinity: there is no rush. */
  get awaitedSince(): number {
    const now = this.#clock.now();
    // clients that were not let in during the rush try again by then
    return now - this.#lastAt < WINDOW_MS ? now - this.#longestMs : Infinity;
  }

  /**
   * Answers a question once there is no rush: at once, or 60 s from now at the latest. A client that asks again while it waits gets
   * one answer. After `stop` nobody gets any.
   */
  answer(asker: object, answer: () => void): void {
    if (this.#isStopped || this.#questions.has(asker)) return;
    const since = this.#clock.now();
    if (since <= this.awaitedSince) return answer();
    this.#questions.set(asker, { since, answer });
    this.#timer ??= setTimeout(() => this.#look(), SLICE_MS);
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#questions.clear();
  }

  #look(): void {
    this.#timer = undefined;
    const { awaitedSince } = this;
    const due = [...this.#questions].filter(([, { since }]) => since <= awaitedSince);
    for (const [asker] of due) this.#questions.delete(asker);
    if (this.#questions.size > 0) this.#timer = setTimeout(() => this.#look(), SLICE_MS);
    for (const [, { answer }] of due) answer();
  }
}
