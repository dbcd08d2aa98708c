/** What connections say, to test with. */
import type { Report } from "../../src/lobby/index.ts";
import type { PresenceEvent, Session, UserInfo } from "../../src/presence/index.ts";
import { claim } from "../presence/claims.ts";

/** What a connection in a room (null: in the lobby) says of a session. */
export function report(
  userId: string,
  sessionId: string,
  room: string | null = "room",
  fields: Partial<Session> = {},
  connection: Partial<Pick<Report, "connected" | "silent">> & { readonly info?: Partial<UserInfo> } = {},
): Report {
  const { info, ...rest } = connection;
  return { room, claim: claim(userId, sessionId, fields, info), connected: true, silent: false, bytes: 100, ...rest };
}

export function types(events: readonly PresenceEvent[]): string[] {
  return events.map(({ type, userId }) => `${type} ${userId}`);
}
