/**
 * Whom a caller sees, and where: the hub, with what other relays know, narrowed to what the caller's key grants. [API-10] [API-11]
 * [API-37]
 */
import type { PresentEntry } from "../../awareness/index.ts";
import { Sessions } from "../../lobby/index.ts";
import type { Unsubscribe, User } from "../../presence/index.ts";
import { isLobby } from "../../wire/index.ts";
import type { Elsewhere, FoundRooms } from "../cluster/inquiries/elsewhere.ts";
import type { Hub } from "../core/hub.ts";
import type { Room } from "../core/room.ts";
import type { LinkedHub } from "../wiring/linked-hub.ts";
import { type ApiGrant, seesRoom } from "./access/grant.ts";
import { WrittenRooms } from "./answers/written-people.ts";

/** After the last question the hub goes on counting people as they come and go for this time, ms. */
const LINGER_MS = 60_000;

export interface RoomView {
  readonly name: string;
  readonly users: ReadonlyMap<string, User>;
  /** Open connections; null: some of them are of people whom the caller may not see. */
  readonly connections: number | null;
  readonly hasDocument: boolean;
}

/** A part of a list of rooms. */
export interface RoomList {
  readonly prefix: string;
  /** Only rooms whose names come behind this one. */
  readonly after: string;
  readonly limit: number;
}

export class World {
  readonly #linked: LinkedHub;
  readonly #hub: Hub;
  /** The people of rooms as they were written for callers. */
  readonly written: WrittenRooms = new WrittenRooms();
  /** Lobbies that are open here because they were asked about. */
  readonly #reached = new Map<string, Promise<Unsubscribe>>();
  #unobserve: Unsubscribe | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #askedAt = -Infinity;

  constructor(hub: LinkedHub) {
    this.#linked = hub;
    this.#hub = hub.core;
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
    for (const reached of this.#reached.values()) void reached.then((release) => release());
    this.#reached.clear();
    this.written.clear();
  }

  /** Finds out about rooms and lobbies what other relays know. @param isBrief counts are all that is wanted */
  async look(names: readonly string[], isBrief = false): Promise<FoundRooms> {
    const { elsewhere } = this.#linked;
    if (elsewhere === null) return NOWHERE;
    await Promise.all(names.filter(isLobby).map((lobby) => this.#reach(elsewhere, lobby)));
    return elsewhere.find(
      names.filter((name) => !isLobby(name)),
      isBrief,
    );
  }

  /** Finds out what other relays know of the people of a lobby, as far as a caller sees them. */
  async lookAt(grant: ApiGrant, lobby: string): Promise<FoundRooms> {
    const { elsewhere } = this.#linked;
    if (elsewhere === null) return NOWHERE;
    await this.#reach(elsewhere, lobby);
    if (grant.seesRoom === null) return NOWHERE;
    return elsewhere.find(await this.#namesElsewhere(elsewhere, grant, lobby, ALL_ROOMS), false);
  }

  /** Finds out which rooms there are by way of other relays. */
  async lookAround(grant: ApiGrant, lobby: string | null, list: RoomList): Promise<FoundRooms> {
    const { elsewhere } = this.#linked;
    if (elsewhere === null) return NOWHERE;
    return elsewhere.find(await this.#namesElsewhere(elsewhere, grant, lobby, list), true);
  }

  /** Everyone who is online in a lobby. */
  users(grant: ApiGrant, lobby: string, found: FoundRooms = NOWHERE): ReadonlyMap<string, User> {
    if (grant.seesRoom === null) return this.#hub.lobbies.get(lobby)?.users ?? NOBODY;
    // somebody's metadata and status may come from rooms that the caller does not see: all is counted anew
    const people = new Sessions<object>(lobby);
    for (const name of new Set([...this.#hub.rooms.keys(), ...found.keys()])) {
      if (seesRoom(grant, name)) this.#countInto(people, name, lobby, found);
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
  user(grant: ApiGrant, lobby: string, id: string, found: FoundRooms = NOWHERE): User | undefined {
    if (grant.seesRoom !== null) return this.users(grant, lobby, found).get(id);
    return this.#hub.lobbies.get(lobby)?.user(id, this.#hub.clock.now());
  }

  /** Rooms that somebody is in. @param lobby whose people count; null: all do */
  *rooms(grant: ApiGrant, lobby: string | null, prefix = "", found: FoundRooms = NOWHERE): Iterable<RoomView> {
    for (const name of new Set([...this.#hub.rooms.keys(), ...found.keys()])) {
      if (!name.startsWith(prefix) || !seesRoom(grant, name)) continue;
      const view = this.room(name, lobby, found);
      // somebody who is in a room and does not show themselves there is nobody to those who see one lobby
      const isInUse = lobby === null && found.get(name)?.some((each) => each.isInUse) === true;
      if (view.users.size > 0 || (view.connections ?? 0) > 0 || isInUse) yield view;
    }
  }

  /** A room, or a lobby by its name as a room; one that nobody is in is empty. @param found what other relays know of it */
  room(name: string, lobby: string | null, found: FoundRooms = NOWHERE): RoomView {
    const room = isLobby(name) ? undefined : this.#hub.rooms.get(name);
    const there = found.get(name);
    if (there !== undefined) return this.#joined(name, lobby, found, room);
    if (room !== undefined) return this.#viewOf(room, lobby);
    const users = this.#hub.lobbies.get(name)?.users ?? NOBODY;
    return {
      name,
      users,
      connections: lobby === null ? 0 : null,
      hasDocument: this.#hub.documents.memory.kept(name) !== undefined,
    };
  }

  #viewOf(room: Room, lobby: string | null): RoomView {
    return {
      name: room.name,
      users: lobby === null ? room.users : room.people.usersIn(lobby),
      connections: lobby === null ? room.connections : null,
      hasDocument: room.document.isReady && room.document.hasContent,
    };
  }

  /** With those who are in it by way of other relays. */
  #joined(name: string, lobby: string | null, found: FoundRooms, room: Room | undefined): RoomView {
    const people = new Sessions<object>(name);
    this.#countInto(people, name, lobby, found);
    people.flush(this.now);
    const isHere = room === undefined ? this.#hub.documents.memory.kept(name) !== undefined : room.document.hasContent;
    return {
      name,
      users: people.users,
      connections: lobby !== null ? null : (room?.connections ?? 0),
      hasDocument: isHere || found.get(name)?.some((each) => each.hasDocument) === true,
    };
  }

  /** Counts the people of a room, each relay's own by its own word. */
  #countInto(people: Sessions<object>, name: string, lobby: string | null, found: FoundRooms): void {
    const there = found.get(name);
    const counts = (entry: PresentEntry): boolean =>
      (lobby === null || entry.lobby === lobby) && (there === undefined || !entry.isRemote);
    this.#hub.rooms.get(name)?.people.countInto(people, counts);
    for (const person of there?.flatMap((each) => each.people) ?? []) {
      if (lobby === null || person.lobby === lobby) people.set(person, person.report, person.since);
    }
  }

  /** Opens a lobby here if it is anywhere: from then on it is known what other relays say of it. */
  async #reach(elsewhere: Elsewhere, lobby: string): Promise<void> {
    if (!this.#reached.has(lobby) && !this.#hub.lobbies.has(lobby)) {
      // not one that nobody has ever been in: a caller may ask for any name
      const found = await elsewhere.find([lobby], true);
      if (!found.has(lobby)) return;
    }
    const reached = this.#reached.get(lobby) ?? elsewhere.open(lobby);
    this.#reached.set(lobby, reached);
    await reached;
  }

  async #namesElsewhere(
    elsewhere: Elsewhere,
    grant: ApiGrant,
    lobby: string | null,
    list: RoomList,
  ): Promise<readonly string[]> {
    const names: string[] = [];
    let { after } = list;
    for (;;) {
      const part = await elsewhere.names({ ...list, after, lobby });
      names.push(...part.filter((name) => seesRoom(grant, name)));
      const last = part.at(-1);
      if (last === undefined || part.length < list.limit || names.length >= list.limit) return names;
      after = last;
    }
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

const NOWHERE: FoundRooms = new Map();
/** As many as there may be. */
const ALL_ROOMS: RoomList = { prefix: "", after: "", limit: 10_000 };
const NOBODY: ReadonlyMap<string, User> = new Map();
