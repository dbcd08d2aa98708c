/** Whom a caller sees, and where: the hub, narrowed to what the caller's key grants. [API-10] [API-11] */
import type { PresentEntry } from "../../awareness/index.ts";
import { Sessions } from "../../lobby/index.ts";
import type { Unsubscribe, User } from "../../presence/index.ts";
import { isLobby } from "../../wire/index.ts";
import type { Hub } from "../core/hub.ts";
import type { Room } from "../core/room.ts";
import { Channel } from "../transport/channel.ts";
import { type ApiGrant, seesRoom } from "./access/grant.ts";

/** So long after the last question the hub goes on counting people as they come and go, ms. */
const LINGER_MS = 60_000;

export interface RoomView {
  readonly name: string;
  readonly users: ReadonlyMap<string, User>;
  /** Open connections; null: some of them are of people whom the caller may not see. */
  readonly connections: number | null;
  readonly hasDocument: boolean;
}

export class World {
  readonly #hub: Hub;
  #unobserve: Unsubscribe | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #askedAt = -Infinity;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  get now(): number {
    return this.#hub.clock.wall();
  }

  /** Somebody asks: people are counted as they come and go, rather than anew with each question. */
  asked(): void {
    this.#askedAt = this.#hub.clock.now();
    if (this.#unobserve !== null) return;
    this.#unobserve = this.#hub.observe();
    this.#rest(LINGER_MS);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#unobserve?.();
    this.#unobserve = null;
  }

  /** Everyone who is online in a lobby. */
  users(grant: ApiGrant, lobby: string): ReadonlyMap<string, User> {
    if (grant.seesRoom === null) return this.#hub.lobbies.get(lobby)?.users ?? NOBODY;
    // somebody's metadata and status may come from rooms that the caller does not see: all is counted anew
    const people = new Sessions<PresentEntry>(lobby);
    for (const room of this.#hub.rooms.values()) {
      if (seesRoom(grant, room.name)) room.people.countInto(people, (entry) => entry.lobby === lobby);
    }
    people.flush(this.now);
    return people.users;
  }

  /** Those who left a lobby and are remembered: none, for one who sees only some rooms, since nobody knows where they were. */
  leavers(grant: ApiGrant, lobby: string): readonly User[] {
    if (grant.seesRoom !== null) return [];
    return this.#hub.lobbies.get(lobby)?.leavers(this.#hub.clock.now()) ?? [];
  }

  /** Somebody who is online, or remembered. */
  user(grant: ApiGrant, lobby: string, id: string): User | undefined {
    if (grant.seesRoom !== null) return this.users(grant, lobby).get(id);
    return this.#hub.lobbies.get(lobby)?.user(id, this.#hub.clock.now());
  }

  /** Rooms that somebody is in. @param lobby whose people count; null: all do */
  *rooms(grant: ApiGrant, lobby: string | null, prefix = ""): Iterable<RoomView> {
    for (const room of this.#hub.rooms.values()) {
      if (!room.name.startsWith(prefix) || !seesRoom(grant, room.name)) continue;
      const view = this.#viewOf(room, lobby);
      // somebody who is in a room and does not show themselves there is nobody to those who see one lobby
      if (view.users.size > 0 || (view.connections ?? 0) > 0) yield view;
    }
  }

  /** A room, or a lobby by its name as a room; one that nobody is in is empty. */
  room(name: string, lobby: string | null): RoomView {
    const room = isLobby(name) ? undefined : this.#hub.rooms.get(name);
    if (room !== undefined) return this.#viewOf(room, lobby);
    const users = this.#hub.lobbies.get(name)?.users ?? NOBODY;
    return {
      name,
      users,
      connections: lobby === null ? 0 : null,
      hasDocument: this.#hub.documents.kept(name) !== undefined,
    };
  }

  #viewOf(room: Room, lobby: string | null): RoomView {
    return {
      name: room.name,
      users: lobby === null ? room.users : room.people.usersIn(lobby),
      connections: lobby === null ? connectionsOf(room) : null,
      hasDocument: room.document.isReady && room.document.hasContent,
    };
  }

  #rest(afterMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const idleMs = this.#hub.clock.now() - this.#askedAt;
      if (idleMs < LINGER_MS) return this.#rest(LINGER_MS - idleMs);
      this.close();
    }, afterMs);
    // nothing waits for it
    this.#timer.unref();
  }
}

const NOBODY: ReadonlyMap<string, User> = new Map();

/** Members that other relays and servers are, are no connections. */
function connectionsOf({ members }: Room): number {
  let count = 0;
  for (const member of members) if (member instanceof Channel) count++;
  return count;
}
