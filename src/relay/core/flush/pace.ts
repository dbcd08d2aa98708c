/**
 * How often a room or lobby tells its members what changed: at once while that costs little, and the more it costs the less often.
 * So a busy relay spends less on each change. Nothing is lost by that: a flush tells the latest states. The rules are pure; time
 * comes in as `now`.
 */
import { FAN_OUT_PART } from "../../ports/member.ts";

/** A room that flushes more than this part of the time waits between two flushes. [FLOW-9] */
const ROOM_SHARE = 1 / 20;
/** A room may take up to this part of the time where its people would otherwise wait for longer than their patience. [FLOW-9] */
const IMPATIENT_SHARE = 1 / 10;
/** The patience of the people in a room, for each of them, ms: in a room of fifty they expect fresher cursors than in one of a hundred. [FLOW-9] */
const PATIENCE_MS_PER_PEER = 0.3;
/** How much longer that is for each member that sends back what it is told, which the relay has to read, ms. [FLOW-9] */
const PATIENCE_MS_PER_ECHO = 0.08;
/**
 * While the relay is busy for less than the first part of the time, each room has its whole share; from the second part on, none.
 * Between the two the share falls evenly. [FLOW-10]
 */
const CALM = 0.3;
const BUSY = 0.6;
/** The interval grows by this for each peer, ms: what all peers together have to read grows with the square of their number. [FLOW-3] */
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

/** How long a flush takes with reading what is sent back: that costs about as much as telling it did. [FLOW-9] */
function withEchoes(ms: number, echoing: number): number {
  return ms * (1 + echoing);
}

/** Time that was spent this long ago counts for about a third (1/e) of time that is spent now, ms. */
const WINDOW_MS = 1_000;
/** Rooms whose flushes take longer share the relay's time, ms. */
const HEAVY_MS = 1;
/**
 * However many rooms are busy, a room reckons with no more than so many times its own flush for a round of all of them. With
 * MAX_SHARE it waits for twenty times its own flush at most. [FLOW-3]
 */
const MAX_ROUND = 10;
/** The part of the newest flush in the average. */
const WEIGHT = 0.1;
/**
 * The newest flush counts as no more than so many times the average before it. Now and then the whole process pauses during a flush,
 * to collect garbage or for another process, which says nothing of how long the next flush will take. [FLOW-3]
 */
const MAX_GROWTH = 2;
/** A flush that took no longer than this counts in full, ms. */
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

  /** The room has flushed. @param ms how long that took @param echoing what part of the members will send it back: 0 to 1 */
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
  #sparedMs = 0;
  readonly #heavy = new Set<Pace>();
  readonly #busySince: () => number;
  #busy = 0;
  #lookedAt = -Infinity;

  /** @param busySince what part of the time the relay has been busy since it was asked last: 0 to 1 */
  constructor(busySince: () => number = () => 0) {
    this.#busySince = busySince;
  }

  /** How much of its time the relay has spent since its start that is not charged to those who made it spend that time, ms. */
  get sparedMs(): number {
    return this.#sparedMs;
  }

  /** It took so long to hand on what somebody said, which is sent at once and not flushed. [COST-7] */
  handedOn(ms: number): void {
    this.#sparedMs += ms * (1 - FAN_OUT_PART);
  }

  /** It took so long to make what all who come are sent. [COST-13] */
  madeForAll(ms: number): void {
    this.#sparedMs += ms;
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
