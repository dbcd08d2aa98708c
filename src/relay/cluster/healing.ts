/**
 * Asks other relays for all that they share with this one, when this relay may have missed something. A relay that has many rooms asks
 * for a room when the answers to earlier questions are there, so that it never has more to read than it can, and none is asked for
 * twice because the first answer waits behind others. [BUS-21]
 */
import type { Clock } from "../ports/clock.ts";

/** So many rooms and lobbies at most are asked for and not answered yet. */
const MAX_UNANSWERED = 100;
/** A room that is not answered for so long is waited for no more, ms: the relay that has it may be gone. */
const PATIENCE_MS = 1_000;
/** How long to rest before the next ones, ms, also where this begins anew meanwhile. */
const PAUSE_MS = 50;

/** A room or lobby that is shared with other relays. */
export interface Healed {
  /** All other relays have answered. */
  readonly isWhole: boolean;
  /** Its turn will come: it asks nothing until then. */
  postpone(): void;
  /** Asks for all that other relays have of it. */
  ask(): void;
}

export class Healing {
  readonly #clock: Clock;
  readonly #guarded: (act: () => void) => void;
  /** Those whose turn is yet to come, in their order. */
  readonly #waiting = new Set<Healed>();
  /** Those that were asked for, and when. */
  readonly #unanswered = new Map<Healed, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param guarded runs something that may throw, and reports what it throws */
  constructor(clock: Clock, guarded: (act: () => void) => void) {
    this.#clock = clock;
    this.#guarded = guarded;
  }

  /** All were asked for. */
  get isOver(): boolean {
    return this.#waiting.size === 0;
  }

  /** Asks for these, in their order. Those that wait already come first, so that all are asked for however often this begins anew. */
  begin(shared: Iterable<Healed>): void {
    this.#settle();
    for (const each of shared) {
      each.postpone();
      this.#waiting.add(each);
    }
    if (this.#timer === undefined) this.#next();
  }

  /** A room or lobby has closed. */
  closed(shared: Healed): void {
    this.#waiting.delete(shared);
    this.#unanswered.delete(shared);
  }

  /** Asks for nothing more until it begins anew. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#unanswered.clear();
  }

  /** Stops for good: none of those that wait is asked for. */
  close(): void {
    this.stop();
    this.#waiting.clear();
  }

  /** Waits no more for those that are answered, or will not be. */
  #settle(): void {
    const now = this.#clock.now();
    for (const [each, askedAt] of this.#unanswered) {
      if (each.isWhole || now - askedAt >= PATIENCE_MS) this.#unanswered.delete(each);
    }
  }

  #next(): void {
    this.#timer = undefined;
    this.#settle();
    const now = this.#clock.now();
    let hasAsked = false;
    for (const each of this.#waiting) {
      if (this.#unanswered.size >= MAX_UNANSWERED) break;
      this.#waiting.delete(each);
      this.#unanswered.set(each, now);
      hasAsked = true;
      this.#guarded(() => each.ask());
    }
    if (hasAsked || !this.isOver) this.#timer = setTimeout(() => this.#next(), PAUSE_MS);
  }
}
