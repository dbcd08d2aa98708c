/**
 * The lobby as a reader sees it: what is known of its people (from its document, the union over the shards that a live relay
 * vouches for; or from what the relay tells of some), with the own session as it is here and now.
 */
import type { Awareness } from "y-protocols/awareness";
import {
  type Claim,
  type ConnectionState,
  type JsonObject,
  type Unsubscribe,
  type User,
  compareTexts,
  departed,
  readState,
  withSession,
} from "../../presence/index.ts";
import type { UnionUser } from "../../lobby/union.ts";
import { MAX_WATCHED, type PeopleMessage } from "../../wire/index.ts";
import { RoomIndex, type RoomSummary } from "./rooms.ts";
import { type Roster, type RosterSnapshot, type RosterStatus, RosterStore, type StatusCounts } from "./roster.ts";
import { type LobbyPeople, readTold } from "./told.ts";
import type { WatchedLobby, WatchedPeople } from "./watch.ts";

export interface LobbySnapshot<Meta = JsonObject> extends RosterSnapshot<Meta> {
  /** The rooms that somebody is in, by name. */
  readonly rooms: readonly RoomSummary<Meta>[];
}

/** Everyone in the application, with the rooms they are in. */
export interface Lobby<Meta = JsonObject> extends Roster<Meta> {
  getSnapshot(): LobbySnapshot<Meta>;
  /** Who is in a room, by name. */
  usersIn(room: string): readonly User<Meta>[];
  /** How many users are in a room. With `observeLobby: "counts"`, of a room that is not among `rooms` only those who are known. */
  countIn(room: string): number;
  /**
   * The rooms that somebody is in, by name; the same array for as long as nothing changed. With `observeLobby: "counts"` the
   * 100 fullest, with those of their `users` who are known.
   */
  readonly rooms: readonly RoomSummary<Meta>[];
  /** How many rooms somebody is in. */
  readonly roomCount: number;
  /** Those who left lately, the last first. */
  readonly recent: readonly User<Meta>[];
}

export interface LobbySource<Meta> {
  readonly people: LobbyPeople<Meta>;
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

export class LobbyReader<Meta> extends RosterStore<Meta> implements Lobby<Meta>, WatchedLobby<Meta> {
  readonly #known: LobbyPeople<Meta>;
  readonly #awareness: Awareness;
  readonly #contact: Contact;
  readonly #unobserve: Unsubscribe;
  /** Users with sessions that went while the connection was down, with it or for good: `release` decides. */
  readonly #held = new Set<string>();
  /** Of whom the relay told before their part of the document: what counts of those of whom nothing is written yet. [LOBBY-19] */
  readonly #first = new Map<string, unknown>();
  #own: Claim<Meta> | undefined;
  readonly #rooms = new RoomIndex<Meta>();
  readonly #watches = new Set<WatchedPeople<Meta>>();
  /** The rooms whose users are counted by the relay, as they were listed last, by name. */
  #counted: readonly RoomSummary<Meta>[] = [];

  constructor(roomId: string, selfId: string, source: LobbySource<Meta>) {
    super(roomId, selfId);
    this.#known = source.people;
    this.#awareness = source.awareness;
    this.#contact = source.provider;
    this.#unobserve = source.people.observe(this.#onPeople);
    source.awareness.on("change", this.refresh);
  }

  declare readonly getSnapshot: () => LobbySnapshot<Meta>;

  protected override makeSnapshot(): LobbySnapshot<Meta> {
    return { ...super.makeSnapshot(), rooms: this.#listRooms() };
  }

  override get count(): number {
    return this.#known.numbers?.users ?? super.count;
  }

  override get counts(): StatusCounts {
    return this.#known.numbers?.statuses ?? super.counts;
  }

  protected override viewChanged(userId: string, before: User<Meta> | undefined, after: User<Meta> | undefined): void {
    super.viewChanged(userId, before, after);
    this.#rooms.change(userId, before, after);
  }

  /** A live relay vouches for a shard: what is read is somebody's word. */
  get vouched(): boolean {
    return this.#known.isVouched;
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
    return this.#known.fullest?.get(room) ?? this.#rooms.countIn(room);
  }

  get roomCount(): number {
    return this.#known.numbers?.rooms ?? this.rooms.length;
  }

  get selfId(): string | undefined {
    return this.people.selfId;
  }

  awaits(userId: string): boolean {
    return this.#known.awaits?.(userId) ?? false;
  }

  watchUsers(watch: WatchedPeople<Meta>, userIds: ReadonlySet<string>): void {
    const others = [...this.#watches].filter((each) => each !== watch).flatMap(({ ids }) => ids);
    const wanted = new Set([...others, ...userIds]);
    // [WATCH-4]
    if (wanted.size > MAX_WATCHED) throw new RangeError(`a client watches at most ${MAX_WATCHED} people`);
    const before = watch.userIds;
    watch.userIds = userIds;
    if (userIds.size > 0) this.#watches.add(watch);
    else this.#watches.delete(watch);
    const dropped = this.#known.watch?.(wanted);
    for (const userId of userIds) if (!before.has(userId)) this.#readUser(userId);
    if (dropped === undefined) return;
    // they are not seen any more, and did not leave
    for (const userId of dropped) this.#readUser(userId, true);
    this.flush(this.status, false);
  }

  /** The own session, as it is: it does not wait for the relay to say it back. */
  setOwn(state: ConnectionState<Meta>, rooms: readonly string[]): void {
    const claim = readState<Meta>(this.#awareness.clientID, state, this.roomId);
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
    this.#awareness.off("change", this.refresh);
    this.clear();
  }

  readonly #onPeople = (userIds: Iterable<string> | null, isHeard = true, isNews = false): void => {
    for (const userId of userIds ?? this.#everyone()) this.#readUser(userId);
    this.isNews ||= isNews;
    this.flush(this.status, isHeard);
  };

  override flush(status: RosterStatus = this.status, isHeard = true): void {
    super.flush(status, isHeard);
    for (const watch of this.#watches) watch.update(isHeard);
  }

  /** Reads who vouches for what; also after peers were held. */
  readonly refresh = (): void => {
    const states = [...this.#awareness.states].filter(([id]) => !this.#contact.isHeld(id)).map(([, state]) => state);
    if (this.#known.vouch(states)) this.#onPeople(null);
  };

  /** The relay tells of some people before it sends the document. */
  tellFirst(users: PeopleMessage["users"]): void {
    for (const [userId, user] of users) this.#first.set(userId, user);
    this.#onPeople(this.#first.keys(), false);
  }

  /** All that the relay knows has been read. */
  settle(): void {
    const first = [...this.#first.keys()];
    this.#first.clear();
    for (const userId of first) this.#readUser(userId);
    this.flush("live");
  }

  /** Gives up the users that were held and have not returned. [ROSTER-6] */
  release(): void {
    this.#onPeople(this.#held);
  }

  #everyone(): Set<string> {
    const users = this.#known.userIds();
    for (const userId of this.people.claimed) users.add(userId);
    for (const { id } of this.recent) users.add(id);
    return users;
  }

  /** @param isForgotten the user is not looked at any more */
  #readUser(userId: string, isForgotten = false): void {
    const { claims, info, lastSeen: written } = this.#read(userId);
    if (userId === this.people.selfId && this.#own !== undefined) claims.set(this.#own.session.id, this.#own);
    const isHeld = !isForgotten && this.#hold(claims, this.people.claimsOf(userId));
    const lastSeen = written || (this.#held.has(userId) ? this.#contact.lostContactAt : Date.now());
    this.people.replace(userId, claims, lastSeen);
    if (isHeld) this.#held.add(userId);
    else this.#held.delete(userId);
    const left = info && claims.size === 0 ? departed<Meta>(info, lastSeen) : undefined;
    this.setRecent(userId, left);
    for (const watch of this.#watches) if (watch.userIds.has(userId)) watch.take(userId, claims, lastSeen, left);
  }

  #read(userId: string): UnionUser<Meta> {
    const read = this.#known.read(userId);
    const first = this.#first.get(userId);
    return read.info === undefined && first !== undefined ? readTold<Meta>(userId, first) : read;
  }

  /** The rooms by name: those that the relay counts, where it does. [WATCH-8] */
  #listRooms(): readonly RoomSummary<Meta>[] {
    const { numbers, fullest = [] } = this.#known;
    if (numbers === undefined) return this.#rooms.rooms;
    const before = new Map(this.#counted.map((summary) => [summary.name, summary]));
    const rooms = [...fullest].map(([name, count]): RoomSummary<Meta> => {
      const [known, users] = [before.get(name), this.usersIn(name)];
      return known?.count === count && known.users === users ? known : Object.freeze({ name, users, count });
    });
    this.#counted = Object.freeze(rooms.toSorted((a, b) => compareTexts(a.name, b.name)));
    return this.#counted;
  }

  /**
   * Adds the sessions that went while the connection was down: their clients may have lost the relay as we did, and may
   * yet return. Returns whether there are any. [ROSTER-6]
   */
  #hold(claims: Map<PropertyKey, Claim<Meta>>, before: ReadonlyMap<PropertyKey, Claim<Meta>>): boolean {
    if (!this.#contact.holds) return false;
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
