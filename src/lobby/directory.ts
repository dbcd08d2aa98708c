/**
 * The directory of a lobby: who is anywhere, what they chose, who may be seen. It turns what connections report into
 * effects on other connections of the same user; it acts on nothing itself. A connection is an opaque key.
 */
import { type ManualChoice, type PresenceEvent, type User, isGuest, newerManual } from "../presence/index.ts";
import { RememberedChoices } from "./choices.ts";
import { type Report, Sessions } from "./sessions.ts";
import { MAX_ENTRY_BYTES } from "./shard.ts";

/** What a report brings about, for the caller to act on. */
export interface Effects<K> {
  /** Whether others may see these connections' states now; some may be known already. [STATUS-5] */
  readonly visibility: readonly (readonly [key: K, visible: boolean])[];
  /** The newest choice of status of the user, for connections to the lobby whose session has not heard of it. [STATUS-4] */
  readonly choices: readonly (readonly [key: K, choice: ManualChoice])[];
  /** There is something to flush. */
  readonly isNews: boolean;
}

/** Bytes a second that one user's entry may cost each reader: a large one is written less often. [LOBBY-10] */
const BYTES_PER_SECOND = 32 * 1024;
/** An entry that would only wait for so long is written at once, ms. */
const SHORT_WAIT_MS = 50;

export class Directory<K extends object> {
  readonly #sessions: Sessions<K>;
  readonly #remembered: RememberedChoices;
  /** Who chose to be invisible, as of the last word of any of their sessions. */
  readonly #invisible = new Set<string>();
  /** When the entry of a user may be written again, of those whose entries are large, monotonic ms. */
  readonly #notBefore = new Map<string, number>();

  /** @param maxRemembered of how many users who are not here the choices of status are remembered; default: of none */
  constructor(roomId: string, maxRemembered: number = 0) {
    this.#remembered = new RememberedChoices(maxRemembered);
    this.#sessions = new Sessions<K>(roomId, (userId) => this.#remembered.get(userId));
  }

  /** Everyone present as others see them, as of the last flush. */
  get users(): ReadonlyMap<string, User> {
    return this.#sessions.users;
  }

  /** Nobody is here, and nobody has yet to be said to have left. */
  get empty(): boolean {
    return this.#sessions.empty && this.users.size === 0;
  }

  /** How many users connections speak for. */
  get size(): number {
    return this.#sessions.size;
  }

  has(userId: string): boolean {
    return this.#sessions.has(userId);
  }

  /** How many sessions a user would have with these. */
  sessionCountWith(userId: string, ids: ReadonlySet<string>): number {
    const known = [...ids].filter((id) => this.#sessions.hasSession(userId, id));
    return this.#sessions.countOf(userId) + ids.size - known.length;
  }

  /** How many sessions a user has. */
  sessionCount(userId: string): number {
    return this.#sessions.countOf(userId);
  }

  /** The newest choice of status of a user, be it that they are not here. */
  choiceOf(userId: string): ManualChoice | null {
    return newerManual(this.#sessions.choiceOf(userId), this.#remembered.get(userId));
  }

  /** A choice of status that a user made before, on whatever device. [PEOPLE-5] */
  remember(userId: string, choice: ManualChoice, wall: number): Effects<K> {
    this.#remembered.set(userId, choice);
    this.#sessions.recount(userId, wall);
    const newest = this.#sessions.choiceOf(userId);
    const behind = newest === null ? [] : this.#sessions.keysOf(userId).filter((key) => this.#isBehind(key, newest));
    return {
      visibility: this.#checkVisibility(userId),
      choices: newest === null ? [] : behind.map((key) => [key, newest]),
      isNews: this.#sessions.has(userId),
    };
  }

  /** Nothing is remembered of a user any more. */
  forget(userId: string): void {
    this.#remembered.delete(userId);
  }

  /** A flush has left somebody for a later one. */
  get pending(): boolean {
    return this.#sessions.pending;
  }

  /** Takes what a connection says. */
  report(key: K, report: Report, wall: number): Effects<K> {
    const { id } = report.claim.user;
    const before = this.#sessions.choiceOf(id);
    const formerly = this.#sessions.reportOf(key)?.claim.user.id;
    const isNews = this.#sessions.set(key, report, wall);
    const visibility: (readonly [K, boolean])[] = [];
    if (formerly !== undefined && formerly !== id) visibility.push(...this.#checkVisibility(formerly));
    visibility.push(...this.#checkVisibility(id), [key, !this.#invisible.has(id)]);
    const choice = this.#sessions.choiceOf(id);
    if (choice === null) return { visibility, choices: [], isNews };
    const isNewer = before === null || choice.at > before.at;
    const behind = (isNewer ? this.#sessions.keysOf(id) : [key]).filter((each) => this.#isBehind(each, choice));
    return { visibility, choices: behind.map((each) => [each, choice]), isNews };
  }

  /** A connection is gone. @param lastSeen when it was last known to be alive, ms since the epoch */
  withdraw(key: K, lastSeen: number, wall: number): Effects<K> {
    const user = this.#sessions.reportOf(key)?.claim.user.id;
    if (user === undefined) return { visibility: [], choices: [], isNews: false };
    const choice = this.#sessions.choiceOf(user);
    this.#sessions.delete(key, lastSeen, wall);
    // the last session that said so has gone
    if (choice !== null && !isGuest(user) && this.#sessions.choiceOf(user)?.at !== choice.at) {
      this.#remembered.set(user, choice);
    }
    return { visibility: this.#checkVisibility(user), choices: [], isNews: true };
  }

  /** What changed since the last flush. Entries that cost readers much wait for their turn (`pending`). */
  flush(now: number, wall: number): readonly PresenceEvent[] {
    const events = this.#sessions.flush(wall, (userId) => (this.#notBefore.get(userId) ?? 0) <= now);
    for (const [userId, at] of this.#notBefore) if (at <= now) this.#notBefore.delete(userId);
    for (const { type, userId } of events) {
      if (type === "leave") continue;
      const bytes = Math.min(this.#sessions.bytesOf(userId), MAX_ENTRY_BYTES);
      const waitMs = (bytes / BYTES_PER_SECOND) * 1_000;
      if (waitMs > SHORT_WAIT_MS) this.#notBefore.set(userId, now + waitMs);
    }
    return events;
  }

  /** Whether a session in the lobby has not heard of its user's newest choice. */
  #isBehind(key: K, choice: ManualChoice): boolean {
    const report = this.#sessions.reportOf(key);
    return report?.room === null && choice.at > (report.claim.session.manual?.at ?? -1);
  }

  /** The connections of a user that others may see, or may no more, since a choice or its end. [STATUS-5] */
  #checkVisibility(userId: string): readonly (readonly [K, boolean])[] {
    const invisible = this.#sessions.choiceOf(userId)?.status === "invisible";
    if (invisible === this.#invisible.has(userId)) return [];
    if (invisible) this.#invisible.add(userId);
    else this.#invisible.delete(userId);
    return this.#sessions.keysOf(userId).map((key) => [key, !invisible]);
  }
}
