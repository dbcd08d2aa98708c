/**
 * The shard of one relay in one lobby document: the users who are here, and those who left lately. The document would take more memory
 * than everything else that is known of the users, so it is written only once somebody reads it.
 *
 * A Y.Map keeps a trace of every value that it ever held, but a nested map that is replaced is collected whole. So the shard counts the
 * values that it has overwritten, and starts a new map once they outnumber the live ones.
 *
 * Yjs keeps a trace of collected values, too, and joins traces that one client id has written one after the other. If maps and their
 * values were written under one client id, each map would stand between the traces of two maps' values. So maps have a client id of their
 * own: all traces together are two structs, however often the map is replaced.
 */
import * as Y from "yjs";
import {
  type PresenceEvent,
  type User,
  type UserInfo,
  agentOf,
  departed,
  equal,
  infoOf,
  isGuest,
} from "../presence/index.ts";
import { type LobbySession, type LobbyUser, type ShardMap, shardsOf } from "./layout.ts";

export interface ShardPolicy {
  /** How long a user who left is remembered, ms. */
  readonly recentTtl: number;
  /** How many users who left are remembered at most. */
  readonly recentMax: number;
  /** Whether it says which rooms people are in. */
  readonly lobbyRooms: boolean;
}

/** How many bytes the users who left may take, over all lobbies. */
export interface LeaverMemory {
  /** Takes so many bytes; false: there is no room. */
  reserve(bytes: number): boolean;
  release(bytes: number): void;
}

const UNBOUNDED: LeaverMemory = { reserve: () => true, release: () => {} };
/** What it takes to remember somebody, besides the texts of their entry, about: bytes. */
const LEAVER_BYTES = 500;

interface Leaver {
  /** When they left, by the clock that only goes forward. */
  readonly at: number;
  readonly value: LobbyUser;
}

/** With more overwritten values than this for each live one, the map is replaced: the document stays small. [LOBBY-6] */
const DEAD_PER_LIVE = 2;
/** A small map is not worth replacing often. */
const DEAD_MIN = 64;
/** A wall clock that falls back by less was not set but slowed down, as time servers do all the time, ms. */
const SET_BACK_MS = 1_000;

export class Shard {
  readonly id: string;
  readonly doc: Y.Doc;
  readonly #policy: ShardPolicy;
  readonly #memory: LeaverMemory;
  /** The users who left, by their ids: those who left first come first. */
  readonly #recent = new Map<string, Leaver>();
  /** The client id that maps are written under. */
  readonly #mapWriter: number;
  /** The wall clock's time less the monotonic one, as it was when leavers were dated last, ms. */
  #epoch = -Infinity;
  /** null: nobody has read it yet. */
  #map: ShardMap | null = null;
  // a Y.Map counts its keys anew whenever it is asked
  #live = 0;
  #dead = 0;

  /** @param memory bounds what the users who left take, together with those of other shards; default: no bound */
  constructor(id: string, policy: ShardPolicy, memory: LeaverMemory = UNBOUNDED) {
    this.id = id;
    this.#policy = policy;
    this.#memory = memory;
    this.doc = new Y.Doc();
    this.#mapWriter = (this.doc.clientID ^ 1) >>> 0;
  }

  /** How many users who left are still remembered. */
  get recent(): number {
    return this.#recent.size;
  }

  /** A user who left and is still remembered. */
  leaver(userId: string, now: number): User | undefined {
    const leaver = this.#recent.get(userId);
    // a leaver whose time is over may still wait to be forgotten
    if (leaver === undefined || leaver.at <= now - this.#policy.recentTtl) return undefined;
    return departed({ id: userId, ...leaver.value.user }, leaver.value.lastSeen);
  }

  /** All users who left and are still remembered: those who left first come first. */
  leavers(now: number): User[] {
    return [...this.#recent.keys()].flatMap((userId) => this.leaver(userId, now) ?? []);
  }

  /** The entry of a user who left. */
  leaverEntry(userId: string): LobbyUser | undefined {
    return this.#recent.get(userId)?.value;
  }

  /**
   * Takes in users who left before this shard was begun. Where a user is known already, the later time counts.
   *
   * @param now by the clock that only goes forward
   * @param wall ms since the epoch
   */
  remember(leavers: Iterable<{ readonly user: UserInfo; readonly lastSeen: number }>, now: number, wall: number): void {
    for (const { user, lastSeen } of leavers) {
      const at = now - Math.max(0, wall - lastSeen);
      const known = this.#recent.get(user.id);
      if (known !== undefined && known.at >= at) continue;
      const { id: _, ...info } = infoOf(user);
      this.#keep(user.id, { at, value: { user: info, sessions: {}, lastSeen: Math.min(lastSeen, wall) } });
    }
    const inOrder = [...this.#recent].toSorted(([, a], [, b]) => a.at - b.at);
    this.#recent.clear();
    for (const [userId, leaver] of inOrder) this.#recent.set(userId, leaver);
    while (this.#hasForgettable(now)) this.#forgetFirst();
    if (this.#map === null) return;
    this.doc.transact(() => {
      for (const { user } of leavers) {
        const value = this.leaverEntry(user.id);
        if (value !== undefined) this.#set(user.id, value);
      }
    });
  }

  /**
   * Writes down the users who are here and those who are remembered, unless that was done before: somebody reads the shard from now on.
   * [LOBBY-5]
   */
  open(users: Iterable<User>, wall: number): void {
    if (this.#map !== null) return;
    this.doc.transact(() => {
      this.#map = this.#newMap();
      for (const user of users) this.#set(user.id, lobbyUser(user, wall, this.#policy.lobbyRooms));
      for (const [userId, { value }] of this.#recent) this.#set(userId, value);
    });
  }

  /**
   * Writes what the events changed, and forgets users whose time is over, in one transaction.
   *
   * @param now by the clock that only goes forward [TIME-1]
   * @param wall ms since the epoch
   * @returns the ids of users who are remembered no more
   */
  write(events: readonly PresenceEvent[], now: number, wall: number): readonly string[] {
    const isSetBack = this.#isSetBack(wall - now);
    if (events.length === 0 && !isSetBack && !this.#hasForgettable(now)) return [];
    const forgotten: string[] = [];
    this.doc.transact(() => {
      if (isSetBack) this.#dateAnew(now, wall);
      for (const event of events) forgotten.push(...this.#apply(event, now, wall));
      while (this.#hasForgettable(now)) forgotten.push(...this.#forgetFirst());
      if (this.#map !== null && this.#dead > Math.max(DEAD_MIN, DEAD_PER_LIVE * this.#live)) this.#replace(this.#map);
    });
    return forgotten;
  }

  destroy(): void {
    for (const userId of this.#recent.keys()) this.#drop(userId);
    this.doc.destroy();
  }

  /** Whether the wall clock was set back since the last look. */
  #isSetBack(epoch: number): boolean {
    const before = this.#epoch;
    this.#epoch = epoch;
    return epoch < before - SET_BACK_MS;
  }

  /** The wall clock was set back: dates the users who left anew, so that nobody was last seen later than they left. [TIME-6] */
  #dateAnew(now: number, wall: number): void {
    for (const [userId, { at, value }] of this.#recent) {
      const leftAt = Math.round(wall - (now - at));
      if (value.lastSeen <= leftAt) continue;
      const dated = { ...value, lastSeen: leftAt };
      this.#recent.set(userId, { at, value: dated });
      this.#set(userId, dated);
    }
  }

  /** Writes one event. Returns the ids of users who are remembered no more, since there is no room. */
  #apply(event: PresenceEvent, now: number, wall: number): readonly string[] {
    const { type, user, userId } = event;
    if (isHidden(event, this.#policy.lobbyRooms)) return [];
    if (type !== "leave") {
      this.#drop(userId);
      if (this.#map !== null) this.#set(userId, lobbyUser(user, wall, this.#policy.lobbyRooms));
    } else if (isGuest(userId) || this.#policy.recentMax === 0) {
      // a guest never comes back under the same id: there is nothing to remember them by [LOBBY-7]
      this.#delete(userId);
    } else {
      const value = { user: withoutId(user), sessions: {}, lastSeen: user.lastSeen };
      const forgotten = this.#keep(userId, { at: now, value });
      if (this.#recent.has(userId)) this.#set(userId, value);
      else this.#delete(userId);
      return forgotten;
    }
    return [];
  }

  /** [LOBBY-21] Remembers a user who left, and if there is no room forgets users who left before. Returns the ids of those. */
  #keep(userId: string, leaver: Leaver): readonly string[] {
    const forgotten: string[] = [];
    this.#drop(userId);
    while (!this.#memory.reserve(bytesOf(userId, leaver))) {
      if (this.#recent.size === 0) return [...forgotten, userId];
      forgotten.push(...this.#forgetFirst());
    }
    this.#recent.set(userId, leaver);
    return forgotten;
  }

  #drop(userId: string): void {
    const leaver = this.#recent.get(userId);
    if (leaver === undefined) return;
    this.#recent.delete(userId);
    this.#memory.release(bytesOf(userId, leaver));
  }

  /** Whether a leaver is to be forgotten: there are too many, or the first left too long ago. [LOBBY-7] */
  #hasForgettable(now: number): boolean {
    if (this.#recent.size > this.#policy.recentMax) return true;
    for (const { at } of this.#recent.values()) return at <= now - this.#policy.recentTtl;
    return false;
  }

  #forgetFirst(): readonly string[] {
    for (const userId of this.#recent.keys()) {
      this.#drop(userId);
      this.#delete(userId);
      return [userId];
    }
    return [];
  }

  #set(userId: string, value: LobbyUser): void {
    if (this.#map === null) return;
    if (this.#map.has(userId)) this.#dead++;
    else this.#live++;
    this.#map.set(userId, value);
  }

  #delete(userId: string): void {
    if (this.#map?.has(userId) !== true) return;
    this.#map.delete(userId);
    this.#live--;
    this.#dead++;
  }

  /** Writes all entries into a new map, so that Yjs collects the old one whole. [LOBBY-6] */
  #replace(map: ShardMap): void {
    const entries = [...map.entries()];
    this.#map = this.#newMap();
    for (const [userId, value] of entries) this.#map.set(userId, value);
    this.#dead = 0;
  }

  #newMap(): ShardMap {
    const { doc } = this;
    const { clientID } = doc;
    const map: ShardMap = new Y.Map();
    doc.clientID = this.#mapWriter;
    shardsOf(doc).set(this.id, map);
    doc.clientID = clientID;
    return map;
  }
}

function bytesOf(userId: string, { value }: Leaver): number {
  let length = userId.length;
  for (const text of Object.values(value.user)) if (typeof text === "string") length += text.length;
  return LEAVER_BYTES + 2 * length;
}

function withoutId(user: User): LobbyUser["user"] {
  const { id: _, ...info } = infoOf(user);
  return info;
}

/** Whether readers are not told of an event: where rooms are not told, a user who goes from room to room changes nothing that they may see. [PRIV-2] */
export function isHidden(event: PresenceEvent, tellsRooms: boolean): boolean {
  if (event.type !== "update" || tellsRooms) return false;
  return equal(lobbyUser(event.previous, 0, false), lobbyUser(event.user, 0, false));
}

/** How many sessions of one user a lobby lists: the most present ones. [LOBBY-9] */
const MAX_SESSIONS = 64;
/** About how many bytes the entry of one user may take. Metadata and rooms of the less present sessions are left out past it. [LOBBY-9] */
export const MAX_ENTRY_BYTES: number = 64 * 1024;
/** Bytes that every session takes besides its metadata and rooms. */
const SESSION_BYTES = 160;

/** The entry of a user. @param tellsRooms whether it says in which rooms the user is [PRIV-2] */
export function lobbyUser(user: User, wall: number, tellsRooms: boolean): LobbyUser {
  let left = MAX_ENTRY_BYTES;
  const fit = (bytes: number): boolean => {
    if (bytes > left) return false;
    left -= bytes;
    return true;
  };
  const sessions = user.sessions.slice(0, MAX_SESSIONS).map((session): [string, LobbySession] => {
    left -= SESSION_BYTES;
    const { status, manual, device, since, reconnecting } = session;
    return [
      session.id,
      {
        status,
        ...(manual !== null && { manual }),
        device,
        since,
        rooms: tellsRooms ? session.rooms.filter((room) => fit(room.length)) : [],
        meta: fit(sizeOf(session.meta)) ? session.meta : {},
        ...(reconnecting && { reconnecting: true }),
        ...agentOf(session),
      },
    ];
  });
  return { user: withoutId(user), sessions: Object.fromEntries(sessions), lastSeen: wall };
}

/** Most sessions have hardly any metadata, and a lobby has thousands of them. */
function sizeOf(meta: object): number {
  for (const _ in meta) return JSON.stringify(meta).length;
  return 2;
}
