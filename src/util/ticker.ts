/** Calls back when the turn is over, unless it is undone before. */
export type Soon = (run: () => void) => () => void;

/** The end of the turn, in any JavaScript. */
export const microtask: Soon = (run) => {
  let undone = false;
  queueMicrotask(() => {
    if (!undone) run();
  });
  return () => {
    undone = true;
  };
};

/**
 * Runs `flush` at the end of the turn when things were quiet, and at most once per interval when they are not: a lone
 * change waits for nothing, a burst is one flush. [ROOM-5] A clock that is set changes nothing about it. [TIME-1]
 */
export class Ticker {
  readonly #intervalMs: () => number;
  readonly #flush: () => void;
  readonly #soon: Soon;
  #cancel: (() => void) | undefined;
  #last = -Infinity;

  /** @param intervalMs asked anew before each wait */
  constructor(intervalMs: () => number, flush: () => void, soon: Soon = microtask) {
    this.#intervalMs = intervalMs;
    this.#flush = flush;
    this.#soon = soon;
  }

  /** Sees to it that a flush follows. What comes before it, in the same turn at least, is in it. */
  schedule(): void {
    if (this.#cancel !== undefined) return;
    const intervalMs = this.#intervalMs();
    const waitMs = this.#last + intervalMs - performance.now();
    if (waitMs <= 0) {
      this.#cancel = this.#soon(() => this.run());
      return;
    }
    const timer = setTimeout(() => this.run(), waitMs);
    this.#cancel = () => clearTimeout(timer);
  }

  /** Flushes now, and takes the place of a flush that was scheduled. */
  run(): void {
    this.stop();
    this.#last = performance.now();
    this.#flush();
  }

  /** Flushes now what was scheduled, if anything was. */
  hurry(): void {
    if (this.#cancel !== undefined) this.run();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
