/**
 * A lobby document as its readers see it: the union of the shards that a live relay vouches for. [LOBBY-2] It only reads. When to look,
 * and whom to keep while a connection is down, its user decides.
 */
import type * as Y from "yjs";
import {
  type Claim,
  type JsonObject,
  type Unsubscribe,
  type User,
  type UserInfo,
  equal,
  joinSessions,
  userOf,
  withSession,
} from "../presence/index.ts";
import { type ShardMap, isLostShard, keysIn, readShardUser, shardsOf, valueIn, vouchedShard } from "./layout.ts";

/** What the shards that count say of one user. A shard counts while a live relay vouches for it. */
export interface UnionUser<Meta = JsonObject> {
  /** The user's name and colour; undefined: no shard names the user. */
  readonly info: UserInfo | undefined;
  /** The sessions by id, one claim for each; none: the user has left. */
  readonly claims: Map<PropertyKey, Claim<Meta>>;
  /** When the user was last seen by the relay that wrote last, ms since the epoch; 0: no shard says so. */
  readonly lastSeen: number;
}

export class Union<Meta = JsonObject> {
  readonly #shards: Y.Map<ShardMap>;
  /** Shards that count, each with whether its relay is lost. */
  #vouched: ReadonlyMap<string, boolean> = new Map();

  constructor(doc: Y.Doc) {
    this.#shards = shardsOf(doc);
  }

  /** Whether a live relay vouches for any shard. If none does, nobody is here as far as can be known. */
  get isVouched(): boolean {
    return this.#vouched.size > 0;
  }

  /**
   * Takes the awareness states of the lobby, by which live relays vouch for their shards.
   *
   * @returns whether other shards count now: then anybody may have come or gone
   */
  vouch(states: Iterable<unknown>): boolean {
    const vouched = new Map<string, boolean>();
    for (const state of states) {
      const shard = vouchedShard(state);
      if (shard !== null) vouched.set(shard, isLostShard(state));
    }
    const isNews = !equal(Object.fromEntries(vouched), Object.fromEntries(this.#vouched));
    this.#vouched = vouched;
    return isNews;
  }

  /**
   * Tells which users' entries were written.
   *
   * @param listener is given the ids of the users; null: it may be any of them
   */
  observe(listener: (userIds: readonly string[] | null) => void): Unsubscribe {
    const shards = this.#shards;
    let known = new Set(keysIn(shards));
    // events differ between Yjs 13 and 14, transactions do not
    const onChange = (_events: unknown, { changed }: Y.Transaction): void => {
      const before = known;
      known = new Set(keysIn(shards));
      const userIds: string[] = [];
      for (const [map, keys] of changed) {
        // a key that is null is of no map, and names nobody
        for (const key of keys as Set<string>) {
          if (map !== (shards as never)) userIds.push(key);
          // a shard that went or was rewritten may say anything of anybody
          else if (before.has(key)) return listener(null);
          else for (const userId of keysIn(valueIn(shards, key))) userIds.push(userId);
        }
      }
      listener(userIds);
    };
    shards.observeDeep(onChange);
    return () => shards.unobserveDeep(onChange);
  }

  /** The ids of all users whom any shard names, whether or not a relay vouches for it. */
  userIds(): Set<string> {
    const ids = new Set<string>();
    for (const shardId of keysIn(this.#shards)) {
      for (const userId of keysIn(valueIn(this.#shards, shardId))) ids.add(userId);
    }
    return ids;
  }

  /** What the shards that count say of one user. */
  read(userId: string): UnionUser<Meta> {
    const claims = new Map<PropertyKey, Claim<Meta>>();
    let info: UserInfo | undefined;
    let lastSeen = 0;
    for (const [shardId, isLost] of this.#vouched) {
      const value = valueIn(valueIn(this.#shards, shardId), userId);
      if (value === undefined) continue;
      const entry = readShardUser<Meta>(userId, value);
      info ??= entry.user;
      lastSeen = Math.max(lastSeen, entry.lastSeen);
      for (const said of entry.claims) {
        // [BUS-17] sessions of a relay that is lost have yet to be heard elsewhere
        const claim = isLost ? withSession(said, { reconnecting: true }) : said;
        const { id } = claim.session;
        const known = claims.get(id);
        claims.set(id, known === undefined ? claim : withSession(claim, joinSessions(known.session, claim.session)));
      }
    }
    return { info, claims, lastSeen };
  }
}

/** Everybody who is here, each counted once over all shards. */
export function usersOf<Meta = JsonObject>(union: Union<Meta>): User<Meta>[] {
  return [...union.userIds()].flatMap((userId) => {
    const { claims } = union.read(userId);
    return claims.size === 0 ? [] : [userOf<Meta>(userId, [...claims.values()])];
  });
}
