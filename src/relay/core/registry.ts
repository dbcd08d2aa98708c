/**
 * The rooms and lobbies of a hub, by name. Each is opened when it is first needed, and given up when nobody needs it any more.
 */
import type { PresentEntry } from "../../awareness/index.ts";
import type { Unsubscribe } from "../../presence/index.ts";
import { isLobby } from "../../wire/index.ts";
import type { LobbyPlaces } from "../access/lobby-places.ts";
import { type Documents, SharedDocument, noDocument } from "../documents/index.ts";
import { Lobby, type LobbyPolicy } from "./lobby/lobby.ts";
import type { ShardName } from "./lobby/remote-shards.ts";
import { Room } from "./room.ts";
import type { RoomSetup } from "./setup.ts";

/** Told of rooms, and of lobbies' rooms, that are opened and given up. */
export interface RoomListener {
  opened(room: Room): void;
  closed(room: Room): void;
}

export interface RegistrySetup {
  readonly room: RoomSetup;
  readonly lobby: LobbyPolicy;
  /** The name of this relay's shard in every lobby. Where a lobby is made anew, a number follows. */
  readonly shard: ShardName;
  /** null: rooms have no documents. */
  readonly documents: Documents | null;
  /** The registry holds the place of each lobby that is open. */
  readonly lobbyPlaces: LobbyPlaces;
  readonly listener: RoomListener;
}

export class RoomRegistry {
  /** The rooms that are no lobbies. */
  readonly rooms: Map<string, Room> = new Map();
  readonly lobbies: Map<string, Lobby> = new Map();
  readonly #setup: RegistrySetup;
  #lobbiesGivenUp = 0;
  #observers = 0;

  constructor(setup: RegistrySetup) {
    this.#setup = setup;
  }

  /** Has all rooms tell who comes and goes, until the last observer has undone it. */
  observe(): Unsubscribe {
    if (this.#observers++ === 0) for (const room of this.rooms.values()) room.observe(true);
    let isUndone = false;
    return () => {
      if (isUndone) return;
      isUndone = true;
      if (--this.#observers === 0) for (const room of this.rooms.values()) room.observe(false);
    };
  }

  /** The room that an entry is in; undefined: it has been given up. */
  roomOf({ room }: PresentEntry): Room | undefined {
    return this.rooms.get(room) ?? this.lobbies.get(room)?.room;
  }

  /** The room of this name, or the lobby's room, opened if there was none. */
  open(name: string): Room {
    if (isLobby(name)) return this.openLobby(name).room;
    const known = this.rooms.get(name);
    if (known !== undefined) return known;
    const { room: setup, documents, listener } = this.#setup;
    const room = new Room(name, setup, (host) =>
      documents === null ? noDocument : new SharedDocument(name, documents, host),
    );
    room.observe(this.#observers > 0);
    this.rooms.set(name, room);
    listener.opened(room);
    return room;
  }

  /** The lobby of this name, opened if there was none. */
  openLobby(name: string): Lobby {
    const known = this.lobbies.get(name);
    if (known !== undefined) return known;
    const { room: setup, lobby: policy, shard: own, lobbyPlaces, listener } = this.#setup;
    // a reader may have kept the document of a lobby that was given up, and must not mix the new shard with the old one
    const shard = this.#lobbiesGivenUp === 0 ? own.shard : `${own.shard}.${this.#lobbiesGivenUp}`;
    const lobby = new Lobby(name, { ...own, shard }, setup, policy);
    this.lobbies.set(name, lobby);
    lobbyPlaces.hold(name);
    listener.opened(lobby.room);
    return lobby;
  }

  /** Frees a room in which nobody is, nor may come back within the grace. A lobby is freed by `sweep`. [ROOM-3] */
  freeIfEmpty(room: Room): void {
    if (!room.empty || isLobby(room.name)) return;
    // the last flush may hold something that other relays have to be told first: then the room stays [BUS-37]
    room.flushNow();
    if (!room.empty) return;
    room.close();
    this.#setup.listener.closed(room);
    this.rooms.delete(room.name);
  }

  /** Has rooms and lobbies do what is due, and frees those that nobody needs any more. */
  sweep(now: number): void {
    for (const room of this.rooms.values()) {
      room.sweep(now);
      // those who were waited for may be back through another relay
      this.freeIfEmpty(room);
    }
    for (const lobby of this.lobbies.values()) {
      lobby.room.sweep(now);
      lobby.sweep(now);
      if (lobby.empty) this.#giveUp(lobby);
    }
  }

  /** Frees all of them. Members that are still there hear no more of anybody. */
  close(): void {
    for (const room of this.rooms.values()) room.close();
    for (const lobby of this.lobbies.values()) lobby.close();
    this.rooms.clear();
    this.lobbies.clear();
  }

  #giveUp(lobby: Lobby): void {
    this.#setup.listener.closed(lobby.room);
    lobby.close();
    this.lobbies.delete(lobby.name);
    this.#setup.lobbyPlaces.release(lobby.name);
    this.#lobbiesGivenUp++;
  }
}
