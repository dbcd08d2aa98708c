/**
 * Bounds of what other relays say. Without a secret anybody who may write to the bus may say it: a clock or a date at the end of its
 * range would hold an id or a session for ever. [BUS-43]
 */
import { type RemoteState, heldAtOf } from "../../awareness/index.ts";
import { MAX_CLOCK } from "../../wire/index.ts";
import { MAX_AHEAD_MS } from "../ports/clock.ts";

/**
 * The highest clock that another relay may have given out, or may ask this one to go on above. Stock clients are brought above
 * the clocks that they hear of, and so have to stay below the highest that is taken of them.
 */
export const MAX_REMOTE_CLOCK: number = MAX_CLOCK / 2;
/** A connection of which another relay says that it was alive longer ago than this was alive so long ago, ms. */
const MAX_AGE_MS = 24 * 3_600_000;

/** Whether others may be told of a state: its clocks are such as honest clients and relays come to. */
export function isWithinBounds({ clock, authorClock }: RemoteState): boolean {
  return clock <= MAX_REMOTE_CLOCK && authorClock <= MAX_REMOTE_CLOCK;
}

/** The state with no time in it that nothing could outrank. @param date as this relay dates something now. @param now monotonic ms */
export function bounded(state: RemoteState, date: number, now: number): RemoteState {
  const [latest, earliest] = [heldAtOf(date + MAX_AHEAD_MS), now - MAX_AGE_MS];
  if (state.heldAt <= latest && state.lastSeen >= earliest) return state;
  return { ...state, heldAt: Math.min(state.heldAt, latest), lastSeen: Math.max(state.lastSeen, earliest) };
}
