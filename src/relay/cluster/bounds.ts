/**
 * Bounds of clocks and dates that other relays tell. Without a secret any process that may write to the bus can make them up: with a
 * clock or a date at the end of its range it would hold a client id or a session for ever. [BUS-43]
 */
import { type RemoteState, heldAtOf } from "../../awareness/index.ts";
import { MAX_CLOCK } from "../../wire/index.ts";
import { MAX_AHEAD_MS } from "../ports/clock.ts";

/**
 * The highest clock that another relay may have given out, or may ask this one to go on above. Stock clients are brought above
 * the clocks that they hear of, and so have to stay below the highest that is taken of them.
 */
export const MAX_REMOTE_CLOCK: number = MAX_CLOCK / 2;
/** When another relay says that a connection was last alive longer ago than this, it counts as so long ago, ms. */
const MAX_AGE_MS = 24 * 3_600_000;

/** Whether the clocks of a state are such as honest clients and relays come to. Else nobody is told of the state. */
export function isWithinBounds({ clock, authorClock }: RemoteState): boolean {
  return clock <= MAX_REMOTE_CLOCK && authorClock <= MAX_REMOTE_CLOCK;
}

/** The state with its times bounded, so that later ones can outrank them. @param date as this relay dates something now. @param now monotonic ms */
export function bounded(state: RemoteState, date: number, now: number): RemoteState {
  const heldAt = boundedHeldAt(state.heldAt, date);
  const lastSeen = Math.max(state.lastSeen, now - MAX_AGE_MS);
  return state.heldAt === heldAt && state.lastSeen === lastSeen ? state : { ...state, heldAt, lastSeen };
}

/** Since when a connection counts, no later than a day from now. @param date as this relay dates something now */
export function boundedHeldAt(heldAt: number, date: number): number {
  return Math.min(heldAt, heldAtOf(date + MAX_AHEAD_MS));
}
