/** Has a room, or a lobby, flushed when something has changed: at once, or later while flushes cost much. [ROOM-5] */
import { Ticker } from "../../../util/ticker.ts";
import type { Clock } from "../../ports/clock.ts";
import { immediate } from "../../util/immediate.ts";
import { type FlushLoad, Pace } from "./pace.ts";

export interface FlusherSetup {
  readonly clock: Clock;
  readonly load: FlushLoad;
  /** Shortest time between two flushes, ms. [FLOW-11] */
  readonly shortestMs: number;
  /** How long to wait between two flushes that cost more than the room's share, unless the room is large, ms. [FLOW-3] */
  readonly usualMs: number;
  /** How many members are told, and how many of them send it back; null: their number says nothing of what a flush costs. */
  readonly audience: { readonly size: number; readonly echoing: number } | null;
  /** Tells the members what changed. */
  readonly flush: (now: number) => void;
  /** Told how long a flush took, and how long the oldest change had waited for it, ms. */
  readonly onFlushed?: (tookMs: number, waitedMs: number) => void;
}

export class Flusher {
  readonly #setup: FlusherSetup;
  readonly #pace: Pace;
  readonly #ticker: Ticker;
  #later: ReturnType<typeof setTimeout> | undefined;
  /** Since when there is a change to tell, monotonic ms; null: there is none. */
  #changedAt: number | null = null;

  constructor(setup: FlusherSetup) {
    const { load, usualMs, shortestMs, audience, clock } = setup;
    this.#setup = setup;
    this.#pace = new Pace(load, usualMs);
    const intervalMs = (): number => this.#pace.intervalMs(shortestMs, audience?.size ?? null, clock.now());
    this.#ticker = new Ticker(intervalMs, () => this.#flush(), immediate);
  }

  /** Something has changed. */
  schedule(): void {
    this.#changedAt ??= this.#setup.clock.now();
    this.#ticker.schedule();
  }

  /** Something has changed that must not be told yet: it is looked at again after the usual interval. */
  scheduleLater(): void {
    this.#later ??= setTimeout(() => {
      this.#later = undefined;
      this.schedule();
    }, this.#setup.usualMs);
  }

  /** Flushes what waits, without delay. */
  flushNow(): void {
    this.#ticker.run();
  }

  /** Flushes no more. @param flush whether what waits is flushed first */
  close({ flush }: { readonly flush: boolean }): void {
    const waits = this.#changedAt !== null || this.#later !== undefined;
    this.#ticker.stop();
    if (flush && waits) this.#flush();
    clearTimeout(this.#later);
    this.#pace.close();
  }

  #flush(): void {
    const { clock, audience, flush, onFlushed } = this.#setup;
    const startedAt = clock.now();
    const waitedMs = startedAt - (this.#changedAt ?? startedAt);
    this.#changedAt = null;
    flush(startedAt);
    const endedAt = clock.now();
    const echoing = audience === null || audience.echoing === 0 ? 0 : audience.echoing / audience.size;
    this.#pace.flushed(endedAt - startedAt, endedAt, echoing);
    onFlushed?.(endedAt - startedAt, waitedMs);
  }
}
