/** Some people of the lobby, wherever they are: a contact list. [WATCH-3] */
import { type Claim, type JsonObject, type User, readUserId } from "../../presence/index.ts";
import { type Refusal, type Roster, RosterStore } from "./roster.ts";

/** The roster of the people that `presence.watch` was given. */
export interface Watch<Meta = JsonObject> extends Roster<Meta> {
  /** The ids that are watched. */
  readonly ids: readonly string[];
  /**
   * Watches these instead. Of those that are new here nobody is said to join, and of those that are not among them any more
   * nobody is said to leave.
   *
   * @throws RangeError for more than 1,000 over all watches of a client
   */
  set(userIds: Iterable<string>): void;
  /** Watches nobody any more; does nothing the second time. */
  stop(): void;
}

/** What a watch needs of the lobby. */
export interface WatchedLobby<Meta> {
  readonly roomId: string;
  readonly status: Roster<Meta>["status"];
  readonly refusal: Refusal | null;
  readonly selfId: string | undefined;
  awaits(userId: string): boolean;
  /** Has the watch be of these from now on, in the place of those before. Throws RangeError for too many. */
  watchUsers(watch: WatchedPeople<Meta>, userIds: ReadonlySet<string>): void;
}

export class WatchedPeople<Meta> extends RosterStore<Meta> implements Watch<Meta> {
  readonly #lobby: WatchedLobby<Meta>;
  /** Set by the lobby. */
  userIds: ReadonlySet<string> = new Set();
  #isStarted = false;

  constructor(lobby: WatchedLobby<Meta>, userIds: Iterable<string>) {
    super(lobby.roomId, lobby.selfId);
    this.#lobby = lobby;
    this.set(userIds);
    // a listener that is added now hears of the first snapshot, though it may be known already
    queueMicrotask(() => {
      this.#isStarted = true;
      this.update(false);
    });
  }

  get ids(): readonly string[] {
    return [...this.userIds];
  }

  override get refusal(): Refusal | null {
    return this.#lobby.refusal;
  }

  set(userIds: Iterable<string>): void {
    const before = this.userIds;
    const after = checked(userIds);
    this.#lobby.watchUsers(this, after);
    for (const userId of before) if (!after.has(userId)) this.take(userId, new Map(), 0, undefined);
    this.update(false);
  }

  stop(): void {
    this.set([]);
    this.clear();
  }

  /** Takes what the lobby knows of one of them now. */
  take(userId: string, claims: Map<PropertyKey, Claim<Meta>>, lastSeen: number, left: User<Meta> | undefined): void {
    this.people.selfId = this.#lobby.selfId;
    this.people.replace(userId, claims, lastSeen);
    this.setRecent(userId, left);
  }

  /** The lobby has told of all that is new. @param isHeard whether what is new is told as events */
  update(isHeard: boolean): void {
    if (!this.#isStarted) return;
    const { status } = this.#lobby;
    const isKnown = this.synced || !this.ids.some((userId) => this.#lobby.awaits(userId));
    this.flush(status === "live" && !isKnown ? "connecting" : status, isHeard);
  }
}

/** A relay ends the lobby of a client that asks for what is no id. */
function checked(userIds: Iterable<string>): Set<string> {
  const ids = new Set(typeof userIds === "string" ? [""] : userIds);
  for (const id of ids) if (readUserId(id) === undefined) throw new TypeError("watch: give a list of users' ids");
  return ids;
}
