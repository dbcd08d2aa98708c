/**
 * What one connection says of itself: its awareness state, read.
 *
 * Others write these states, so nothing in them is trusted: a field of the wrong shape counts as absent, and a state
 * without our key (a stock Yjs client) is a whole session all the same.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** What the activity of one tab or device says by itself. */
export type AutoStatus = "online" | "away";
/** What a user may choose. Others see `invisible` as `offline`. */
export type ManualStatus = "away" | "busy" | "dnd" | "invisible";
/** What others see of a user. */
export type Status = "online" | "away" | "busy" | "dnd" | "offline";
export type Device = "desktop" | "mobile" | "tablet" | "unknown";

/** A choice of status, or of none (`null` clears it everywhere); the newest `at` of all sessions wins. */
export interface ManualChoice {
  readonly status: ManualStatus | null;
  /** ms since the epoch, raised above every choice its author had seen. */
  readonly at: number;
}

/** Who somebody is, in the fields that editor bindings read too. */
export interface UserInfo {
  readonly id: string;
  readonly name?: string;
  readonly color?: string;
  readonly colorLight?: string;
  readonly avatar?: string;
}

/** One tab or device of a user. */
export interface Session<Meta = JsonObject> {
  /** Stable through reconnects and reloads. */
  readonly id: string;
  readonly status: AutoStatus;
  readonly manual: ManualChoice | null;
  readonly device: Device;
  /** When `status` last changed, ms since the epoch. */
  readonly since: number;
  readonly meta: Meta;
  /** The rooms it is in, sorted. */
  readonly rooms: readonly string[];
  /** Its connection was lost and it has not yet been given up. */
  readonly reconnecting: boolean;
  /** Its Awareness client id in this room; null in a lobby, where a session has several. */
  readonly clientId: number | null;
  /** A program is behind it: a server set it, or it says so of itself. [API-31] */
  readonly agent?: true;
  /** The id of the user for whom an agent is here. [API-33] */
  readonly onBehalfOf?: string;
}

/** A session with the user it says it belongs to. */
export interface Claim<Meta = JsonObject> {
  readonly user: UserInfo;
  readonly session: Session<Meta>;
}

/** The claim, with something else said of its session. */
export function withSession<Meta>(claim: Claim<Meta>, change: Partial<Session<Meta>>): Claim<Meta> {
  return { ...claim, session: { ...claim.session, ...change } };
}

/** The key of an awareness state that is ours; everything else at the top level belongs to editor bindings. */
export interface PresenceState<Meta = JsonObject> {
  readonly session: string;
  readonly status: AutoStatus;
  readonly manual?: ManualChoice;
  readonly device: Device;
  readonly since: number;
  readonly meta: Meta;
  readonly agent?: true;
  readonly onBehalfOf?: string;
}

/** The awareness state of a connection, as our client writes it. */
export interface ConnectionState<Meta = JsonObject> {
  readonly user: UserInfo;
  readonly copresence: PresenceState<Meta>;
}

const AUTO: ReadonlySet<unknown> = new Set<AutoStatus>(["online", "away"]);
const MANUAL: ReadonlySet<unknown> = new Set<ManualStatus>(["away", "busy", "dnd", "invisible"]);
const DEVICES: ReadonlySet<unknown> = new Set<Device>(["desktop", "mobile", "tablet"]);

/** Longest id of a user or a session that is read, in UTF-16 units; a longer one counts as absent. */
export const MAX_ID_LENGTH = 256;

/** Longest texts of a user that are read, in UTF-16 units; a longer one counts as absent. [STATE-3] */
export const MAX_INFO_LENGTHS: Readonly<Record<"name" | "color" | "colorLight" | "avatar", number>> = {
  name: 256,
  color: 64,
  colorLight: 64,
  avatar: 2_048,
};

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value, if it is a record, and else one without anything in it. */
export function asRecord(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

/** The field of a record; one that is only inherited, as from `__proto__`, is none. [STATE-12] */
function own(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function readId(value: unknown): string | undefined {
  // [STATE-13] half of a surrogate pair is sent as U+FFFD: two ids that differ in it alone would be one in a lobby
  const isId =
    typeof value === "string" && value !== "" && value.length <= MAX_ID_LENGTH && !/\p{Surrogate}/u.test(value);
  return isId ? value : undefined;
}

/** The id of a user, if it is usable. A guest's id is none: readers make it of the client id. [STATE-2] */
export function readUserId(value: unknown): string | undefined {
  const id = readId(value);
  return id === undefined || isGuest(id) ? undefined : id;
}

/** Reads a time: ms, and no fraction of them. */
export function readTime(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Reads a choice of status; anything else is none. [STATE-3] */
export function readManual(value: unknown): ManualChoice | null {
  if (!isRecord(value)) return null;
  const status = own(value, "status");
  const at = readTime(own(value, "at"));
  if (at === undefined || (status !== null && !MANUAL.has(status))) return null;
  return { status: status as ManualStatus | null, at };
}

export function readDevice(value: unknown): Device {
  return DEVICES.has(value) ? (value as Device) : "unknown";
}

/** Reads the user of a state; `fallbackId` names one that gives no id (a guest). */
export function readUser(value: unknown, fallbackId: string): UserInfo {
  return readInfo(value, readUserId(own(asRecord(value), "id")) ?? fallbackId);
}

/** Reads all that is said of a user, but for the id. */
export function readInfo(value: unknown, id: string): UserInfo {
  const record = asRecord(value);
  const info: { -readonly [K in keyof UserInfo]: UserInfo[K] } = { id };
  for (const key of ["name", "color", "colorLight", "avatar"] as const) {
    const text = own(record, key);
    if (typeof text === "string" && text.length <= MAX_INFO_LENGTHS[key]) info[key] = text;
  }
  return info;
}

/**
 * Reads one session as it stands in an awareness state or in a lobby document; `rooms` and `clientId` come from there.
 * That its metadata is an object is checked; that it is the application's own type is the application's word. A field that
 * is absent, or of the wrong shape, has its default. [STATE-3]
 */
export function readSession<Meta = JsonObject>(
  id: string,
  record: Record<string, unknown>,
  rooms: readonly string[],
  clientId: number | null,
): Session<Meta> {
  return {
    id,
    status: AUTO.has(own(record, "status")) ? (own(record, "status") as AutoStatus) : "online",
    manual: readManual(own(record, "manual")),
    device: readDevice(own(record, "device")),
    since: readTime(own(record, "since")) ?? 0,
    meta: asRecord(own(record, "meta")) as Meta,
    rooms,
    reconnecting: own(record, "reconnecting") === true,
    clientId,
    ...agentIn(record),
  };
}

/** What says that a session is an agent's; most are not. */
function agentIn(record: Record<string, unknown>): Pick<Session, "agent" | "onBehalfOf"> | undefined {
  if (own(record, "agent") !== true) return undefined;
  const person = readUserId(own(record, "onBehalfOf"));
  return person === undefined ? { agent: true } : { agent: true, onBehalfOf: person };
}

/** What says that a session is an agent's, out of the session as it was read, to be put into another view of it. */
export function agentOf({ agent, onBehalfOf }: Session<unknown>): Pick<Session, "agent" | "onBehalfOf"> | undefined {
  return agent && { agent, ...(onBehalfOf !== undefined && { onBehalfOf }) };
}

/** The id of the user that a connection without `user.id` is: one guest per connection. [STATE-2] */
export function guestId(clientId: number): string {
  return `guest:${clientId}`;
}

/** Whether a user id is a guest's. */
export function isGuest(userId: string): boolean {
  return userId.startsWith("guest:");
}

/**
 * Reads the awareness state of a connection. A state without our key is a session of its own. [STATE-1]
 *
 * @param clientId the Awareness client id that the state belongs to
 * @param state the parsed state; anything but an object is nobody [STATE-4]
 * @param room the room that it was seen in
 */
export function readState<Meta = JsonObject>(clientId: number, state: unknown, room: string): Claim<Meta> | null {
  if (!isRecord(state)) return null;
  // [STATE-8] Lexical says name and colour at the top level
  const said = own(state, "user");
  const user = readUser(isRecord(said) ? said : { name: state["name"], color: state["color"] }, guestId(clientId));
  const record = asRecord(own(state, "copresence"));
  const session = readId(own(record, "session"));
  // a stock client is a session of its own, for as long as it keeps its client id; so is one that names itself as no
  // property can be named: in a lobby document sessions are properties [STATE-12]
  const id = session === undefined || session === "__proto__" ? `client:${clientId}` : session;
  return { user, session: readSession<Meta>(id, record, [room], clientId) };
}

/** Whether a session is named after its client id, as stock clients' are: it has no other connection to come back as. */
export function isStockSession({ session }: Claim<unknown>): boolean {
  return session.id === `client:${session.clientId}`;
}
