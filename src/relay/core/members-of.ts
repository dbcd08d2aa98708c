/** The members that a user is here through. */
import type { Member } from "../ports/member.ts";
import type { Room } from "./room.ts";

/**
 * Those whose token says that they are the user, and those that say so themselves.
 *
 * @param lobby null: whatever lobby they count in
 */
export function membersOf(userId: string, lobby: string | null, rooms: ReadonlyMap<Member, Room>): readonly Member[] {
  const found: Member[] = [];
  for (const [member, { register }] of rooms) {
    const { kind, access } = member;
    if (kind === "relay" || (lobby !== null && access.lobby !== lobby)) continue;
    const isTheirs =
      access.user?.id === userId || register.ownedBy(member).some(({ claim }) => claim.user.id === userId);
    if (isTheirs) found.push(member);
  }
  return found;
}
