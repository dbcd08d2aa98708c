/**
 * What changed between two views of a user: the events of a roster. Pure.
 */
import { equal } from "../util/equal.ts";
import type { JsonObject, Status } from "./state.ts";
import type { User } from "./user.ts";

interface EventBase<Meta> {
  readonly userId: string;
  readonly status: Status;
  /** The user's metadata, as `user.meta`. */
  readonly metadata: Meta;
  /** The room, or the lobby (`@lobby`, `@lobby/<name>`), that the roster is of. */
  readonly roomId: string;
  /** ms since the epoch: when the observer noticed. */
  readonly timestamp: number;
  readonly user: User<Meta>;
}
export interface JoinEvent<Meta = JsonObject> extends EventBase<Meta> {
  readonly type: "join";
}
/** `status` is `offline`, `user.lastSeen` when the user was last known to be alive. */
export interface LeaveEvent<Meta = JsonObject> extends EventBase<Meta> {
  readonly type: "leave";
}
export interface UpdateEvent<Meta = JsonObject> extends EventBase<Meta> {
  readonly type: "update";
  readonly previous: User<Meta>;
}
export type PresenceEvent<Meta = JsonObject> = JoinEvent<Meta> | LeaveEvent<Meta> | UpdateEvent<Meta>;

/** Where and when something was noticed. */
interface Occasion {
  readonly roomId: string;
  readonly now: number;
}

/** Present as others see it: at least one session, and not invisible. */
export function isPresent(user: User<unknown> | undefined): user is User<unknown> {
  return user !== undefined && user.status !== "offline";
}

/**
 * The one event, if any, that leads from one view of a user to the next. [ROSTER-4]
 *
 * Two views that say the same give none, also where they are two objects: what did not change is not repeated.
 */
export function diffUser<Meta>(
  previous: User<Meta> | undefined,
  next: User<Meta> | undefined,
  at: Occasion,
): PresenceEvent<Meta> | null {
  const before = isPresent(previous);
  const after = isPresent(next);
  if (!before && after) return { type: "join", ...eventOf(next, at) };
  // a leave says who left: the last view's metadata, the new view's last seen
  if (before && !after && next !== undefined) return { type: "leave", ...eventOf(next, at), metadata: previous.meta };
  return before ? updateOf(previous, next, at) : null;
}

/** What is new about a user who was there and still is, whether or not others see it. */
export function updateOf<Meta>(
  previous: User<Meta> | undefined,
  next: User<Meta> | undefined,
  at: Occasion,
): UpdateEvent<Meta> | null {
  if (previous === undefined || next === undefined || equal(previous, next)) return null;
  return { type: "update", ...eventOf(next, at), previous };
}

/** What each event carries. [ROSTER-3] */
function eventOf<Meta>(user: User<Meta>, { roomId, now }: Occasion): EventBase<Meta> {
  return { userId: user.id, status: user.status, metadata: user.meta, roomId, timestamp: now, user };
}
