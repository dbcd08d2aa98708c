/**
 * How often a room tells its peers what changed. Latest-wins states need not be told at once to be right, so a room that
 * grows, or a machine that is busy, makes them a little older rather than lose any. Pure.
 */

/** For each peer. A state of a room costs with the square of its people, so the interval grows with their number. */
const MS_PER_PEER = 0.2;
/** A room may take this part of the relay's time for its flushes. */
const MAX_SHARE = 1 / 3;
/** Nobody's state is held back for longer, ms. */
const MAX_TICK_MS = 1_000;

/**
 * The shortest time between two flushes, ms.
 *
 * @param tick the option: as often as it gets
 * @param flushMs how long flushes take of late
 */
export function tickMs(tick: number, peers: number, flushMs: number): number {
  return Math.min(MAX_TICK_MS, Math.max(tick, peers * MS_PER_PEER, flushMs / MAX_SHARE));
}

/** A figure of late: a mean over about so many flushes as `1 / WEIGHT`. */
const WEIGHT = 0.2;
export function ofLate(before: number, now: number): number {
  return before + (now - before) * WEIGHT;
}
