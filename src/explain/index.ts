/**
 * `copresence/explain`: why a user is shown as they are. An entry of its own, so that an application that does not ask loads
 * nothing of it.
 */
import type { RosterStatus, User } from "../client/index.ts";
import { type Reason, reason } from "./reason.ts";
import { explainUser } from "./user.ts";

export { type Reason, lineOf } from "./reason.ts";

/** A roster: `presence.lobby`, or `room.roster`. */
export interface Explained {
  readonly status: RosterStatus;
  get(userId: string): User<unknown> | undefined;
}

export interface Explanation {
  readonly userId: string;
  /** As the roster shows the user. */
  readonly user: User<unknown> | null;
  /** What counts most comes first. */
  readonly reasons: readonly Reason[];
}

/**
 * Why a roster shows a user as it does, by what the client knows: each reason names the rule of SPEC.md. What the relay alone
 * knows (why a connection was lost, for example) its inspector says.
 *
 * ```ts
 * for (const each of explain(presence.lobby, "bob").reasons) console.log(lineOf(each)); // 12:04: away: … [STATUS-1]
 * ```
 */
export function explain(roster: Explained, userId: string): Explanation {
  const user = roster.get(userId);
  return { userId, user: user ?? null, reasons: [...aboutRoster(roster.status), ...explainUser(user)] };
}

/** [WHY-2] */
function aboutRoster(status: RosterStatus): readonly Reason[] {
  switch (status) {
    case "live":
      return [];
    case "connecting":
      return [reason("ROSTER-5", "this client has not been told yet who is here")];
    case "stale":
      return [reason("ROSTER-5", "this client has lost its own connection: all is shown as it was then")];
    case "refused":
      return [reason("CLIENT-10", "the relay has refused this client for good: all is shown as it was then")];
  }
}
