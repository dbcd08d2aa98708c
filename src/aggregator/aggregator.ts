/**
 * From connections to people: what each connection says of its session, joined into sessions, counted per user.
 *
 * One aggregator serves one place: a room (its own connections) or a lobby (the connections of all rooms that count in
 * it). Times in what it says are the relay's own.
 */
import {
  type AutoStatus,
  type Claim,
  type ManualChoice,
  People,
  type PresenceEvent,
  type Session,
  type User,
  equal,
  newestManual,
} from "../presence/index.ts";

/** What one connection says, and what the relay knows of it. */
export interface Report {
  /** The room that the connection is in; null for the lobby itself. */
  readonly room: string | null;
  readonly claim: Claim;
  /** Its network is there. */
  readonly connected: boolean;
  /** Its network is there but its page has not spoken for long: shown as away. */
  readonly silent: boolean;
}

interface Reported {
  /** The connection. */
  readonly source: object;
  report: Report;
}

interface SessionRecord {
  readonly key: string;
  /** Oldest first: a report that says something new moves to the end. Mostly one. */
  reports: readonly Reported[];
  status: AutoStatus;
  since: number;
  /** When any connection of it that is gone was last known to be alive. */
  lastSeen: number;
}

export class Aggregator {
  readonly roomId: string;
  readonly #people: People;
  readonly #sessions = new Map<string, SessionRecord>();
  readonly #sources = new Map<object, SessionRecord>();
  readonly #sourcesOf = new Map<string, readonly object[]>();

  constructor(roomId: string) {
    this.roomId = roomId;
    this.#people = new People(roomId);
  }

  /** Everyone present as others see them, as of the last flush. */
  get users(): ReadonlyMap<string, User> {
    return this.#people.users;
  }

  get empty(): boolean {
    return this.#sources.size === 0;
  }

  /** How many users connections speak for. */
  get size(): number {
    return this.#sourcesOf.size;
  }

  /** The newest choice of status of a user, over all sessions. */
  choiceOf(userId: string): ManualChoice | null {
    return this.#people.choiceOf(userId);
  }

  /** The connections that speak for a user. */
  sourcesOf(userId: string): readonly object[] {
    return this.#sourcesOf.get(userId) ?? [];
  }

  /** The user that a connection speaks for, if it has spoken. */
  userOf(source: object): string | undefined {
    return reportedBy(source, this.#sources.get(source))?.report.claim.user.id;
  }

  /** Takes what a connection says. Returns whether that is news. */
  set(source: object, report: Report, now: number): boolean {
    const key = sessionKey(report.claim);
    const before = this.#sources.get(source);
    if (before !== undefined && before.key !== key) this.delete(source, now, now);
    const known = reportedBy(source, this.#sources.get(source));
    // only what the page itself says makes its report the newest, not what the relay notices about its network
    const spoke = known === undefined || !equal(known.report.claim, report.claim);
    if (!spoke && equal(known.report, report)) return false;

    let session = this.#sessions.get(key);
    if (session === undefined) {
      session = { key, reports: [], status: report.claim.session.status, since: now, lastSeen: 0 };
      this.#sessions.set(key, session);
    }
    if (!spoke) known.report = report;
    else session.reports = [...without(session.reports, known), { source, report }];
    this.#sources.set(source, session);
    add(this.#sourcesOf, report.claim.user.id, source);
    this.#publish(session, now);
    return true;
  }

  /** @param lastSeen when the connection was last known to be alive */
  delete(source: object, lastSeen: number, now: number): void {
    const session = this.#sources.get(source);
    const reported = reportedBy(source, session);
    if (session === undefined || reported === undefined) return;
    this.#sources.delete(source);
    session.reports = without(session.reports, reported);
    remove(this.#sourcesOf, reported.report.claim.user.id, source);
    session.lastSeen = Math.max(session.lastSeen, lastSeen);
    if (session.reports.length > 0) return this.#publish(session, now);
    this.#sessions.delete(session.key);
    this.#people.delete(session.key, session.lastSeen);
  }

  /** What changed since the last flush, as others see it. */
  flush(now: number): PresenceEvent[] {
    return this.#people.flush(now);
  }

  #publish(session: SessionRecord, now: number): void {
    const reports = session.reports.map(({ report }) => report);
    const newest = reports.at(-1);
    if (newest === undefined) return;
    const status = statusOf(reports, newest, session.status);
    if (status !== session.status) {
      session.status = status;
      session.since = now;
    }
    this.#people.set(session.key, {
      user: newest.claim.user,
      session: sessionOf(reports, newest, session),
    });
  }
}

/** `away` when the page last said so, or when no connection of it has spoken for long; as before when all are lost. */
function statusOf(reports: readonly Report[], newest: Report, before: AutoStatus): AutoStatus {
  const connected = reports.filter((report) => report.connected);
  if (connected.length === 0) return before;
  return connected.every((report) => report.silent) ? "away" : newest.claim.session.status;
}

function sessionOf(reports: readonly Report[], newest: Report, record: SessionRecord): Session {
  const { id, device } = newest.claim.session;
  const known = reports.findLast((report) => report.claim.session.device !== "unknown");
  // metadata set for the whole application, if the session said any, before that of one room
  const lobby = reports.findLast((report) => report.room === null);
  return {
    id,
    status: record.status,
    manual: newestManual(reports.map((report) => report.claim.session)),
    device: known?.claim.session.device ?? device,
    since: record.since,
    meta: (lobby ?? newest).claim.session.meta,
    rooms: [...new Set(reports.flatMap((report) => report.room ?? []))].toSorted(),
    reconnecting: reports.every((report) => !report.connected),
    clientId: null,
  };
}

/** The length keeps apart what the ids alone would not: they may hold any character. */
function sessionKey({ user, session }: Claim): string {
  return `${user.id.length}\n${user.id}\n${session.id}`;
}

function reportedBy(source: object, session: SessionRecord | undefined): Reported | undefined {
  return session?.reports.find((each) => each.source === source);
}

// most have one of each, for which a Map or a Set would take much memory; whoever walks a list sees it as it was

function without<T>(values: readonly T[], value: T | undefined): readonly T[] {
  return values.filter((each) => each !== value);
}

function add<K, V>(index: Map<K, readonly V[]>, key: K, value: V): void {
  const values = index.get(key) ?? [];
  if (!values.includes(value)) index.set(key, [...values, value]);
}

function remove<K, V>(index: Map<K, readonly V[]>, key: K, value: V): void {
  const rest = without(index.get(key) ?? [], value);
  if (rest.length === 0) index.delete(key);
  else index.set(key, rest);
}
