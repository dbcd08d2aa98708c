/**
 * Everybody in a lobby of several relays: the people of the own connections, and the people whom the shards of other relays name.
 *
 * A directory makes one with the first shard that it is given, so that a relay without others does not count its people twice.
 */
import {
  type Claim,
  type ManualChoice,
  People,
  type PresenceEvent,
  type User,
  newerManual,
  newestManual,
} from "../presence/index.ts";
import { keyOf } from "../util/key.ts";
import { type LobbyUser, type ShardUser, readShardUser } from "./layout.ts";

/** What the own connections say of users, as of now. */
interface OwnPeople {
  readonly roomId: string;
  readonly claimed: Iterable<string>;
  claimsOf(userId: string): ReadonlyMap<PropertyKey, Claim>;
}

interface ImportedUser extends ShardUser {
  /** As it was given: the same object says the same. */
  readonly value: LobbyUser;
}

/** Users whose entries in a shard have changed, each with the time at which sessions that are gone were last seen, ms. */
export type ChangedUsers = ReadonlyMap<string, number>;

export class Everyone {
  readonly #own: OwnPeople;
  readonly #people: People;
  /** What each of the other relays says, by its id and by user id. */
  readonly #shards = new Map<string, Map<string, ImportedUser>>();

  /** The choices that users made on other relays, by relay and user: those too that no shard tells. */
  readonly #choices = new Map<string, Map<string, ManualChoice>>();

  /**
   * @param own the people of the own connections
   * @param isShown whether a user was announced already; the join of any other user is announced later
   */
  constructor(own: OwnPeople, wall: number, isShown: (userId: string) => boolean) {
    this.#own = own;
    this.#people = new People(own.roomId);
    for (const userId of own.claimed) this.count(userId, wall, wall);
    this.#people.flush(wall, false, isShown);
  }

  /** Everyone present as others see them, as of the last flush. */
  get users(): ReadonlyMap<string, User> {
    return this.#people.users;
  }

  /** Nobody is here, and nobody has yet to be said to have left. */
  get empty(): boolean {
    for (const _ of this.#people.claimed) return false;
    return true;
  }

  /** Takes a choice of status that a user made on another relay; null: the user has none there any more. */
  choose(relay: string, userId: string, choice: ManualChoice | null): void {
    const choices = this.#choices.get(relay) ?? new Map<string, ManualChoice>();
    if (choice === null) choices.delete(userId);
    else choices.set(userId, choice);
    if (choices.size > 0) this.#choices.set(relay, choices);
    else this.#choices.delete(relay);
  }

  /** Of whom a relay has said a choice. */
  choosers(relay: string): readonly string[] {
    return [...(this.#choices.get(relay)?.keys() ?? [])];
  }

  /** No other relay is counted. */
  get alone(): boolean {
    return this.#shards.size === 0 && this.#choices.size === 0;
  }

  /** The newest choice of status that a user made on another relay. */
  choiceElsewhere(userId: string): ManualChoice | null {
    let choice: ManualChoice | null = null;
    for (const users of this.#shards.values()) {
      const claims = users.get(userId)?.claims ?? [];
      choice = newerManual(choice, newestManual(claims.map(({ session }) => session)));
    }
    for (const choices of this.#choices.values()) choice = newerManual(choice, choices.get(userId) ?? null);
    return choice;
  }

  /** Puts these in the place of all that a relay said before. The users that it returns are then to be counted. */
  put(relay: string, users: Iterable<readonly [userId: string, user: LobbyUser]>, wall: number): ChangedUsers {
    const named = new Map(users);
    const gone = [...(this.#shards.get(relay)?.keys() ?? [])].filter((userId) => !named.has(userId));
    return this.change(relay, [...named, ...gone.map((userId) => [userId, null] as const)], wall);
  }

  /** Puts these in the place of what a relay said of the same users before; null: it says nothing of the user any more. */
  change(
    relay: string,
    users: Iterable<readonly [userId: string, user: LobbyUser | null]>,
    wall: number,
  ): ChangedUsers {
    const shard = this.#shards.get(relay) ?? new Map<string, ImportedUser>();
    this.#shards.set(relay, shard);
    const changed = new Map<string, number>();
    for (const [userId, value] of users) {
      if (value === null) {
        if (shard.delete(userId)) changed.set(userId, wall);
        continue;
      }
      if (shard.get(userId)?.value === value) continue;
      const user = { ...readShardUser(userId, value), value };
      shard.set(userId, user);
      // [TIME-1] the other relay's clock may be ahead
      changed.set(userId, Math.min(user.lastSeen || wall, wall));
    }
    return changed;
  }

  /** Forgets all that a relay said. The users that it returns are then to be counted. */
  drop(relay: string, lastSeen: number): ChangedUsers {
    const shard = this.#shards.get(relay);
    this.#shards.delete(relay);
    const users = new Set([...(shard?.keys() ?? []), ...this.choosers(relay)]);
    this.#choices.delete(relay);
    return new Map([...users].map((userId) => [userId, lastSeen]));
  }

  /**
   * Counts a user's sessions anew, over all relays. [LOBBY-13]
   *
   * @param lastSeen when sessions that are gone were last known to be alive, ms since the epoch
   */
  count(userId: string, lastSeen: number, wall: number): void {
    // keys of own sessions are of two texts, those of others of three: none is another's
    const claims = new Map(this.#own.claimsOf(userId));
    for (const [relay, users] of this.#shards) {
      for (const claim of users.get(userId)?.claims ?? []) claims.set(keyOf(relay, userId, claim.session.id), claim);
    }
    for (const key of this.#people.claimsOf(userId).keys()) {
      if (!claims.has(key)) this.#people.delete(key, lastSeen, wall);
    }
    for (const [key, claim] of claims) this.#people.set(key, claim);
  }

  /**
   * What changed since the last flush, as others see it.
   *
   * @param isShown whether others may see a user now
   */
  flush(wall: number, isShown: (userId: string) => boolean): readonly PresenceEvent[] {
    return this.#people.flush(wall, true, isShown);
  }
}
