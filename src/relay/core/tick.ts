/**
 * How often a room tells its peers what changed. Latest-wins states need not be told at once to be right, so a room that
 * grows, or a machine that is busy, makes them a little older rather than lose any. Pure; time comes in as `now`.
 */

/** For each peer: what they all have to read grows with the square of their number. */
const MS_PER_PEER = 0.05;
/** Flushes may take this part of the relay's time. */
const MAX_SHARE = 1 / 2;
/** Nobody's state is held back for longer, ms. */
const MAX_TICK_MS = 1_000;

/**
 * The shortest time between two flushes, ms. [FLOW-3]
 *
 * @param tick the option: as often as it gets
 * @param roundMs how long flushes take of late, as `FlushLoad` has it
 */
export function tickMs(tick: number, peers: number, roundMs: number): number {
  return Math.min(MAX_TICK_MS, Math.max(tick, peers * MS_PER_PEER, roundMs / MAX_SHARE));
}

/** Rooms whose flushes take longer share the relay's time, ms. */
const HEAVY_MS = 1;
/** However many there are, each may flush once in the time that so many of its own flushes take. */
const MAX_ROUND = 10;
/** The newest flush counts for so much of how long they take of late. */
const WEIGHT = 0.2;

interface Flushes {
  /** How long one takes of late, ms. */
  ms: number;
  /** When it was, by the clock that only goes forward. */
  at: number;
}

/** How long the relay takes to tell those in all rooms what changed. */
export class FlushLoad {
  /** How long it has taken so far, since the start, to hand on what is not flushed but sent at once, ms. */
  fanOutMs = 0;
  readonly #heavy = new Map<object, Flushes>();

  /** A room has flushed. */
  flushed(room: object, ms: number, now: number): void {
    const before = this.#heavy.get(room)?.ms ?? 0;
    const ofLate = before + (ms - before) * WEIGHT;
    if (ofLate < HEAVY_MS * WEIGHT) this.#heavy.delete(room);
    else this.#heavy.set(room, { ms: ofLate, at: now });
  }

  /** How long one flush takes of each room that is as busy as this one, ms. */
  roundMs(room: object, now: number): number {
    const own = this.#heavy.get(room)?.ms ?? 0;
    if (own < HEAVY_MS) return own;
    let sum = 0;
    for (const [each, { ms, at }] of this.#heavy) {
      // one that has not flushed for so long is as quiet as if it were not there
      if (ms >= HEAVY_MS && (each === room || at > now - MAX_TICK_MS)) sum += ms;
    }
    // one that was held up once by something else is not to wait for the large rooms
    return Math.min(sum, MAX_ROUND * own);
  }

  forget(room: object): void {
    this.#heavy.delete(room);
  }
}
