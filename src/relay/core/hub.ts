/**
 * The hub: rooms and lobbies, the connections in them, and what time does to them. It knows sockets only as something to
 * send to; how they come about is the server's business (relay.ts).
 *
 * Frames go one way through it: a room returns changes, a lobby's directory turns them into effects, and the hub hands both
 * to the rooms that tell their members.
 */
import { randomBytes } from "node:crypto";
import {
  type Author,
  type Change,
  type Moment,
  type PresentEntry,
  type SessionsByUser,
  StateMemory,
  isStockSession,
} from "../../awareness/index.ts";
import type { Effects } from "../../lobby/index.ts";
import type { PresenceEvent, Unsubscribe } from "../../presence/index.ts";
import { Close, type Frame, FrameError, type Hello, controlFrame, isFinal, isLobby } from "../../wire/index.ts";
import { type Denial, type RoomAccess, grantsOf, sameAccess } from "../access/grants.ts";
import { LobbyPlaces } from "../access/lobby-places.ts";
import { type Renew, Renewal } from "../access/renewal.ts";
import { Connection } from "../transport/connection.ts";
import type { ConnectionHandler } from "../transport/connection-handler.ts";
import { Documents } from "../documents/index.ts";
import { stallOf, sweepInterval } from "../transport/liveness.ts";
import { Counters } from "../metrics.ts";
import type { RelaySettings } from "../options.ts";
import { Packet } from "../packet.ts";
import { type Clock, datingClock, systemClock } from "../ports/clock.ts";
import type { ServerSocket } from "../ports/socket.ts";
import { ProcessorTime } from "../transport/processor.ts";
import { Turns } from "../transport/turns.ts";
import { UnsentData } from "../transport/unsent.ts";
import { TimeQuota } from "../transport/work.ts";
import { Grace } from "./grace.ts";
import { Lobby } from "./lobby.ts";
import { Room, type RoomSetup } from "./room.ts";
import { FlushLoad } from "./tick.ts";

/** Where a socket was let in to, and as whom. */
export interface Admitted {
  readonly room: string;
  readonly access: RoomAccess;
  /** The address that it comes from, as limits count addresses. */
  readonly address: string;
  /** Asks what it may do with a newer token; none where nobody is asked. */
  readonly renew?: Renew;
  /** Its document goes back in its history. */
  readonly keepsHistory?: boolean;
}

export class Hub implements ConnectionHandler {
  /** The id of this relay's shard in every lobby, but for a number in one that is made anew. */
  readonly shard: string = `r_${randomBytes(9).toString("base64url")}`;
  readonly options: RelaySettings;
  readonly clock: Clock;
  readonly documents: Documents;
  readonly counters: Counters = new Counters();
  readonly processor: ProcessorTime = new ProcessorTime();
  readonly time: TimeQuota;
  readonly turns: Turns = new Turns();
  readonly unsent: UnsentData;
  readonly stateMemory: StateMemory;
  /** Those that are no lobbies, by name. */
  readonly rooms: Map<string, Room> = new Map();
  readonly lobbies: Map<string, Lobby> = new Map();
  /** The hub holds the place of each lobby in which it knows of somebody. */
  readonly lobbyPlaces: LobbyPlaces;
  readonly #setup: RoomSetup;
  readonly #load = new FlushLoad();
  /** ms since the epoch */
  readonly #startedAt: number;
  /** Says when something happened, so that what happened later is dated later. */
  readonly #date: () => number;
  readonly #connections = new Map<Connection, Room>();
  readonly #grace: Grace<PresentEntry>;
  readonly #renewals = new Map<Connection, Renewal>();
  /** How many client ids connections from each address have brought. */
  readonly #idsFrom = new Map<string, number>();
  readonly #onError: (error: unknown, where: string) => void;
  #lobbiesGivenUp = 0;
  #observers = 0;
  #isShedding = false;
  /** When the next sweep is due, monotonic ms. */
  #sweepAt = Infinity;
  #sweeper: ReturnType<typeof setInterval> | undefined;

  constructor(
    options: RelaySettings,
    onEvents: (events: readonly PresenceEvent[]) => void,
    onError: (error: unknown, where: string) => void = () => {},
    clock: Clock = systemClock,
  ) {
    this.options = options;
    this.#onError = onError;
    this.clock = clock;
    this.documents = new Documents(options, (error) => onError(error, "documents"));
    this.lobbyPlaces = new LobbyPlaces(options);
    this.time = new TimeQuota(options.timeRate);
    this.stateMemory = new StateMemory(options.maxStatesTotal);
    this.unsent = new UnsentData(options.maxUnsentTotal);
    this.#startedAt = clock.wall();
    this.#date = datingClock(clock);
    const startedNow = clock.now();
    this.#grace = new Grace(options.leaveGrace, clock, (entry) => this.#expire(entry));
    this.#setup = {
      limits: options,
      stateMemory: this.stateMemory,
      tick: options.tick,
      maxCursors: options.maxCursors,
      clock,
      load: this.#load,
      // as the wall clock would be if nobody had set it since the relay was started
      firstClock: () => Math.floor(this.#startedAt + clock.now() - startedNow),
      admitUsers: (author, lobby, sessions) => this.#admitUsers(author, lobby, sessions),
      onEvents,
      onDropped: (what) => this.counters.countDropped(what),
    };
  }

  /** Tells of who comes and goes in rooms, until the last observer has undone it. */
  observe(): Unsubscribe {
    if (this.#observers++ === 0) for (const room of this.rooms.values()) room.observe(true);
    let isUndone = false;
    return () => {
      if (isUndone) return;
      isUndone = true;
      if (--this.#observers === 0) for (const room of this.rooms.values()) room.observe(false);
    };
  }

  /** Takes a socket that was let in. */
  accept(socket: ServerSocket, { room: name, access, address, renew, keepsHistory = false }: Admitted): void {
    const acceptedAt = this.clock.now();
    this.processor.begin(acceptedAt);
    const within = sweepInterval(this.options);
    this.#sweeper ??= setInterval(() => this.#sweep(within), within);
    const room = this.#room(name);
    if (keepsHistory && access.write) room.document.keepHistory();
    const connection = new Connection(socket, access, address, this.options, this);
    this.#connections.set(connection, room);
    this.counters.accepted++;
    if (renew !== undefined) {
      this.#renewals.set(connection, new Renewal(renew, (renewed) => this.#renewed(connection, renewed)));
    }
    if (connection.kind === "native") connection.send(new Packet(controlFrame(this.#hello(name, access))));
    room.join(connection);
    const joinedAt = this.clock.now();
    this.turns.used(joinedAt - acceptedAt);
    connection.joined(joinedAt - acceptedAt, joinedAt);
  }

  /** How long it has taken so far, since the start, to hand on to others what somebody said, ms. */
  get fanOutMs(): number {
    return this.#load.fanOutMs;
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
    if (frame.type === "control" && frame.control.kind === "token" && connection.kind === "native") {
      const renewal = this.#renewals.get(connection);
      if (renewal === undefined) this.#tellAccess(connection);
      else renewal.take(frame.control.token);
      return;
    }
    const room = this.#connections.get(connection);
    if (room !== undefined) this.#act(room, room.receive(connection, frame, this.#moment(now)));
  }

  silence(connection: Connection): void {
    const room = this.#connections.get(connection);
    if (room === undefined) return;
    this.#act(
      room,
      room.register.ownedBy(connection).map((entry) => ({ type: "claimed", entry })),
    );
  }

  drained(connection: Connection): void {
    this.#connections.get(connection)?.catchUp(connection);
  }

  failed(error: unknown): void {
    this.#onError(error, "a message");
  }

  closed(connection: Connection, code: number, now: number): void {
    const room = this.#connections.get(connection);
    this.#connections.delete(connection);
    this.#renewals.delete(connection);
    this.counters.countClosed(code);
    if (room === undefined) return;
    this.#act(
      room,
      room.leave(connection, now, (entry) => isLeave(code, connection, entry)),
    );
    this.#freeIfEmpty(room);
  }

  /** Acts on what a frame or a loss brought about, in order. */
  #act(room: Room, changes: readonly Change[]): void {
    for (const change of changes) {
      switch (change.type) {
        case "entered":
          this.#countIds(change.entry.address, 1);
          this.#report(change.entry);
          break;
        case "claimed":
          if (change.entry.phase === "orphaned") this.#grace.hold(change.entry);
          else this.#grace.release(change.entry);
          this.#report(change.entry);
          break;
        case "renamed":
          this.#report(change.entry);
          break;
        case "left":
          this.#countIds(change.entry.address, -1);
          this.#grace.release(change.entry);
          this.#take(this.lobbies.get(change.entry.lobby)?.withdraw(change.entry));
          break;
        case "changed":
        case "superseded":
        case "returned":
        case "taken":
          break;
      }
      room.publish(change);
    }
  }

  #report(entry: PresentEntry): void {
    this.#take(this.#lobby(entry.lobby).report(entry));
  }

  /** Acts on what a lobby's directory says: in whatever rooms the user is. */
  #take(effects: Effects<PresentEntry> | undefined): void {
    if (effects === undefined) return;
    for (const [entry, visible] of effects.visibility) this.#roomOf(entry)?.show(entry, visible);
    for (const [entry, choice] of effects.choices) this.#roomOf(entry)?.tellChoice(entry, choice);
  }

  #roomOf({ room }: PresentEntry): Room | undefined {
    return this.rooms.get(room) ?? this.lobbies.get(room)?.room;
  }

  #expire(entry: PresentEntry): void {
    const room = this.#roomOf(entry);
    if (room === undefined) return;
    this.#act(room, room.expire(entry, this.clock.now()));
    this.#freeIfEmpty(room);
  }

  /** Throws a `FrameError` if an author may not bring these users. [LIMIT-3] [LOBBY-11] */
  #admitUsers({ address }: Author, lobby: string, sessions: SessionsByUser): void {
    const { maxAddressUsers } = this.options;
    const ids = this.#idsFrom.get(address) ?? 0;
    if (maxAddressUsers !== 0 && ids + sessions.size > maxAddressUsers) {
      throw new FrameError("too many people from your address", Close.overloaded);
    }
    this.#lobby(lobby).admitUsers(sessions);
  }

  #countIds(address: string, change: number): void {
    const ids = (this.#idsFrom.get(address) ?? 0) + change;
    if (ids > 0) this.#idsFrom.set(address, ids);
    else this.#idsFrom.delete(address);
  }

  #freeIfEmpty(room: Room): void {
    if (!room.empty || isLobby(room.name)) return;
    room.close();
    this.rooms.delete(room.name);
  }

  #moment(now: number): Moment {
    return { now, date: this.#date() };
  }

  #hello(room: string, access: RoomAccess): Hello {
    const { user, expiresAt } = access;
    const { leaveGrace, maxState, maxMeta } = this.options;
    return {
      kind: "hello",
      shard: this.shard,
      graceMs: leaveGrace,
      now: this.#date(),
      room,
      grants: grantsOf(access),
      maxState,
      maxMeta,
      ...(user !== null && { user }),
      ...(expiresAt !== null && { expiresInMs: Math.max(0, expiresAt - this.clock.wall()) }),
    };
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

  #tellAccess(connection: Connection): void {
    const { expiresAt } = connection.access;
    const expiresInMs = expiresAt === null ? null : Math.max(0, expiresAt - this.clock.wall());
    connection.send(new Packet(controlFrame({ kind: "access", expiresInMs })));
  }

  #room(name: string): Room {
    if (isLobby(name)) return this.#lobby(name).room;
    const known = this.rooms.get(name);
    if (known !== undefined) return known;
    const room: Room = new Room(name, this.#setup, () =>
      this.documents.of(name, (packet, author) => room.sendUpdate(packet, author)),
    );
    room.observe(this.#observers > 0);
    this.rooms.set(name, room);
    return room;
  }

  #lobby(name: string): Lobby {
    const known = this.lobbies.get(name);
    if (known !== undefined) return known;
    // a reader may have kept the document of a lobby that was given up: it must not mix the new one with it
    const shard = this.#lobbiesGivenUp === 0 ? this.shard : `${this.shard}.${this.#lobbiesGivenUp}`;
    const lobby = new Lobby(name, { shard, startedAt: this.#startedAt }, this.#setup, this.options);
    this.lobbies.set(name, lobby);
    this.lobbyPlaces.hold(name);
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
      lobby.room.sweep(now);
      lobby.sweep(now);
      if (!lobby.empty) continue;
      lobby.close();
      this.lobbies.delete(lobby.name);
      this.lobbyPlaces.release(lobby.name);
      this.#lobbiesGivenUp++;
    }
  }
}

/** Whether a connection that ended so left for good, or may come back within the grace. [LIVE-1] [LIVE-2] [LIVE-3] */
function isLeave(code: number, { silent }: Author, entry: PresentEntry): boolean {
  if (code === Close.normal || isFinal(code)) return true;
  // a stock client that closes its tab has no session to come back as; but one that was frozen may have been thawed, of
  // which the browser says the same
  return code === Close.goingAway && isStockSession(entry.claim) && !silent;
}
