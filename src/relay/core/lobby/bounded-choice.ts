/** Choices of status as other relays tell of them: none is dated so late that no other could outrank it. [BUS-43] */
import type { LobbySession, LobbyUser } from "../../../lobby/index.ts";
import type { ManualChoice } from "../../../presence/index.ts";

/** A relay dates what its clients say by a clock that others follow: it is ahead by what a message takes on its way, ms. */
const TOLERANCE_MS = 1_000;

/** The choice, dated no later than one that is made now. @param date as this relay dates something now */
export function boundedChoice(choice: ManualChoice, date: number): ManualChoice {
  const latest = date + TOLERANCE_MS;
  return choice.at <= latest ? choice : { ...choice, at: latest };
}

/** The user of a shard, with all choices so. @param date as this relay dates something now */
export function boundedUser(user: LobbyUser, date: number): LobbyUser {
  const isLate = ({ manual }: LobbySession): boolean => !((manual?.at ?? 0) <= date + TOLERANCE_MS);
  if (!Object.values(user.sessions).some(isLate)) return user;
  const sessions = Object.entries(user.sessions).map(([id, session]): [string, LobbySession] => {
    return [id, session.manual === undefined ? session : { ...session, manual: boundedChoice(session.manual, date) }];
  });
  return { ...user, sessions: Object.fromEntries(sessions) };
}
