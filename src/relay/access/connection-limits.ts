/** How many connections, rooms and lobbies each address and each user has. Pure but for its own counts; `now` comes in. */
import { Close } from "../../wire/index.ts";
import { Bucket } from "../util/bucket.ts";
import { type Denial, denial } from "./grants.ts";
import type { LobbyPlaces } from "./lobby-places.ts";

export interface ConnectionLimitOptions {
  readonly connectRate: number;
  readonly maxAddressConnections: number;
  readonly maxAddressRooms: number;
  readonly maxUserConnections: number;
  readonly maxUserRooms: number;
}

/** How many seconds' worth of connects may come at once: all clients come back when a relay was restarted. */
const CONNECT_BURST_S = 10;
/** When this many addresses are remembered, those that have been quiet are forgotten. */
const MAX_QUIET = 10_000;

/** Where a connection that was let in counts. */
export interface Stay {
  /** The user that the relay knows it as; null: nobody was asked. */
  readonly user: string | null;
  readonly room: string;
  readonly lobby: string;
}

/** What one connection was counted as, from when it is opened until it is over. */
export interface Lease {
  /** The address key (`addressKey`). */
  readonly address: string;
  /** The user whose connection it counts as; null until it is known who it is. */
  user: string | null;
  /** The rooms that it is in: none until it is known who it is. */
  stays: readonly Stay[];
}

export class ConnectionLimits {
  readonly #limits: ConnectionLimitOptions;
  readonly #lobbies: LobbyPlaces;
  readonly #rates = new Map<string, Bucket>();
  readonly #connections = new Map<string, number>();
  readonly #rooms = new Map<string, Map<string, number>>();

  constructor(limits: ConnectionLimitOptions, lobbies: LobbyPlaces) {
    this.#limits = limits;
    this.#lobbies = lobbies;
  }

  /** Counts a connection that is opened, before anything is known of it but its address. [LIMIT-2] */
  connect(address: string, now: number): Lease | Denial {
    if (!this.#mayConnect(address, now)) {
      return denial("rate", Close.overloaded, "too many connections at once from your address");
    }
    const key = `address ${address}`;
    if (isOver(this.#connections.get(key), this.#limits.maxAddressConnections)) {
      return denial("address", Close.overloaded, "too many connections from your address");
    }
    add(this.#connections, key);
    return { address, user: null, stays: [] };
  }

  /** Counts it where it goes. Returns why it may not. [LIMIT-2] [LIMIT-12] */
  enter(lease: Lease, stay: Stay): Denial | null {
    const limits = this.#limits;
    const { user, room, lobby } = stay;
    const founder = { address: lease.address, user };
    const address = `address ${lease.address}`;
    if (this.#isFull(address, room, limits.maxAddressRooms)) {
      return denial("address", Close.overloaded, "too many rooms from your address");
    }
    const lobbyRefusal = this.#lobbies.refusal(lobby, founder);
    if (lobbyRefusal !== null) return lobbyRefusal;
    if (user !== null) {
      const key = `user ${user}`;
      if (lease.user === null && isOver(this.#connections.get(key), limits.maxUserConnections)) {
        return denial("user", Close.overloaded, "too many connections of yours");
      }
      if (this.#isFull(key, room, limits.maxUserRooms)) {
        return denial("user", Close.overloaded, "too many rooms of yours");
      }
      if (lease.user === null) add(this.#connections, key);
      lease.user ??= user;
      add(mapOf(this.#rooms, key), room);
    }
    add(mapOf(this.#rooms, address), room);
    // the lobby counts from now on, though nobody has spoken in it yet [LIMIT-11]
    this.#lobbies.hold(lobby, founder);
    // joined, not spread out: then the array takes no more than it holds
    lease.stays = lease.stays.concat(stay);
    return null;
  }

  /** It leaves one of its rooms. */
  exit(lease: Lease, stay: Stay): void {
    if (!lease.stays.includes(stay)) return;
    lease.stays = lease.stays.filter((each) => each !== stay);
    this.#leaveRoom(`address ${lease.address}`, stay.room);
    this.#lobbies.release(stay.lobby);
    if (stay.user !== null) this.#leaveRoom(`user ${stay.user}`, stay.room);
  }

  /** It is over. */
  leave(lease: Lease): void {
    for (const stay of lease.stays) this.exit(lease, stay);
    remove(this.#connections, `address ${lease.address}`);
    if (lease.user !== null) remove(this.#connections, `user ${lease.user}`);
  }

  #mayConnect(address: string, now: number): boolean {
    const { connectRate } = this.#limits;
    if (connectRate === 0) return true;
    let bucket = this.#rates.get(address);
    if (bucket === undefined) {
      if (this.#rates.size >= MAX_QUIET) this.#forgetQuiet(now);
      bucket = new Bucket(connectRate, CONNECT_BURST_S, now);
      this.#rates.set(address, bucket);
    }
    return bucket.take(1, now);
  }

  #forgetQuiet(now: number): void {
    for (const [address, bucket] of this.#rates) if (bucket.isFull(now)) this.#rates.delete(address);
  }

  #isFull(key: string, room: string, max: number): boolean {
    const rooms = this.#rooms.get(key);
    return rooms?.has(room) !== true && isOver(rooms?.size, max);
  }

  #leaveRoom(key: string, room: string): void {
    const rooms = this.#rooms.get(key);
    if (rooms === undefined) return;
    remove(rooms, room);
    if (rooms.size === 0) this.#rooms.delete(key);
  }
}

function isOver(count = 0, max: number): boolean {
  return max !== 0 && count >= max;
}

function mapOf(maps: Map<string, Map<string, number>>, key: string): Map<string, number> {
  let map = maps.get(key);
  if (map === undefined) {
    map = new Map();
    maps.set(key, map);
  }
  return map;
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function remove(counts: Map<string, number>, key: string): void {
  const rest = (counts.get(key) ?? 0) - 1;
  if (rest > 0) counts.set(key, rest);
  else counts.delete(key);
}
