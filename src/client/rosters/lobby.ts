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
  type Unsubscribe,
  type User,
  departed,
  readState,
  withSession,
} from "../../presence/index.ts";
import { Union } from "../../lobby/union.ts";
import { RoomIndex, type RoomSummary } from "./rooms.ts";
import { type Roster, type RosterSnapshot, RosterStore } from "./roster.ts";

export interface LobbySnapshot<Meta = JsonObject> extends RosterSnapshot<Meta> {
  /** The rooms that somebody is in, by name. */
  readonly rooms: readonly RoomSummary<Meta>[];
}

/** Everyone in the application, with the rooms they are in. */
export interface Lobby<Meta = JsonObject> extends Roster<Meta> {
  getSnapshot(): LobbySnapshot<Meta>;
  /** Who is in a room, by name. */
  usersIn(room: string): readonly User<Meta>[];
  /** How many users are in a room. */
  countIn(room: string): number;
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

export class LobbyReader<Meta> extends RosterStore<Meta> implements Lobby<Meta> {
  readonly #source: LobbySource;
  readonly #union: Union<Meta>;
  readonly #unobserve: Unsubscribe;
  /** Users with sessions that went while the connection was down, with it or for good: `release` decides. */
  readonly #held = new Set<string>();
  #own: Claim<Meta> | undefined;
  readonly #rooms = new RoomIndex<Meta>();

  constructor(roomId: string, selfId: string, source: LobbySource) {
    super(roomId, selfId);
    this.#source = source;
    this.#union = new Union<Meta>(source.doc);
    this.#unobserve = this.#union.observe(this.#onDocument);
    source.awareness.on("change", this.refresh);
  }

  declare readonly getSnapshot: () => LobbySnapshot<Meta>;

  protected override makeSnapshot(): LobbySnapshot<Meta> {
    return { ...super.makeSnapshot(), rooms: this.#rooms.rooms };
  }

  protected override viewChanged(userId: string, before: User<Meta> | undefined, after: User<Meta> | undefined): void {
    super.viewChanged(userId, before, after);
    this.#rooms.change(userId, before, after);
  }

  /** A live relay vouches for a shard: what is read is somebody's word. */
  get vouched(): boolean {
    return this.#union.isVouched;
  }

  get recent(): readonly User<Meta>[] {
    return this.getSnapshot().recent;
  }

  get rooms(): readonly RoomSummary<Meta>[] {
    return this.getSnapshot().rooms;
  }

  usersIn(room: string): readonly User<Meta>[] {
    return this.#rooms.usersIn(room);
  }

  countIn(room: string): number {
    return this.#rooms.countIn(room);
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
    this.#unobserve();
    this.#source.awareness.off("change", this.refresh);
    this.clear();
  }

  readonly #onDocument = (userIds: Iterable<string> | null): void => {
    for (const userId of userIds ?? this.#everyone()) this.#readUser(userId);
    this.flush();
  };

  /** Reads who vouches for what; also after peers were held. */
  readonly refresh = (): void => {
    const { awareness, provider } = this.#source;
    const states = [...awareness.states].filter(([id]) => !provider.isHeld(id)).map(([, state]) => state);
    if (this.#union.vouch(states)) this.#onDocument(null);
  };

  /** Gives up the users that were held and have not returned. [ROSTER-6] */
  release(): void {
    this.#onDocument(this.#held);
  }

  #everyone(): Set<string> {
    const users = this.#union.userIds();
    for (const userId of this.people.claimed) users.add(userId);
    for (const { id } of this.recent) users.add(id);
    return users;
  }

  #readUser(userId: string): void {
    const { claims, info, lastSeen: written } = this.#union.read(userId);
    if (userId === this.people.selfId && this.#own !== undefined) claims.set(this.#own.session.id, this.#own);
    const isHeld = this.#hold(claims, this.people.claimsOf(userId));
    const lastSeen = written || (this.#held.has(userId) ? this.#source.provider.lostContactAt : Date.now());
    this.people.replace(userId, claims, lastSeen);
    if (isHeld) this.#held.add(userId);
    else this.#held.delete(userId);
    this.setRecent(userId, info && claims.size === 0 ? departed<Meta>(info, lastSeen) : undefined);
  }

  /**
   * Adds the sessions that went while the connection was down: their clients may have lost the relay as we did, and may
   * yet return. Returns whether there are any. [ROSTER-6]
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
