/**
 * The directory of a lobby: which users are anywhere, which status each chose, and who may be seen. It turns the reports of connections
 * into effects on other connections of the same user, and leaves acting on them to its caller. A connection is an opaque key.
 */
import {
  type ManualChoice,
  type PresenceEvent,
  type User,
  isGuest,
  newerManual,
  newestManual,
} from "../presence/index.ts";
import { RememberedChoices } from "./choices.ts";
import { type ChangedUsers, Everyone } from "./everyone.ts";
import type { LobbyUser } from "./layout.ts";
import { type Report, Sessions } from "./sessions.ts";
import { MAX_ENTRY_BYTES } from "./shard.ts";

/** What has to be done after a report, by the caller. */
export interface Effects<K> {
  /** Whether others may see these connections' states now; some may be known already. [STATUS-5] */
  readonly visibility: readonly (readonly [key: K, visible: boolean])[];
  /** The newest choice of status of the user, for connections to the lobby whose session has not heard of it. [STATUS-4] */
  readonly choices: readonly (readonly [key: K, choice: ManualChoice])[];
  /** There is something to flush. */
  readonly isNews: boolean;
}

/** Bytes a second that the entry of one user may cost each reader: a large entry is written less often. [LOBBY-10] */
const BYTES_PER_SECOND = 32 * 1024;
/** An entry that would only wait for so long is written at once, ms. */
const SHORT_WAIT_MS = 50;

export class Directory<K extends object> {
  readonly #sessions: Sessions<K>;
  readonly #remembered: RememberedChoices;
  /** Users who must not be seen: those whose newest choice is to be invisible. */
  readonly #invisible = new Set<string>();
  /** Users who are not shown to anybody anew until it is known what they chose elsewhere. */
  readonly #withheld = new Set<string>();
  /** When the entry of a user may be written again, for users whose entries are large, monotonic ms. */
  readonly #notBefore = new Map<string, number>();
  /** Own people and those of other relays; undefined: there are no others. */
  #everyone: Everyone | undefined;
  /** Events that were flushed before the first shard of another relay came, and have yet to be told. */
  #early: readonly PresenceEvent[] = [];
  #ownEvents: readonly PresenceEvent[] = [];

  /**
   * @param roomId the lobby's name, as events and users give it: `@lobby`, or `@lobby/<name>`
   * @param maxRemembered how many users who are not here have their choice of status remembered; default 0
   */
  constructor(roomId: string, maxRemembered: number = 0) {
    this.#remembered = new RememberedChoices(maxRemembered);
    this.#sessions = new Sessions<K>(roomId, (userId) => this.#remembered.get(userId));
  }

  /** Everyone present as others see them, over all relays, as of the last flush. */
  get users(): ReadonlyMap<string, User> {
    return this.#everyone?.users ?? this.#sessions.users;
  }

  /** The users of the own connections, with what these connections say and nothing else: the users of the own shard. [LOBBY-15] */
  get ownUsers(): ReadonlyMap<string, User> {
    return this.#sessions.users;
  }

  /** The changes of `ownUsers` by the last flush, to be written to the own shard. [LOBBY-15] */
  get ownEvents(): readonly PresenceEvent[] {
    return this.#ownEvents;
  }

  /** Nobody is here, and every leave was announced. */
  get empty(): boolean {
    return this.#sessions.empty && this.users.size === 0 && this.#everyone?.empty !== false;
  }

  /** How many users the own connections speak for. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Whether any of the own connections speaks for a user. */
  has(userId: string): boolean {
    return this.#sessions.has(userId);
  }

  /** The own connections that speak for a user. */
  keysOf(userId: string): readonly K[] {
    return this.#sessions.keysOf(userId);
  }

  /** Whether a connection has said anything, and was not taken out since. */
  isReported(key: K): boolean {
    return this.#sessions.reportOf(key) !== undefined;
  }

  /** How many sessions a user would have on the own connections with these. */
  sessionCountWith(userId: string, ids: ReadonlySet<string>): number {
    const known = [...ids].filter((id) => this.#sessions.hasSession(userId, id));
    return this.#sessions.countOf(userId) + ids.size - known.length;
  }

  /** How many sessions a user has on the own connections. */
  sessionCount(userId: string): number {
    return this.#sessions.countOf(userId);
  }

  /** The newest choice of status of a user, also of one who is not here. */
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

  /** Whether nothing is known of a user: no session here or elsewhere, and no choice of status that holds elsewhere now. */
  isStranger(userId: string): boolean {
    if (this.#sessions.has(userId) || this.users.has(userId)) return false;
    return this.#everyone === undefined || this.#everyone.choiceElsewhere(userId) === null;
  }

  /**
   * Shows a user to nobody until `reveal`: it is not known yet what the user chose elsewhere. Who sees a connection of the user already, as
   * that of another relay, goes on to see it. [LOBBY-22]
   */
  withhold(userId: string): void {
    this.#withheld.add(userId);
  }

  isWithheld(userId: string): boolean {
    return this.#withheld.has(userId);
  }

  /** Shows users who were withheld, unless they chose to be invisible. [LOBBY-22] */
  reveal(userIds: Iterable<string>): Effects<K> {
    const visibility: (readonly [K, boolean])[] = [];
    let isNews = false;
    for (const userId of userIds) {
      if (!this.#withheld.delete(userId)) continue;
      this.#checkVisibility(userId);
      const isVisible = !this.#invisible.has(userId);
      for (const key of this.#sessions.keysOf(userId)) visibility.push([key, isVisible]);
      isNews ||= this.#sessions.has(userId);
    }
    return { visibility, choices: [], isNews };
  }

  /** Forgets the choice of a user. */
  forget(userId: string): void {
    this.#remembered.delete(userId);
  }

  /** A flush has left changes of some users for a later flush. */
  get pending(): boolean {
    return this.#sessions.pending;
  }

  /**
   * Takes what a connection says, in the place of what it said before.
   *
   * @param wall ms since the epoch
   */
  report(key: K, report: Report, wall: number): Effects<K> {
    const { id } = report.claim.user;
    const before = this.#sessions.choiceOf(id);
    const formerly = this.#sessions.reportOf(key)?.claim.user.id;
    const isNews = this.#sessions.set(key, report, wall);
    if (isNews && formerly !== undefined && formerly !== id) this.#everyone?.count(formerly, wall, wall);
    if (isNews) this.#everyone?.count(id, wall, wall);
    const visibility: (readonly [K, boolean])[] = [];
    if (formerly !== undefined && formerly !== id) visibility.push(...this.#checkVisibility(formerly));
    visibility.push(...this.#checkVisibility(id));
    const isVisible = this.#isShown(id) && !this.#invisible.has(id);
    // [LOBBY-22] whether others see a connection of a withheld user stays as it was, unless it was another user's
    const isDecided = this.#isShown(id) || this.#invisible.has(id) || (formerly ?? id) !== id;
    if (isDecided) visibility.push([key, isVisible]);
    return { visibility, choices: this.#choicesFor(id, before, [key]), isNews };
  }

  /**
   * Takes out a connection that is gone.
   *
   * @param lastSeen when it was last known to be alive, ms since the epoch
   * @param wall ms since the epoch
   */
  withdraw(key: K, lastSeen: number, wall: number): Effects<K> {
    const user = this.#sessions.reportOf(key)?.claim.user.id;
    if (user === undefined) return { visibility: [], choices: [], isNews: false };
    const choice = this.#sessions.choiceOf(user);
    this.#sessions.delete(key, lastSeen, wall);
    // the last session with this choice has gone: the lobby remembers the choice
    if (choice !== null && !isGuest(user) && this.#sessions.choiceOf(user)?.at !== choice.at) {
      this.#remembered.set(user, choice);
    }
    this.#everyone?.count(user, lastSeen, wall);
    return { visibility: this.#checkVisibility(user), choices: [], isNews: true };
  }

  /**
   * Counts the users of another relay's shard with the own people, in the place of all that it said before: a session
   * that it does not name any more is gone. A user whose value is the same object as before costs next to nothing.
   * [LOBBY-13] [LOBBY-16]
   *
   * A shard that readers are sent does not name who is invisible. So that connections here are hidden too, the sessions of
   * such a user must be given here with that choice.
   *
   * @param relay the other relay's id, such as that of its shard
   * @param users its users by id, such as a Map or the entries of its shard; what is of the wrong shape counts as absent
   * @param wall ms since the epoch
   */
  importShard(relay: string, users: Iterable<readonly [userId: string, user: LobbyUser]>, wall: number): Effects<K> {
    const everyone = this.#withOthers(wall);
    return this.#recount(everyone, everyone.put(relay, users, wall), wall);
  }

  /**
   * Takes what another relay's shard says of some users, in the place of what it said of them before. It costs nothing for the
   * others whom the shard names. [LOBBY-13] [LOBBY-20]
   *
   * @param users null: the shard names the user no more
   * @param wall ms since the epoch
   */
  importUsers(
    relay: string,
    users: Iterable<readonly [userId: string, user: LobbyUser | null]>,
    wall: number,
  ): Effects<K> {
    const everyone = this.#withOthers(wall);
    return this.#recount(everyone, everyone.change(relay, users, wall), wall);
  }

  /**
   * Takes a choice of status that a user made on another relay. [LOBBY-16]
   *
   * @param choice null: the user has none there any more
   * @param wall ms since the epoch
   */
  importChoice(relay: string, userId: string, choice: ManualChoice | null, wall: number): Effects<K> {
    const everyone = this.#withOthers(wall);
    everyone.choose(relay, userId, choice);
    return this.#recount(everyone, new Map([[userId, wall]]), wall);
  }

  /** The newest choice of status that a user made in a session that the own connections speak for. */
  ownChoice(userId: string): ManualChoice | null {
    const reports = this.#sessions.keysOf(userId).flatMap((key) => this.#sessions.reportOf(key) ?? []);
    return newestManual(reports.map(({ claim }) => claim.session));
  }

  /** The users whom the own connections speak for. */
  get ownUserIds(): Iterable<string> {
    return this.#sessions.claimed;
  }

  /** No own connection speaks for anybody, and every leave was announced. */
  get isOwnEmpty(): boolean {
    return this.#sessions.empty && this.#sessions.users.size === 0;
  }

  #withOthers(wall: number): Everyone {
    if (this.#everyone === undefined) {
      this.#early = this.#sessions.flush(wall, this.#isShown);
      this.#everyone = new Everyone(this.#sessions, wall, this.#isShown);
    }
    return this.#everyone;
  }

  /**
   * Takes out all that another relay's shard said, since that relay is lost. A caller that wants to keep its people for a grace calls
   * later. [LOBBY-14]
   *
   * @param lastSeen when that relay was last known to be alive, ms since the epoch
   * @param wall ms since the epoch
   */
  withdrawShard(relay: string, lastSeen: number, wall: number): Effects<K> {
    if (this.#everyone === undefined) return { visibility: [], choices: [], isNews: false };
    return this.#recount(this.#everyone, this.#everyone.drop(relay, lastSeen), wall);
  }

  /**
   * Returns what changed since the last flush, over all relays. Own entries that cost readers much wait for their turn (`pending`).
   * The changes to be written to the own shard are in `ownEvents` then.
   *
   * @param now by a clock that only goes forward, ms
   * @param wall ms since the epoch
   */
  flush(now: number, wall: number): readonly PresenceEvent[] {
    const isDue = (userId: string): boolean => this.#isShown(userId) && (this.#notBefore.get(userId) ?? 0) <= now;
    const own = this.#sessions.flush(wall, isDue);
    const events = this.#early.concat(this.#everyone?.flush(wall, this.#isShown) ?? own);
    this.#ownEvents = this.#early.concat(own);
    this.#early = [];
    // no other relay has people here any more
    if (this.#everyone?.alone === true && !this.pending) this.#everyone = undefined;
    this.#pace(now);
    return events;
  }

  readonly #isShown = (userId: string): boolean => !this.#withheld.has(userId);

  /** Notes how long own entries that cost readers much have to wait. [LOBBY-10] */
  #pace(now: number): void {
    for (const [userId, at] of this.#notBefore) if (at <= now) this.#notBefore.delete(userId);
    for (const { type, userId } of this.#ownEvents) {
      if (type === "leave") continue;
      const bytes = Math.min(this.#sessions.bytesOf(userId), MAX_ENTRY_BYTES);
      const waitMs = (bytes / BYTES_PER_SECOND) * 1_000;
      if (waitMs > SHORT_WAIT_MS) this.#notBefore.set(userId, now + waitMs);
    }
  }

  /** Counts users of whom another relay says something else than before. */
  #recount(everyone: Everyone, changed: ChangedUsers, wall: number): Effects<K> {
    const visibility: (readonly [K, boolean])[] = [];
    const choices: (readonly [K, ManualChoice])[] = [];
    for (const [userId, lastSeen] of changed) {
      const before = this.#sessions.choiceOf(userId);
      this.#sessions.choose(userId, everyone.choiceElsewhere(userId), wall);
      everyone.count(userId, lastSeen, wall);
      visibility.push(...this.#checkVisibility(userId));
      choices.push(...this.#choicesFor(userId, before, []));
    }
    return { visibility, choices, isNews: changed.size > 0 };
  }

  /** Which connections of a user are told of the user's choice: those that have not heard of it, of all if it is new, else of `keys`. [LOBBY-16] */
  #choicesFor(
    userId: string,
    before: ManualChoice | null,
    keys: readonly K[],
  ): readonly (readonly [K, ManualChoice])[] {
    const choice = this.#sessions.choiceOf(userId);
    if (choice === null) return [];
    const isNewer = before === null || choice.at > before.at;
    const behind = (isNewer ? this.#sessions.keysOf(userId) : keys).filter((key) => this.#isBehind(key, choice));
    return behind.map((key) => [key, choice]);
  }

  /** Whether a session in the lobby has not heard of its user's newest choice. */
  #isBehind(key: K, choice: ManualChoice): boolean {
    const report = this.#sessions.reportOf(key);
    return report?.room === null && choice.at > (report.claim.session.manual?.at ?? -1);
  }

  /** The connections of a user, each with whether others may see it now, where a choice or its end has changed that. [STATUS-5] [LOBBY-17] */
  #checkVisibility(userId: string): readonly (readonly [K, boolean])[] {
    const invisible = this.#sessions.choiceOf(userId)?.status === "invisible";
    if (invisible === this.#invisible.has(userId)) return [];
    if (invisible) this.#invisible.add(userId);
    else this.#invisible.delete(userId);
    // one who is not invisible after all is shown by `reveal`
    if (!invisible && !this.#isShown(userId)) return [];
    return this.#sessions.keysOf(userId).map((key) => [key, !invisible]);
  }
}
