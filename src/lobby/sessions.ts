/**
 * From connections to people: joins what each connection says of its session into sessions, and counts these by user.
 *
 * It serves one place: a room (its own connections) or a lobby (the connections of all rooms that count in it). A
 * connection is an opaque key. Times are ms since the epoch, by the relay's clock. [USER-1] [USER-2] [USER-3]
 */
import {
  type AutoStatus,
  type Claim,
  type ManualChoice,
  People,
  type PresenceEvent,
  type Session,
  type User,
  agentOf,
  choiceOf,
  equal,
  isStockSession,
  newerManual,
  newestManual,
} from "../presence/index.ts";
import { keyOf } from "../util/key.ts";

/** What one connection says, and what the relay knows of it. */
export interface Report {
  /** The room that the connection is in; null for the lobby itself. */
  readonly room: string | null;
  readonly claim: Claim;
  /** Its network is there. */
  readonly connected: boolean;
  /** Its network is there, but its page has said nothing for long: it is shown as away. */
  readonly silent: boolean;
  /** How many bytes it takes to write this down. */
  readonly bytes: number;
}

interface Reported<K> {
  /** The connection. */
  readonly key: K;
  report: Report;
}

interface SessionRecord<K> {
  readonly id: string;
  /** Oldest first: a report that says something new moves to the end. Mostly one. */
  reports: readonly Reported<K>[];
  status: AutoStatus;
  since: number;
  /** When the last of its connections that are gone was known to be alive. */
  lastSeen: number;
}

export class Sessions<K extends object> {
  readonly roomId: string;
  readonly #people: People;
  readonly #sessions = new Map<string, SessionRecord<K>>();
  readonly #byKey = new Map<K, SessionRecord<K>>();
  readonly #keysOf = new Map<string, readonly K[]>();
  /** How many sessions a user has, for users who have several. */
  readonly #counts = new Map<string, number>();
  /** The newest choices of status that users made elsewhere, by user. Undefined until there is one. */
  #elsewhere: Map<string, ManualChoice> | undefined;

  readonly #remembered: (userId: string) => ManualChoice | null;

  /** @param remembered the choice of status that a user made on another device, which the session may not have heard of */
  constructor(roomId: string, remembered: (userId: string) => ManualChoice | null = () => null) {
    this.roomId = roomId;
    this.#people = new People(roomId);
    this.#remembered = remembered;
  }

  /** Everyone present as others see them, as of the last flush. */
  get users(): ReadonlyMap<string, User> {
    return this.#people.users;
  }

  get empty(): boolean {
    return this.#byKey.size === 0;
  }

  /** How many users connections speak for. */
  get size(): number {
    return this.#keysOf.size;
  }

  /** Whether any connection speaks for a user. */
  has(userId: string): boolean {
    return this.#keysOf.has(userId);
  }

  /** The newest choice of status of a user, over all sessions and over choices made elsewhere (`choose`). */
  choiceOf(userId: string): ManualChoice | null {
    return newerManual(choiceOf(this.#people, userId), this.#elsewhere?.get(userId) ?? null);
  }

  /**
   * Takes the newest choice of status that a user made elsewhere, not through these connections.
   *
   * @param choice null: there is none any more
   */
  choose(userId: string, choice: ManualChoice | null, wall: number): void {
    if (equal(choice, this.#elsewhere?.get(userId) ?? null)) return;
    this.#elsewhere ??= new Map();
    if (choice === null) this.#elsewhere.delete(userId);
    else this.#elsewhere.set(userId, choice);
    for (const session of new Set(this.keysOf(userId).map((key) => this.#byKey.get(key)))) {
      if (session !== undefined) this.#publish(session, wall);
    }
  }

  /** Everyone of whom connections say anything, as of now. */
  get claimed(): Iterable<string> {
    return this.#people.claimed;
  }

  /** The sessions of a user as of now (not of the last flush), each under a key of its own. */
  claimsOf(userId: string): ReadonlyMap<PropertyKey, Claim> {
    return this.#people.claimsOf(userId);
  }

  /** The connections that speak for a user. */
  keysOf(userId: string): readonly K[] {
    return this.#keysOf.get(userId) ?? [];
  }

  /** What a connection said last, if it has spoken. */
  reportOf(key: K): Report | undefined {
    return reportedBy(key, this.#byKey.get(key))?.report;
  }

  /** How many sessions a user has. */
  countOf(userId: string): number {
    return this.#counts.get(userId) ?? Number(this.has(userId));
  }

  /** Whether a user has a session of this id. */
  hasSession(userId: string, id: string): boolean {
    return this.#sessions.has(keyOf(userId, id));
  }

  /** How many bytes it takes to write a user down, about: each session once, as its longest report has it, and its rooms. */
  bytesOf(userId: string): number {
    const longest = new Map<SessionRecord<K>, number>();
    let bytes = 0;
    for (const key of this.keysOf(userId)) {
      const session = this.#byKey.get(key);
      const report = reportedBy(key, session)?.report;
      if (session === undefined || report === undefined) continue;
      bytes += report.room?.length ?? 0;
      longest.set(session, Math.max(longest.get(session) ?? 0, report.bytes));
    }
    for (const most of longest.values()) bytes += most;
    return bytes;
  }

  /** Takes what a connection says. Returns whether that is news. */
  set(key: K, report: Report, wall: number): boolean {
    const id = sessionId(report.claim);
    const before = this.#byKey.get(key);
    if (before !== undefined && before.id !== id) this.delete(key, wall, wall);
    const known = reportedBy(key, this.#byKey.get(key));
    // a report becomes the newest when its page says something, not when the relay notices something about its network
    const spoke = known === undefined || !equal(known.report.claim, report.claim);
    if (!spoke && isSame(known.report, report)) return false;

    let session = this.#sessions.get(id);
    if (session === undefined) {
      this.#countSession(report.claim.user.id, 1);
      session = { id, reports: [], status: report.claim.session.status, since: wall, lastSeen: 0 };
      this.#sessions.set(id, session);
    }
    if (!spoke) known.report = report;
    // `concat`, since an array that is spread out has room for more than it holds
    else session.reports = without(session.reports, known).concat({ key, report });
    this.#byKey.set(key, session);
    add(this.#keysOf, report.claim.user.id, key);
    this.#publish(session, wall);
    return true;
  }

  /** @param lastSeen when the connection was last known to be alive */
  delete(key: K, lastSeen: number, wall: number): void {
    const session = this.#byKey.get(key);
    const reported = reportedBy(key, session);
    if (session === undefined || reported === undefined) return;
    this.#byKey.delete(key);
    session.reports = without(session.reports, reported);
    remove(this.#keysOf, reported.report.claim.user.id, key);
    // a time later than now was noted before the clock was set back [TIME-1] [USER-7]
    const before = session.lastSeen > wall ? 0 : session.lastSeen;
    session.lastSeen = Math.max(before, lastSeen);
    if (session.reports.length > 0) return this.#publish(session, wall);
    this.#sessions.delete(session.id);
    this.#countSession(reported.report.claim.user.id, -1);
    this.#people.delete(session.id, session.lastSeen, wall);
  }

  /** Counts a user anew, whose remembered choice has changed. */
  recount(userId: string, wall: number): void {
    for (const key of this.keysOf(userId)) {
      const session = this.#byKey.get(key);
      if (session !== undefined) this.#publish(session, wall);
    }
  }

  /**
   * Returns what changed since the last flush, as others see it. A user who has come and gone since is not in it. [EVENT-5]
   *
   * @param isDue whether changes of a user are told now, or with a later flush; default: now
   */
  flush(wall: number, isDue?: (userId: string) => boolean): PresenceEvent[] {
    return this.#people.flush(wall, true, isDue);
  }

  /** Whether a flush has left changes of some users for later. */
  get pending(): boolean {
    return this.#people.pending;
  }

  #countSession(userId: string, change: 1 | -1): void {
    const before = this.#counts.get(userId);
    // a user without a report has no count
    const count = (before ?? (change === 1 ? Number(this.has(userId)) : 1)) + change;
    if (count > 1) this.#counts.set(userId, count);
    else this.#counts.delete(userId);
  }

  #publish(session: SessionRecord<K>, wall: number): void {
    const reports = session.reports.map(({ report }) => report);
    const newest = reports.at(-1);
    if (newest === undefined) return;
    const status = statusOf(reports, newest, session.status);
    if (status !== session.status) {
      session.status = status;
      session.since = wall;
    }
    this.#people.set(session.id, {
      user: newest.claim.user,
      session: sessionOf(
        reports,
        newest,
        session,
        this.#remembered,
        this.#elsewhere?.get(newest.claim.user.id) ?? null,
      ),
    });
  }
}

/** The status of a session: what its page said last, but `away` when none of its connections has spoken for long [LIVE-8]; the same as before while all are lost. */
function statusOf(reports: readonly Report[], newest: Report, before: AutoStatus): AutoStatus {
  const connected = reports.filter((report) => report.connected);
  if (connected.length === 0) return before;
  return connected.every((report) => report.silent) ? "away" : newest.claim.session.status;
}

function sessionOf<K>(
  reports: readonly Report[],
  newest: Report,
  record: SessionRecord<K>,
  remembered: (userId: string) => ManualChoice | null,
  elsewhere: ManualChoice | null,
): Session {
  const { id, device } = newest.claim.session;
  const known = reports.findLast((report) => report.claim.session.device !== "unknown");
  // metadata set for the whole application, if the session said any, before that of one room [USER-6]
  const lobby = reports.findLast((report) => report.room === null);
  const said = newestManual(reports.map((report) => report.claim.session));
  return {
    id,
    status: record.status,
    // a stock client can make no choice, and clear none
    manual: effectiveChoice(
      isStockSession(newest.claim) ? said : newerManual(said, remembered(newest.claim.user.id)),
      elsewhere,
    ),
    device: known?.claim.session.device ?? device,
    since: record.since,
    meta: (lobby ?? newest).claim.session.meta,
    rooms: [...new Set(reports.flatMap((report) => report.room ?? []))].toSorted(),
    reconnecting: reports.every((report) => !report.connected),
    clientId: null,
    ...agentOf(newest.claim.session),
  };
}

/**
 * Which choice counts, of a session's own and of one made elsewhere. Where either of them hides the user, the newer one counts. Else only
 * the session's own does, so that two relays do not keep a choice alive by repeating it to each other. [LOBBY-15] [LOBBY-17]
 */
function effectiveChoice(own: ManualChoice | null, elsewhere: ManualChoice | null): ManualChoice | null {
  const hides = own?.status === "invisible" || elsewhere?.status === "invisible";
  return hides ? newerManual(own, elsewhere) : own;
}

function sessionId({ user, session }: Claim): string {
  return keyOf(user.id, session.id);
}

/** Whether two reports of one claim say the same of its connection. */
function isSame(a: Report, b: Report): boolean {
  return a.room === b.room && a.connected === b.connected && a.silent === b.silent;
}

function reportedBy<K>(key: K, session: SessionRecord<K> | undefined): Reported<K> | undefined {
  return session?.reports.find((each) => each.key === key);
}

// Most sessions have one connection and most users one, for which a Map or a Set would take much memory. A list is replaced and
// never changed: a loop over one sees it as it was.

function without<T>(values: readonly T[], value: T | undefined): readonly T[] {
  return values.filter((each) => each !== value);
}

function add<K, V>(index: Map<K, readonly V[]>, key: K, value: V): void {
  const values = index.get(key) ?? [];
  if (!values.includes(value)) index.set(key, values.concat([value]));
}

function remove<K, V>(index: Map<K, readonly V[]>, key: K, value: V): void {
  const rest = without(index.get(key) ?? [], value);
  if (rest.length === 0) index.delete(key);
  else index.set(key, rest);
}
