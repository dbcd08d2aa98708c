/** Why a user is shown as they are, by what is known of the user and their sessions. Pure. */
import { type Session, type User, newestManual } from "../presence/index.ts";
import { type Reason, reason } from "./reason.ts";

/** What is known of a session besides what it says of itself; the relay knows it, a client does not. */
export type SessionFacts = (sessionId: string) => readonly Reason[];

/** Longer ids of sessions are cut: their beginning tells them apart. */
const MAX_SHOWN = 14;
const NOTHING: SessionFacts = () => [];

/** [WHY-1] @param user undefined: nobody knows of them */
export function explainUser(user: User<unknown> | undefined, factsOf: SessionFacts = NOTHING): readonly Reason[] {
  if (user === undefined)
    return [reason("STATUS-5", "nobody is known by this id: not here, or invisible; and not remembered [LOBBY-7]")];
  const sessions = user.sessions.flatMap((session) => aboutSession(session, factsOf));
  return [...aboutStatus(user), ...aboutCount(user), ...aboutKind(user), ...sessions];
}

function aboutStatus(user: User<unknown>): readonly Reason[] {
  const { sessions, status, manual, lastSeen } = user;
  if (sessions.length === 0) return [reason("USER-7", "offline: no session is left; last known to be alive", lastSeen)];
  if (user.reconnecting)
    return [reason("LIVE-2", "reconnecting: every connection was lost, and may come back within the grace")];
  const choice = newestManual(sessions);
  if (manual !== null && choice !== null) {
    const others = manual === "invisible" ? ": others see offline" : "";
    const rule = manual === "invisible" ? "STATUS-5" : "STATUS-1";
    return [reason(rule, `${manual}: the newest choice of status over all sessions${others}`, choice.at)];
  }
  const [first] = sessions;
  const since = first?.since ?? null;
  if (status === "online") return [reason("STATUS-1", "online: nothing was chosen, and a session is online", since)];
  return [reason("STATUS-1", "away: nothing was chosen, and no session is online", since)];
}

function aboutCount({ sessions, devices, rooms }: User<unknown>): readonly Reason[] {
  if (sessions.length < 2) return [];
  const where = rooms.length > 0 ? ` in ${rooms.length} ${rooms.length === 1 ? "room" : "rooms"}` : "";
  return [reason("USER-1", `counted once: ${sessions.length} sessions on ${devices.join(", ")}${where}`)];
}

function aboutKind({ guest, agent, onBehalfOf }: User<unknown>): readonly Reason[] {
  const reasons: Reason[] = [];
  if (guest) reasons.push(reason("STATE-2", "a guest: the connection gave no id, so each connection is a user"));
  if (agent === true) {
    const whose = onBehalfOf === undefined ? "" : `, here for ${onBehalfOf} and no longer than they are`;
    reasons.push(reason("API-31", `an agent${whose}`));
  }
  return reasons;
}

/** Why one session counts as it does. */
export function aboutSession(session: Session<unknown>, factsOf: SessionFacts = NOTHING): readonly Reason[] {
  const { id, status, device, since, reconnecting } = session;
  const name = `${device === "unknown" ? "session" : device} ${id.length > MAX_SHOWN ? `${id.slice(0, MAX_SHOWN - 2)}…` : id}`;
  const facts = factsOf(id);
  if (facts.length > 0) return facts.map(({ rule, text, at }) => reason(rule, `${name}: ${text}`, at));
  if (reconnecting) return [reason("LIVE-2", `${name}: reconnecting, its connection was lost`)];
  if (status === "online")
    return [reason("ACT-1", `${name}: online, its page is in view and in use, or was a moment ago`, since)];
  const hiddenFor = device === "mobile" || device === "tablet" ? "15 s" : "45 s";
  return [reason("ACT-2", `${name}: away, hidden for ${hiddenFor}, or without input for 5 min`, since)];
}
