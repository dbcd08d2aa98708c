/**
 * The lobby as a reader sees it: the union over the shards that a live relay vouches for, with the own session as it is
 * here and now.
 */
import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";
import {
  type Claim,
  type ConnectionState,
  type JsonObject,
  type User,
  type UserInfo,
  departed,
  joinSessions,
  readState,
  withSession,
} from "../presence/index.ts";
import { type Shard, readShardUser, shardsOf, vouchedShard } from "../wire/index.ts";
import { type Roster, type RosterSnapshot, RosterStore } from "./roster.ts";

/** A room that somebody is in. */
export interface RoomSummary<Meta = JsonObject> {
  readonly name: string;
  readonly users: readonly User<Meta>[];
  /** How many users. */
  readonly count: number;
}

export interface LobbySnapshot<Meta = JsonObject> extends RosterSnapshot<Meta> {
  /** The rooms that somebody is in, by name. */
  readonly rooms: readonly RoomSummary<Meta>[];
}

/** Everyone in the application, with the rooms they are in. */
export interface Lobby<Meta = JsonObject> extends Roster<Meta> {
  getSnapshot(): LobbySnapshot<Meta>;
  /** Who is in a room, by name. */
  usersIn(room: string): readonly User<Meta>[];
  /** The rooms that somebody is in, by name; the same array for as long as nothing changed. */
  readonly rooms: readonly RoomSummary<Meta>[];
  /** Those who left lately, the last first. */
  readonly recent: readonly User<Meta>[];
}

export interface LobbySource {
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  readonly provider: Contact;
}

/** How the connection to the relay fares. */
interface Contact {
  /** Whether a peer is only kept because it may return. */
  isHeld(clientId: number): boolean;
  /** Whom the relay does not know any more may yet return. */
  readonly holds: boolean;
  /** When the relay was last heard before the connection was lost, ms since the epoch. */
  readonly lostContactAt: number;
}

const NOBODY: readonly never[] = Object.freeze([]);

export class LobbyReader<Meta> extends RosterStore<Meta> implements Lobby<Meta> {
  readonly #source: LobbySource;
  readonly #shards: Y.Map<Shard>;
  /** Shards whose relay is there. */
  #vouched: ReadonlySet<string> = new Set();
  /** Users with sessions that went while the connection was down, with it or for good: `release` decides. */
  readonly #held = new Set<string>();
  #own: Claim<Meta> | undefined;
  /** As they were listed last. */
  #rooms: readonly RoomSummary<Meta>[] = NOBODY;

  constructor(roomId: string, selfId: string, source: LobbySource) {
    super(roomId, selfId);
    this.#source = source;
    this.#shards = shardsOf(source.doc);
    this.#shards.observeDeep(this.#onDocument);
    source.awareness.on("change", this.refresh);
  }

  declare readonly getSnapshot: () => LobbySnapshot<Meta>;

  protected override makeSnapshot(): LobbySnapshot<Meta> {
    const snapshot = super.makeSnapshot();
    const list = (): readonly RoomSummary<Meta>[] => (this.#rooms = roomsOf(snapshot.users, this.#rooms));
    let rooms: readonly RoomSummary<Meta>[] | undefined;
    return {
      ...snapshot,
      // made when somebody asks: most changes of a lobby are looked at by nobody who lists rooms
      get rooms() {
        rooms ??= list();
        return rooms;
      },
    };
  }

  /** A live relay vouches for a shard: what is read is somebody's word. */
  get vouched(): boolean {
    return this.#vouched.size > 0;
  }

  get recent(): readonly User<Meta>[] {
    return this.getSnapshot().recent;
  }

  get rooms(): readonly RoomSummary<Meta>[] {
    return this.getSnapshot().rooms;
  }

  usersIn(room: string): readonly User<Meta>[] {
    return this.rooms.find((summary) => summary.name === room)?.users ?? NOBODY;
  }

  /** The own session, as it is: it does not wait for the relay to say it back. */
  setOwn(state: ConnectionState<Meta>, rooms: readonly string[]): void {
    const claim = readState<Meta>(this.#source.awareness.clientID, state, this.roomId);
    if (claim === null) return;
    this.#own = withSession(claim, { meta: state.copresence.meta, rooms, clientId: null });
    const { id } = claim.user;
    // the relay may know us as somebody else than we said [TOKEN-5]
    const { selfId = id } = this.people;
    this.people.selfId = id;
    if (id !== selfId) this.#readUser(selfId);
    this.#readUser(id);
    this.flush();
  }

  destroy(): void {
    this.#shards.unobserveDeep(this.#onDocument);
    this.#source.awareness.off("change", this.refresh);
    this.clear();
  }

  readonly #onDocument = (events: readonly Y.YEvent<Y.Map<unknown>>[]): void => {
    // a shard that came, went or was rewritten may say anything of anybody
    const users = events.some(({ target }) => target === this.#shards)
      ? this.#everyone()
      : events.flatMap(({ keys }) => [...keys.keys()]);
    for (const userId of users) this.#readUser(userId);
    this.flush();
  };

  /** Reads who vouches for what; also after peers were held. [LOBBY-2] */
  readonly refresh = (): void => {
    const vouched = new Set<string>();
    for (const [id, state] of this.#source.awareness.states) {
      const shard = vouchedShard(state);
      if (shard !== null && !this.#source.provider.isHeld(id)) vouched.add(shard);
    }
    if (sameMembers([...vouched], [...this.#vouched])) return;
    this.#vouched = vouched;
    for (const userId of this.#everyone()) this.#readUser(userId);
    this.flush();
  };

  /** Gives up whoever was held and has not returned. */
  release(): void {
    for (const userId of this.#held) this.#readUser(userId);
    this.flush();
  }

  #everyone(): Set<string> {
    const users = new Set([...this.people.claimed, ...this.recent.map(({ id }) => id)]);
    for (const shard of this.#shards.values()) shard.forEach((_, userId) => users.add(userId));
    return users;
  }

  #readUser(userId: string): void {
    const claims = new Map<PropertyKey, Claim<Meta>>();
    let said: UserInfo | undefined;
    let written = 0;
    for (const shardId of this.#vouched) {
      const value = this.#shards.get(shardId)?.get(userId);
      if (value === undefined) continue;
      const entry = readShardUser<Meta>(userId, value);
      said ??= entry.user;
      written = Math.max(written, entry.lastSeen);
      for (const claim of entry.claims) {
        const { id } = claim.session;
        const known = claims.get(id);
        claims.set(id, known === undefined ? claim : withSession(claim, joinSessions(known.session, claim.session)));
      }
    }
    if (userId === this.people.selfId && this.#own !== undefined) claims.set(this.#own.session.id, this.#own);
    const isHeld = this.#hold(claims, this.people.claimsOf(userId));
    const lastSeen = written || (this.#held.has(userId) ? this.#source.provider.lostContactAt : Date.now());
    this.people.replace(userId, claims, lastSeen);
    if (isHeld) this.#held.add(userId);
    else this.#held.delete(userId);
    this.setRecent(userId, said && claims.size === 0 ? departed<Meta>(said, lastSeen) : undefined);
  }

  /**
   * Adds the sessions that went while the connection was down: whoever lost the relay as we did may yet return. Returns
   * whether there are any.
   */
  #hold(claims: Map<PropertyKey, Claim<Meta>>, before: ReadonlyMap<PropertyKey, Claim<Meta>>): boolean {
    if (!this.#source.provider.holds) return false;
    let isHeld = false;
    for (const [key, claim] of before) {
      // once live, what goes is gone; but what was lost before may yet return, though it is given up
      if (claims.has(key) || (this.status !== "stale" && !claim.session.reconnecting)) continue;
      claims.set(key, withSession(claim, { reconnecting: true }));
      isHeld = true;
    }
    return isHeld;
  }
}

/** The rooms of these users; a summary, or the whole list, that says what it said before is the one from before. */
function roomsOf<Meta>(
  users: readonly User<Meta>[],
  before: readonly RoomSummary<Meta>[],
): readonly RoomSummary<Meta>[] {
  const byRoom = new Map<string, User<Meta>[]>();
  for (const user of users) {
    if (user.status === "offline") continue;
    for (const room of user.rooms) {
      const known = byRoom.get(room);
      if (known === undefined) byRoom.set(room, [user]);
      else known.push(user);
    }
  }
  const known = new Map(before.map((summary) => [summary.name, summary]));
  const rooms = [...byRoom]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, present]): RoomSummary<Meta> => {
      const summary = known.get(name);
      if (summary !== undefined && sameMembers(summary.users, present)) return summary;
      return Object.freeze({ name, users: Object.freeze(present), count: present.length });
    });
  return sameMembers(rooms, before) ? before : Object.freeze(rooms);
}

function sameMembers<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((member, i) => member === b[i]);
}
