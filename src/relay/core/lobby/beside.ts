/** Whom a newcomer to a lobby wants to see first: those who are in the rooms that its client is in. [LOBBY-19] */
import type { PresentEntry } from "../../../awareness/index.ts";
import { isLobby } from "../../../wire/index.ts";
import type { Member } from "../../ports/member.ts";
import type { Room } from "../room.ts";

/**
 * The ids of users whom others in these rooms may see.
 *
 * @param roomOf the room that a member is in
 * @param most so many at most: the first that are found
 */
export function usersBeside(
  member: Member,
  roomOf: (member: Member) => Room | undefined,
  most: number,
): ReadonlySet<string> {
  const found = new Set<string>();
  for (const companion of member.companions) {
    // without `observe` it is not to learn who is there
    if (!companion.access.observe) continue;
    for (const { visible, claim } of roomOf(companion)?.register.present() ?? []) {
      if (!visible) continue;
      if (found.size >= most) return found;
      found.add(claim.user.id);
    }
  }
  return found;
}

/** What a member's client says of a session in lobbies. [BUS-51] */
export function inLobbiesBeside(
  member: Member | null,
  session: string,
  rooms: ReadonlyMap<Member, Room>,
): readonly PresentEntry[] {
  return (member?.companions ?? []).flatMap((companion) => {
    const room = rooms.get(companion);
    if (room === undefined || !isLobby(room.name)) return [];
    return room.register.ownedBy(companion).filter(({ claim }) => claim.session.id === session);
  });
}
