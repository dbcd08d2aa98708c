/**
 * The shard of one relay in one lobby document: who is here, and who left lately.
 *
 * A Y.Map keeps a trace of every value it ever held; a nested map that is replaced is collected whole. So the shard
 * counts what it has overwritten and starts a new map once that outweighs what is alive.
 */
import * as Y from "yjs";
import { type PresenceEvent, type User, equal, infoOf, isGuest } from "../presence/index.ts";
import { type LobbySession, type LobbyUser, type Shard as ShardMap, shardsOf } from "../wire/index.ts";

export interface RecentPolicy {
  /** How long one who left is remembered, ms. */
  readonly recentTtl: number;
  /** How many of them at most. */
  readonly recentMax: number;
}

/** Overwritten values for each live one before the map is replaced. */
const DEAD_PER_LIVE = 2;
/** A small map is not worth replacing often. */
const DEAD_MIN = 64;

export class Shard {
  readonly id: string;
  readonly doc: Y.Doc;
  readonly #policy: RecentPolicy;
  /** Leavers by user id, the longest gone first. */
  readonly #recent = new Map<string, number>();
  #map: ShardMap;
  #dead = 0;

  constructor(id: string, policy: RecentPolicy) {
    this.id = id;
    this.#policy = policy;
    this.doc = new Y.Doc();
    this.#map = new Y.Map();
    shardsOf(this.doc).set(id, this.#map);
  }

  /** Leavers that are still remembered. */
  get recent(): number {
    return this.#recent.size;
  }

  /** Writes what the events changed, in one transaction; nothing, where nothing did. */
  write(events: readonly PresenceEvent[], now: number): void {
    this.doc.transact(() => {
      for (const event of events) this.#apply(event, now);
      this.#forget(now);
      if (this.#dead > Math.max(DEAD_MIN, DEAD_PER_LIVE * this.#map.size)) this.#replaceMap();
    });
  }

  destroy(): void {
    this.doc.destroy();
  }

  #apply({ type, user, userId }: PresenceEvent, now: number): void {
    if (type !== "leave") {
      this.#recent.delete(userId);
      this.#set(userId, lobbyUser(user, now));
    } else if (isGuest(userId) || this.#policy.recentMax === 0) {
      // a guest never comes back under the same id: nothing to remember them by
      this.#delete(userId);
    } else {
      this.#recent.delete(userId);
      this.#recent.set(userId, user.lastSeen);
      this.#set(userId, { user: withoutId(user), sessions: {}, lastSeen: user.lastSeen });
    }
  }

  #forget(now: number): void {
    for (const [userId, lastSeen] of this.#recent) {
      if (this.#recent.size <= this.#policy.recentMax && lastSeen > now - this.#policy.recentTtl) break;
      this.#recent.delete(userId);
      this.#delete(userId);
    }
  }

  #set(userId: string, value: LobbyUser): void {
    const known = this.#map.get(userId);
    if (known !== undefined && equal(known.sessions, value.sessions) && equal(known.user, value.user)) return;
    if (known !== undefined) this.#dead++;
    this.#map.set(userId, value);
  }

  #delete(userId: string): void {
    if (!this.#map.has(userId)) return;
    this.#map.delete(userId);
    this.#dead++;
  }

  #replaceMap(): void {
    this.#map = new Y.Map(this.#map.entries());
    shardsOf(this.doc).set(this.id, this.#map);
    this.#dead = 0;
  }
}

function withoutId(user: User): LobbyUser["user"] {
  const { id: _, ...info } = infoOf(user);
  return info;
}

function lobbyUser(user: User, now: number): LobbyUser {
  const sessions = user.sessions.map((session): [string, LobbySession] => [
    session.id,
    {
      status: session.status,
      ...(session.manual !== null && { manual: session.manual }),
      device: session.device,
      since: session.since,
      rooms: session.rooms,
      meta: session.meta,
      ...(session.reconnecting && { reconnecting: true }),
    },
  ]);
  // an object made of entries takes a session named __proto__ as any other name
  return { user: withoutId(user), sessions: Object.fromEntries(sessions), lastSeen: now };
}
