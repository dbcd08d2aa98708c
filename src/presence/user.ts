/**
 * Many sessions, one user. Pure: the result depends on the set of sessions, never on the order they came in. [USER-2]
 */
import type { Claim, Device, JsonObject, ManualChoice, ManualStatus, Session, Status, UserInfo } from "./state.ts";
import { agentOf, isGuest, readInfo } from "./state.ts";

/** A person as one observer sees them. Immutable; the same object for as long as nothing about them changed. */
export interface User<Meta = JsonObject> {
  readonly id: string;
  readonly name?: string;
  readonly color?: string;
  readonly colorLight?: string;
  readonly avatar?: string;
  readonly status: Status;
  /** What the user chose, if anything. `invisible` is seen only by the user's own sessions. */
  readonly manual: ManualStatus | null;
  /** The device of the most present session. */
  readonly device: Device;
  /** All devices in use, each once, the most present first. */
  readonly devices: readonly Device[];
  /** The metadata of the most present session; each session's own is in `sessions`. */
  readonly meta: Meta;
  /** The most present first. Their number is the refcount: a user leaves when it reaches zero. */
  readonly sessions: readonly Session<Meta>[];
  /** All rooms that any session is in, sorted. */
  readonly rooms: readonly string[];
  /** Every session has lost its connection, and none has been given up yet. */
  readonly reconnecting: boolean;
  /** ms since the epoch: when a user who left was last known to be alive; for one who is here, the time of asking. */
  readonly lastSeen: number;
  /** It is the observer. */
  readonly self: boolean;
  /** It gave no id: a connection of a stock client that nobody signed in on. */
  readonly guest: boolean;
  /** All of its sessions are agents': a server set them, or they say so. */
  readonly agent?: true;
  /** The id of the user for whom an agent is here: show it with that user. */
  readonly onBehalfOf?: string;
}

/**
 * Orders sessions by how present they are: connected before reconnecting, online before away, then the most recent
 * `since`; ids break the tie, so that every observer picks the same one. [USER-4]
 */
export function bySessionPresence(a: Session<unknown>, b: Session<unknown>): number {
  return (
    Number(a.reconnecting) - Number(b.reconnecting) ||
    Number(a.status === "away") - Number(b.status === "away") ||
    b.since - a.since ||
    compareTexts(a.id, b.id)
  );
}

/**
 * The newer of two choices; of two at the same instant, the one that sorts first, so that all observers agree.
 * [STATUS-2]
 */
export function newerManual(a: ManualChoice | null, b: ManualChoice | null): ManualChoice | null {
  if (a === null || b === null) return a ?? b;
  if (a.at !== b.at) return a.at > b.at ? a : b;
  return String(a.status) <= String(b.status) ? a : b;
}

/** The newest choice over all sessions; one that cleared the status is a choice too. */
export function newestManual(sessions: Iterable<Session<unknown>>): ManualChoice | null {
  let newest: ManualChoice | null = null;
  for (const session of sessions) newest = newerManual(newest, session.manual);
  return newest;
}

/**
 * What others see: the newest choice, else online if any session is, else away; with no session, offline. [STATUS-1]
 */
function statusOf(sessions: readonly Session<unknown>[], manual: ManualStatus | null): Status {
  if (sessions.length === 0 || manual === "invisible") return "offline";
  return manual ?? (sessions.some((session) => session.status === "online") ? "online" : "away");
}

/** Joins two views of one session that came from several places; in whatever order, the result is the same. [USER-2] */
export function joinSessions<Meta>(a: Session<Meta>, b: Session<Meta>): Session<Meta> {
  const first = (bySessionPresence(a, b) || byContent(a, b)) <= 0 ? a : b;
  const manual = newerManual(a.manual, b.manual);
  // a session is one device; should its views name two, that is chance, and the choice must not be; "unknown" sorts last
  const device = a.device <= b.device ? a.device : b.device;
  const rooms = unique([...a.rooms, ...b.rooms]).toSorted();
  if (manual === first.manual && device === first.device && rooms.length === first.rooms.length) return first;
  return { ...first, device, manual, rooms };
}

function unique<T>(values: readonly T[]): T[] {
  return values.length < 2 ? [...values] : [...new Set(values)];
}

/**
 * One user from what is claimed of them. [USER-6]
 *
 * @param claims the user's sessions, in any order; the same session may appear more than once
 * @param options.self whether the user is the observer
 */
export function userOf<Meta>(
  id: string,
  claims: readonly Claim<Meta>[],
  options: { readonly self?: boolean } = {},
): User<Meta> {
  const sessions = sessionsOf(claims);
  const [first] = sessions;
  const manual = newestManual(sessions)?.status ?? null;
  // [USER-5] the sessions are in order, the most present first
  const devices = unique(sessions.map((session) => session.device));
  const device: Device = devices.find((each) => each !== "unknown") ?? "unknown";
  const user = {
    id,
    status: statusOf(sessions, manual),
    manual,
    device,
    devices: Object.freeze(devices),
    meta: first?.meta ?? ({} as Meta),
    sessions: Object.freeze(sessions),
    rooms: Object.freeze(unique(sessions.flatMap(({ rooms }) => rooms)).toSorted()),
    reconnecting: first !== undefined && sessions.every((session) => session.reconnecting),
    self: options.self === true,
    guest: isGuest(id),
    // last: an object literal that starts with a spread takes V8 ten times as long
    ...infoIn(claims),
    ...(first !== undefined && sessions.every(({ agent }) => agent) ? agentOf(first) : undefined),
  };
  return Object.freeze(Object.defineProperty(user as typeof user & { readonly lastSeen: number }, "lastSeen", NOW));
}

// most users are in one place once, and a lobby has thousands of them: what follows does nothing for those

function sessionsOf<Meta>(claims: readonly Claim<Meta>[]): Session<Meta>[] {
  const [only] = claims;
  if (only !== undefined && claims.length === 1) return [only.session];
  const byId = new Map<string, Session<Meta>>();
  for (const { session } of claims) {
    const known = byId.get(session.id);
    byId.set(session.id, known === undefined ? session : joinSessions(known, session));
  }
  return [...byId.values()].toSorted(bySessionPresence);
}

/** Who the most present claim that gives a name says it is. */
function infoIn(claims: readonly Claim<unknown>[]): UserInfo | undefined {
  if (claims.length === 1) return claims[0]?.user;
  const ranked = claims.toSorted((a, b) => bySessionPresence(a.session, b.session) || byInfo(a.user, b.user));
  return (ranked.find((claim) => claim.user.name !== undefined) ?? ranked[0])?.user;
}

/** A user who is here is seen now [USER-7]. One getter for all: with one of its own, each user would have a shape of its own. */
const NOW: PropertyDescriptor = { enumerable: true, get: () => Date.now() };

/** A user who is here no more. [USER-7] */
export function departed<Meta>(user: User<Meta> | UserInfo, lastSeen: number): User<Meta> {
  return Object.freeze({
    ...userOf<Meta>(user.id, []),
    ...("meta" in user && { meta: user.meta, self: user.self }),
    lastSeen,
    ...infoOf(user),
  });
}

/** The fields that say who somebody is, without the absent ones. */
export function infoOf(user: UserInfo): UserInfo {
  return readInfo(user, user.id);
}

// only to make total orders: which of two equally present claims names the user, and which of two equally present views
// of a session is taken for its metadata, must not be chance
function byInfo(a: UserInfo, b: UserInfo): number {
  return compareTexts(JSON.stringify(infoOf(a)), JSON.stringify(infoOf(b)));
}

function byContent(a: Session<unknown>, b: Session<unknown>): number {
  return (a.clientId ?? -1) - (b.clientId ?? -1) || compareTexts(JSON.stringify(a.meta), JSON.stringify(b.meta));
}

/** Orders texts by their UTF-16 units: everywhere alike, whatever the language. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
