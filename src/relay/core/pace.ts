/**
 * When a room, or a lobby, tells its members what changed: at once while that costs little, and less often the more it
 * costs, so that a busy relay becomes cheap by itself. States that are a little older are right all the same; none is lost.
 * The rules are pure; time comes in as `now`.
 */
import { performance } from "node:perf_hooks";

/** A room that flushes more than this part of the time waits between two flushes. [FLOW-9] */
const ROOM_SHARE = 1 / 20;
/** It may take up to this part of the time where its people would otherwise wait longer than a room of their number should. [FLOW-9] */
const IMPATIENT_SHARE = 1 / 10;
/** How long that is for each of them, ms: people in a room of fifty expect fresher cursors than in one of a hundred. [FLOW-9] */
const PATIENCE_MS_PER_PEER = 0.3;
/** And how much longer for each who says back what it is told, which has to be read, ms. [FLOW-9] */
const PATIENCE_MS_PER_ECHO = 0.08;
/** A relay that is busy for less than the first part of the time leaves rooms their whole share; for more than the second part, none; between them the share falls evenly. [FLOW-10] */
const CALM = 0.3;
const BUSY = 0.6;
/** Of the interval, for each peer: a flush costs the square of their number in what they all have to read, ms. [FLOW-3] */
const MS_PER_PEER = 0.05;
/** Flushes of large rooms together may take this part of the relay's time. [FLOW-3] */
const MAX_SHARE = 1 / 2;
/** Nobody's state is held back for longer, ms. */
const MAX_INTERVAL_MS = 1_000;

/** What the interval between two flushes depends on. */
export interface Cost {
  /** How long one flush takes of late, ms. */
  readonly flushMs: number;
  /** What part of the peers says back what it is told: 0 to 1. */
  readonly echoing: number;
  /** How long flushes, and what was said back, have taken over the last second, ms. */
  readonly spentMs: number;
  /** How long one flush takes of each room that is as busy as this one, as `FlushLoad` has it, ms. */
  readonly roundMs: number;
  /** How many are told; null: their number says nothing of what it costs. */
  readonly peers: number | null;
  /** What part of the time the relay has been busy of late, with anything: 0 to 1. */
  readonly busy: number;
}

/**
 * The shortest time between two flushes, ms. [FLOW-3] [FLOW-9] [FLOW-11]
 *
 * @param shortest `--tick` or `--lobby-tick`: never more often than this, ms
 * @param usual how long a room that costs more than its share waits, unless it is large or its flushes take long: 33 ms for a room, 100 ms for a lobby
 */
export function intervalMs(shortest: number, usual: number, cost: Cost): number {
  const peers = cost.peers ?? 0;
  const longest = Math.min(MAX_INTERVAL_MS, Math.max(usual, peers * MS_PER_PEER, cost.roundMs / MAX_SHARE));
  const calm = Math.min(1, Math.max(0, (BUSY - cost.busy) / (BUSY - CALM)));
  if (cost.spentMs <= ROOM_SHARE * calm * WINDOW_MS) return shortest;
  const costMs = withEchoes(cost.flushMs, cost.echoing);
  const patience =
    cost.peers === null ? Infinity : cost.peers * (PATIENCE_MS_PER_PEER + PATIENCE_MS_PER_ECHO * cost.echoing);
  const needed = Math.min(costMs / ROOM_SHARE, Math.max(costMs / IMPATIENT_SHARE, patience)) / calm;
  return Math.max(shortest, Math.min(needed, longest));
}

/** To read what peers say back costs about what it cost to tell them. [FLOW-9] */
function withEchoes(ms: number, echoing: number): number {
  return ms * (1 + echoing);
}

/** Time that was spent this long ago counts for about a third (1/e) of time that is spent now, ms. */
const WINDOW_MS = 1_000;
/** Rooms whose flushes take longer share the relay's time, ms. */
const HEAVY_MS = 1;
/** However many rooms are busy, a room waits as if a round of all of them took no longer than so many of its own flushes: with MAX_SHARE that is twenty. [FLOW-3] */
const MAX_ROUND = 10;
/** The newest flush counts for so much of how long they take of late. */
const WEIGHT = 0.1;
/**
 * And it counts as no more than so many times as long as they took before: a pause of the whole process, for garbage or for
 * another process, falls into a flush now and then, and says nothing of what the next one will take. [FLOW-3]
 */
const MAX_GROWTH = 2;
/** A flush that took no longer counts as what it took, ms. */
const SHORT_MS = 0.5;

/** The flushes of one room. */
export class Pace {
  readonly #load: FlushLoad;
  readonly #usual: number;
  #flushMs = 0;
  #echoing = 0;
  #spentMs = 0;
  #at = -Infinity;
  #isClosed = false;

  /** @param usual how long it waits when it costs more than its share, ms: see `intervalMs` */
  constructor(load: FlushLoad, usual: number) {
    this.#load = load;
    this.#usual = usual;
  }

  /** How long one flush takes of late, ms. */
  get flushMs(): number {
    return this.#flushMs;
  }

  /** When it flushed last, by the clock that only goes forward. */
  get flushedAt(): number {
    return this.#at;
  }

  /** It has flushed, and that took so long; and so large a part of those who were told will say it back. */
  flushed(ms: number, now: number, echoing = 0): void {
    this.#spentMs = this.#spentAt(now) + withEchoes(ms, echoing);
    this.#echoing = echoing;
    this.#at = now;
    const counted = Math.min(ms, Math.max(SHORT_MS, MAX_GROWTH * this.#flushMs));
    this.#flushMs += (counted - this.#flushMs) * WEIGHT;
    if (this.#isClosed) return;
    if (this.#flushMs >= HEAVY_MS) this.#load.add(this);
    else this.#load.forget(this);
  }

  /** Shortest time until it flushes again, ms. */
  intervalMs(shortest: number, peers: number | null, now: number): number {
    return intervalMs(shortest, this.#usual, {
      flushMs: this.#flushMs,
      echoing: this.#echoing,
      spentMs: this.#spentAt(now),
      roundMs: this.#load.roundMs(this, now),
      peers,
      busy: this.#load.busy(now),
    });
  }

  /** It flushes no more. */
  close(): void {
    this.#isClosed = true;
    this.#load.forget(this);
  }

  #spentAt(now: number): number {
    return this.#spentMs === 0 ? 0 : this.#spentMs * Math.exp((this.#at - now) / WINDOW_MS);
  }
}

/** How often it is asked how busy the relay is, ms. */
const LOOK_MS = 250;

/** How long the relay takes to tell those in all rooms what changed, and how busy it is. */
export class FlushLoad {
  /** How long it has taken so far, since the start, to hand on what is not flushed but sent at once, ms. */
  fanOutMs = 0;
  readonly #heavy = new Set<Pace>();
  readonly #busySince: () => number;
  #busy = 0;
  #lookedAt = -Infinity;

  /** @param busySince what part of the time the relay has been busy since it was asked last: 0 to 1 */
  constructor(busySince: () => number = () => 0) {
    this.#busySince = busySince;
  }

  /** What part of the time the relay has been busy of late, about: 0 to 1. */
  busy(now: number): number {
    if (now - this.#lookedAt < LOOK_MS) return this.#busy;
    this.#lookedAt = now;
    this.#busy += (this.#busySince() - this.#busy) / 2;
    return this.#busy;
  }

  /** The flushes of this room take long. */
  add(room: Pace): void {
    this.#heavy.add(room);
  }

  forget(room: Pace): void {
    this.#heavy.delete(room);
  }

  /** How long one flush takes of each room that is as busy as this one, ms. */
  roundMs(room: Pace, now: number): number {
    const own = room.flushMs;
    if (own < HEAVY_MS) return own;
    let sum = 0;
    for (const each of this.#heavy) {
      // a room that has not flushed for that long takes none of the time
      if (each === room || each.flushedAt > now - MAX_INTERVAL_MS) sum += each.flushMs;
    }
    // a small room that something else held up once is not to wait as long as the large rooms do
    return Math.min(sum, MAX_ROUND * own);
  }
}

/** Says what part of the time this process has been busy since it was asked last: 0 to 1. */
export function eventLoopBusy(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return Number.isFinite(utilization) ? utilization : 0;
  };
}
