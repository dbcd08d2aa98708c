/**
 * How much of the processor's time something takes. By the clock it would seem to take longer on a machine that is busy
 * with other things, and who is honest would pay for that. [COST-3]
 */

/** Of work that took less by the clock the processor is not asked: to ask takes some of its time, too, ms. */
const SHORT_MS = 2;
/** So old may what is known of the processor be when something begins: to ask costs what reading some twenty messages costs, ms. */
const STALE_MS = 250;

export class ProcessorTime {
  readonly #usedMs: () => number;
  #knownMs = 0;
  #knownAt = -Infinity;

  /** @param usedMs how much of the processor's time this process has used since its start, ms */
  constructor(usedMs: () => number = processUsedMs) {
    this.#usedMs = usedMs;
  }

  /** Something begins whose time will be asked for. */
  begin(now: number): void {
    if (now - this.#knownAt > STALE_MS) this.#look(now);
  }

  /** How much of the processor's time some work took that has just ended. @param elapsedMs how long it took by the clock, ms */
  taken(elapsedMs: number, now: number): number {
    if (elapsedMs < SHORT_MS) return elapsedMs;
    const before = this.#knownMs;
    this.#look(now);
    return Math.min(elapsedMs, this.#knownMs - before);
  }

  #look(now: number): void {
    this.#knownMs = this.#usedMs();
    this.#knownAt = now;
  }
}

function processUsedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
