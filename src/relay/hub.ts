/**
 * The hub: rooms and lobbies, the connections in them, and what time does to them. It knows sockets only as something to
 * send to; how they come about is the server's business (relay.ts).
 */
import { randomBytes } from "node:crypto";
import type { PresenceEvent } from "../presence/index.ts";
import { Close, type Frame, type Hello, controlFrame, isFinal, isLobby } from "../wire/index.ts";
import { type Denial, type RoomAccess, denial, sameAccess } from "./access/grants.ts";
import { Connection, type ConnectionHandler } from "./connection.ts";
import { Archive, SharedDocument } from "./document.ts";
import { Grace } from "./grace.ts";
import { stallOf, sweepInterval } from "./liveness.ts";
import { Lobby } from "./lobby.ts";
import { Counters, type Dropped } from "./metrics.ts";
import type { RelaySettings } from "./options.ts";
import { Packet } from "./packet.ts";
import type { Peer } from "./peer.ts";
import { type Clock, systemClock } from "./ports/clock.ts";
import type { ServerSocket } from "./ports/socket.ts";
import { ProcessorTime } from "./processor.ts";
import { type Renew, Renewal } from "./access/renewal.ts";
import { Room, type RoomHost } from "./room.ts";
import { type Row, isStock } from "./table.ts";
import { FlushLoad } from "./tick.ts";
import { UnsentData } from "./unsent.ts";
import { TimeQuota } from "./work.ts";

/** Where a socket was let in to, and as whom. */
export interface Admitted {
  readonly room: string;
  readonly access: RoomAccess;
  /** Where it comes from: an IPv4 address, or the network of an IPv6 address. */
  readonly address: string;
  /** Asks what it may do with a newer token; none where nobody is asked. */
  readonly renew?: Renew;
}

export class Hub implements RoomHost, ConnectionHandler {
  /** The id of this relay's shard in every lobby, but for a number in one that is made anew. */
  readonly shard: string = `r_${randomBytes(9).toString("base64url")}`;
  readonly options: RelaySettings;
  readonly clock: Clock;
  readonly counters: Counters = new Counters();
  readonly load: FlushLoad = new FlushLoad();
  readonly processor: ProcessorTime = new ProcessorTime();
  readonly time: TimeQuota;
  readonly unsent: UnsentData;
  readonly rooms: Map<string, Room> = new Map();
  readonly lobbies: Map<string, Lobby> = new Map();
  readonly #onEvents: (events: readonly PresenceEvent[]) => void;
  /** ms since the epoch */
  readonly #startedAt: number;
  readonly #startedNow: number;
  readonly #archive = new Archive();
  readonly #connections = new Map<Connection, Room>();
  readonly #grace: Grace<Row>;
  readonly #renewals = new Map<Connection, Renewal>();
  #lobbiesGivenUp = 0;
  #isObserved = false;
  #isShedding = false;
  /** When the next sweep is due. */
  #sweepAt = Infinity;
  #sweeper: ReturnType<typeof setInterval> | undefined;

  constructor(
    options: RelaySettings,
    onEvents: (events: readonly PresenceEvent[]) => void,
    clock: Clock = systemClock,
  ) {
    this.options = options;
    this.clock = clock;
    this.time = new TimeQuota(options.timeRate);
    this.unsent = new UnsentData(options.maxUnsentTotal);
    this.#onEvents = onEvents;
    this.#startedAt = clock.wall();
    this.#startedNow = clock.now();
    this.#grace = new Grace(options.leaveGrace, clock, (row) => this.rooms.get(row.room)?.expire(row, clock.now()));
  }

  /** As the wall clock would be if nobody had set it since the relay was started. */
  get firstClock(): number {
    return Math.floor(this.#startedAt + this.clock.now() - this.#startedNow);
  }

  get isObserved(): boolean {
    return this.#isObserved;
  }

  /** Tells of who comes and goes in rooms, from now on. */
  observe(): void {
    this.#isObserved = true;
    for (const room of this.rooms.values()) if (!isLobby(room.name)) room.observe();
  }

  /** Why a connection that was let in cannot be taken now; null: it can. */
  refusal({ lobby }: RoomAccess): Denial | null {
    const { maxLobbies } = this.options;
    // a lobby outlives its connections: whoever named a new one each time would fill the relay with them
    if (maxLobbies === 0 || this.lobbies.size < maxLobbies || this.lobbies.has(lobby)) return null;
    return denial("lobbies", Close.overloaded, "too many lobbies");
  }

  /** Takes a socket that was let in. */
  accept(socket: ServerSocket, { room: name, access, address, renew }: Admitted): void {
    const acceptedAt = this.clock.now();
    this.processor.begin(acceptedAt);
    const within = sweepInterval(this.options);
    this.#sweeper ??= setInterval(() => this.#sweep(within), within);
    const room = this.#room(name);
    const connection = new Connection(socket, access, address, this.options, this);
    this.#connections.set(connection, room);
    this.counters.accepted++;
    if (renew !== undefined)
      this.#renewals.set(connection, new Renewal(renew, (renewed) => this.#renewed(connection, renewed)));
    if (connection.trusts) connection.send(new Packet(controlFrame(this.#hello(access))));
    room.join(connection);
    const joinedAt = this.clock.now();
    connection.joined(joinedAt - acceptedAt, joinedAt);
  }

  get fanOutMs(): number {
    return this.load.fanOutMs;
  }

  unsentIsOver(): void {
    if (this.#isShedding) return;
    this.#isShedding = true;
    // not in the midst of what made it send
    queueMicrotask(() => {
      this.#isShedding = false;
      this.unsent.shed(this.#connections.keys());
    });
  }

  /** Tells everybody to come back later, and frees all that is held. */
  close(): void {
    clearInterval(this.#sweeper);
    this.#grace.stop();
    // first of all: nobody is to hear of everybody else that their connection is lost
    for (const room of this.rooms.values()) room.close();
    for (const lobby of this.lobbies.values()) lobby.close();
    for (const connection of this.#connections.keys()) connection.close(Close.restart, "the relay is stopping");
    this.rooms.clear();
    this.lobbies.clear();
  }

  frame(connection: Connection, frame: Frame, now: number): void {
    if (frame.type === "control" && frame.control.kind === "token" && connection.trusts) {
      const renewal = this.#renewals.get(connection);
      if (renewal === undefined) this.#tellAccess(connection);
      else renewal.take(frame.control.token);
      return;
    }
    this.#connections.get(connection)?.receive(connection, frame, now);
  }

  silence(connection: Connection): void {
    this.#connections.get(connection)?.refreshPeer(connection);
  }

  drained(connection: Connection): void {
    this.#connections.get(connection)?.catchUp(connection);
  }

  closed(connection: Connection, code: number, now: number): void {
    const room = this.#connections.get(connection);
    this.#connections.delete(connection);
    this.#renewals.delete(connection);
    this.counters.countClosed(code);
    room?.leave(connection, now, (row) => isLeave(code, connection, row));
  }

  rowChanged(_room: Room, row: Row): void {
    if (row.owner !== null) this.#grace.release(row);
    this.#lobby(row.lobby).set(row);
  }

  rowRemoved(_room: Room, row: Row): void {
    this.#grace.release(row);
    this.lobbies.get(row.lobby)?.delete(row);
  }

  isVisible(room: Room, row: Row): boolean {
    return !isLobby(room.name) && this.lobbies.get(row.lobby)?.isInvisible(row.claim.user.id) !== true;
  }

  orphaned(_room: Room, rows: readonly Row[]): void {
    for (const row of rows) this.#grace.hold(row);
  }

  events(events: readonly PresenceEvent[]): void {
    this.#onEvents(events);
  }

  isFull(lobby: string, userId: string): boolean {
    const { maxLobbyUsers } = this.options;
    return maxLobbyUsers !== 0 && this.#lobby(lobby).wouldExceed(maxLobbyUsers, userId);
  }

  dropped(what: Dropped): void {
    this.counters.countDropped(what);
  }

  emptied(room: Room): void {
    if (!room.empty || isLobby(room.name)) return;
    room.close();
    this.rooms.delete(room.name);
  }

  #hello({ user, expiresAt }: RoomAccess): Hello {
    return {
      kind: "hello",
      shard: this.shard,
      graceMs: this.options.leaveGrace,
      ...(user !== null && { user }),
      ...(expiresAt !== null && { expiresInMs: Math.max(0, expiresAt - this.clock.wall()) }),
    };
  }

  #tellAccess(connection: Connection): void {
    const { expiresAt } = connection.access;
    const expiresInMs = expiresAt === null ? null : Math.max(0, expiresAt - this.clock.wall());
    connection.send(new Packet(controlFrame({ kind: "access", expiresInMs })));
  }

  #renewed(connection: Connection, renewed: RoomAccess | Denial): void {
    // it may be gone meanwhile
    if (!this.#connections.has(connection)) return;
    if ("ok" in renewed) {
      connection.close(renewed.code, renewed.reason);
    } else if (sameAccess(connection.access, renewed)) {
      connection.access = renewed;
      this.#tellAccess(connection);
      // what it may see and what not is settled when it is opened
    } else connection.close(Close.restart, "what you may do has changed");
  }

  #room(name: string): Room {
    const known = this.rooms.get(name);
    if (known !== undefined) return known;
    if (isLobby(name)) return this.#lobby(name).room;
    const room = new Room(
      name,
      this,
      () => new SharedDocument(name, this.#archive, (packet, author) => room.sendUpdate(packet, author)),
    );
    this.rooms.set(name, room);
    return room;
  }

  #lobby(name: string): Lobby {
    const known = this.lobbies.get(name);
    if (known !== undefined) return known;
    // a reader may have kept the document of a lobby that was given up: it must not mix the new one with it
    const shard = this.#lobbiesGivenUp === 0 ? this.shard : `${this.shard}.${this.#lobbiesGivenUp}`;
    const relay = { shard, startedAt: this.#startedAt };
    const lobby = new Lobby(name, relay, this, (row) => this.rooms.get(row.room)?.refreshVisibility(row));
    this.lobbies.set(name, lobby);
    this.rooms.set(name, lobby.room);
    return lobby;
  }

  #sweep(within: number): void {
    const now = this.clock.now();
    const stalledMs = stallOf(this.#sweepAt, now);
    this.#sweepAt = now + within;
    for (const connection of this.#connections.keys()) connection.sweep(now, within, stalledMs);
    for (const room of this.rooms.values()) room.sweep(now);
    this.time.sweep(now);
    for (const lobby of this.lobbies.values()) {
      lobby.sweep(now);
      if (!lobby.empty) continue;
      lobby.close();
      this.lobbies.delete(lobby.name);
      this.rooms.delete(lobby.name);
      this.#lobbiesGivenUp++;
    }
  }
}

/** Whether a connection that ended so left for good, or may come back within the grace. */
function isLeave(code: number, peer: Peer, row: Row): boolean {
  if (code === Close.normal || isFinal(code)) return true;
  // a stock client that closes its tab has no session to come back as; but one that was frozen may have been thawed, of
  // which the browser says the same
  return code === Close.goingAway && isStock(row.claim) && !peer.silent;
}
