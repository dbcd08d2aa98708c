/**
 * A hub without a server of its own: what any WebSocket server needs to become a presence server. It takes sockets that
 * somebody else has opened, says who is here, and tells of who comes and goes.
 */
import { Emitter, type PresenceEvent, type Unsubscribe, type User } from "../../presence/index.ts";
import { isLobby, lobbyRoom } from "../../wire/index.ts";
import { EventFeed } from "../events/feed.ts";
import type { EventSink, IdentifiedEvent } from "../ports/event-sink.ts";
import { Cluster, type ClusterOptions } from "../cluster/cluster.ts";
import type { Elsewhere } from "../cluster/inquiries/elsewhere.ts";
import { GuardedBus } from "../cluster/bus/guarded-bus.ts";
import { SignedBus } from "../cluster/bus/signed-bus.ts";
import { Hub } from "../core/hub.ts";
import { Broadcaster } from "./broadcaster.ts";
import { moveGraceOf } from "../core/grace.ts";
import { eventLoopBusy } from "../core/pace.ts";
import type { Room } from "../core/room.ts";
import type { DocumentCounts, StoreMetrics } from "../documents/index.ts";
import { type Clock, systemClock } from "../ports/clock.ts";
import type { Bus } from "../ports/bus.ts";
import type { DocumentStore } from "../ports/stores/document-store.ts";
import { type Probe, noProbe } from "../ports/probe.ts";
import type { ServerSocket } from "../ports/socket.ts";
import type { RelaySettings } from "../ports/settings.ts";
import type { Addressing } from "../transport/addressing.ts";
import type { Channel } from "../transport/channel.ts";
import type { Link } from "../transport/link.ts";
import { type Admitted, Links } from "../transport/links.ts";
import { endsInTime } from "../util/back-off.ts";
import { type ErrorListener, callListener } from "../util/report.ts";
import type { DisconnectOptions, Disconnected } from "./disconnect.ts";
import { UserActions } from "./user-actions.ts";
import { type BusMetrics, troubleOf } from "./readiness.ts";
import { type ChannelHub, type Doorkeeper, RoomChannels } from "./room-channels.ts";

export type { DisconnectOptions, Disconnected };

/** Events of all rooms and lobbies; `roomId` says which, and `id` is no other event's: that of the HTTP API and of sinks. */
export interface RelayEvents {
  readonly join: Extract<IdentifiedEvent, { type: "join" }>;
  readonly leave: Extract<IdentifiedEvent, { type: "leave" }>;
  readonly update: Extract<IdentifiedEvent, { type: "update" }>;
  /** All three. */
  readonly event: IdentifiedEvent;
}

export interface RoomInfo {
  readonly name: string;
  /** Open connections. */
  readonly connections: number;
  /** Who is present, as others see them. */
  readonly users: readonly User[];
  /** Whether the relay holds a document for the room; one that only carries presence has none. */
  readonly hasDocument: boolean;
}

/** What the hub counts about itself. */
export interface HubMetrics {
  /** Channels that are open now: a stock client has one for each connection. */
  readonly connections: number;
  /** With somebody in them now, lobbies not among them. */
  readonly rooms: number;
  /** Present now, over all lobbies. */
  readonly users: number;
  /** Bytes that wait to be sent, over all links. */
  readonly unsentBytes: number;
  /** Bytes of all awareness states. */
  readonly stateBytes: number;
  /** Documents of rooms, also of those that nobody is in. */
  readonly documents: DocumentCounts;
  /** What the store of documents does; null: there is none. */
  readonly store: StoreMetrics | null;
  /** How the bus fares; null: there is none. */
  readonly bus: BusMetrics | null;
}

/** What a hub may be made with. */
export interface LinkedHubSetup {
  readonly clock?: Clock;
  /** Where documents outlive the hub. Default: nowhere. */
  readonly store?: DocumentStore | null;
  /** Whether rooms have documents. Default: true. */
  readonly hasDocuments?: boolean;
  /** Says what part of the time this process has been busy since it was asked last: 0 to 1. Default: as Node has it. */
  readonly busySince?: () => number;
  /** Joins it to other hubs. Default: it is alone. */
  readonly bus?: Bus | null;
  /** What the names of its topics begin with. Default `cp1:`. */
  readonly busPrefix?: string;
  /** Signs what is said on it. Default: nothing is signed. */
  readonly busSecret?: string | null;
  /** Messages on it that are longer go in parts of this length, bytes. Default: 256 KiB. */
  readonly busPartBytes?: number;
  /** Where events go besides listeners. Default: nowhere. */
  readonly sinks?: readonly EventSink[];
  /** Told when the document of a room changes. */
  readonly onEdit?: (room: string) => void;
  /** Told when a room or lobby is not open here any more. */
  readonly onClosed?: (room: string) => void;
  /** Measures it. Default: nothing is measured. */
  readonly probe?: Probe;
}

/** The hub with its links, as a server uses it. */
export class LinkedHub {
  readonly settings: RelaySettings;
  /** The rooms and lobbies. */
  readonly core: Hub;
  /** One-off messages of servers. */
  readonly broadcasts: Broadcaster;
  /** What a server does to all connections of a user. */
  readonly actions: UserActions;
  readonly #emitter = new Emitter<RelayEvents>();
  readonly #onError: ErrorListener;
  readonly #links: Links;
  readonly #bus: Bus | null;
  readonly #cluster: Cluster | null;
  readonly #feeds: readonly EventFeed[];
  readonly #unobserve: Unsubscribe;
  /** Messages of the bus whose signature was wrong. */
  #unsigned = 0;
  #isDraining = false;
  /** How many ids events have had. */
  #eventCount = 0;
  readonly #channelHub: ChannelHub;

  /** @param onError never throws */
  constructor(
    settings: RelaySettings,
    onError: ErrorListener,
    {
      clock = systemClock,
      store = null,
      hasDocuments = true,
      busySince = eventLoopBusy(),
      bus = null,
      busPrefix,
      busSecret = null,
      busPartBytes,
      sinks = [],
      onEdit = () => {},
      onClosed = () => {},
      probe = noProbe,
    }: LinkedHubSetup = {},
  ) {
    this.settings = settings;
    this.#onError = onError;
    const listener = {
      events: (events: readonly PresenceEvent[]) => this.#emit(events),
      edited: (room: string) => {
        this.#cluster?.edited(room);
        onEdit(room);
      },
      error: onError,
      opened: (room: Room) => this.#cluster?.opened(room),
      closed: (room: Room) => {
        this.#cluster?.closed(room);
        onClosed(room.name);
      },
    };
    this.core = new Hub(settings, listener, { clock, store, hasDocuments, busySince, probe });
    this.broadcasts = new Broadcaster(this.core, () => this.#cluster);
    this.#feeds = sinks.map((sink) => new EventFeed(sink, (error) => onError(error, "an event sink")));
    this.#unobserve = sinks.length > 0 ? this.core.observe() : () => {};
    this.#bus = bus === null ? null : new GuardedBus(bus, (error) => onError(error, "the bus"));
    const busOptions = { prefix: busPrefix, partBytes: busPartBytes };
    this.#cluster = this.#bus === null ? null : this.#joined(this.#bus, busSecret, busOptions);
    this.#links = new Links(settings, this.core, onError);
    this.actions = new UserActions(this.core, this.#links, this.#cluster);
    const { maxChannels, maxMessage } = settings;
    this.#channelHub = {
      turns: this.#links.turns,
      clock,
      maxChannels,
      maxMessage,
      open: (link, name, admitted) => this.#links.open(link, admitted, name),
      restate: (channel, change) => this.core.restate(channel, change),
      refused: (because) => this.core.counters.countRefused(because),
      error: onError,
    };
  }

  /** How the bus fares; null: there is none. */
  get cluster(): BusMetrics | null {
    const info = this.#cluster?.info;
    if (info === undefined) return null;
    const { unsentBytes, dropped } = this.#bus?.counts ?? { unsentBytes: 0, dropped: 0 };
    return { ...info, refused: info.refused + this.#unsigned, unsentBytes, dropped: dropped + info.dropped };
  }

  /** Why it had better be sent nobody; null: it is ready. */
  get trouble(): string | null {
    return troubleOf(this.#isDraining, this.cluster, this.core.trouble);
  }

  /** What can be found out from other relays; null: there is no bus. */
  get elsewhere(): Elsewhere | null {
    return this.#cluster?.elsewhere ?? null;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Whether those who are sent away have somewhere to go. [DRAIN-4] */
  get canDrain(): boolean {
    return (this.#cluster?.relaysSeen ?? 0) > 0;
  }

  /** The relays on the bus that are heard, this one too; null: it cannot be told now. */
  get relaysHeard(): ReadonlySet<string> | null {
    return this.#cluster?.heard ?? null;
  }

  /** How many sockets are open. */
  get links(): number {
    return this.#links.size;
  }

  /**
   * Tells one client after the other to come back, so that other relays take them, and takes nobody any more. [DRAIN-1]
   *
   * @param overMs how long that takes, ms; default: the option `drainTime`
   * @returns resolves when all were told
   */
  drain(overMs: number = this.settings.drainTime): Promise<void> {
    this.#isDraining = true;
    return this.#links.drain(overMs);
  }

  get turns(): Links["turns"] {
    return this.#links.turns;
  }

  /** Takes a socket that leads to one room. @param address where it comes from, as limits count addresses */
  accept(socket: ServerSocket, address: string, admitted: Admitted): Channel {
    const payer = admitted.access.user?.id ?? address;
    return this.#links.open(this.#links.connect(socket, { address, payer, addressing: null }), admitted);
  }

  /** Takes a socket of `LINK_SUBPROTOCOL`, whose client asks for rooms by itself. */
  link(socket: ServerSocket, address: string, doorkeeper: Doorkeeper): Link {
    const channels = new RoomChannels(this.#channelHub, doorkeeper);
    const link = this.#links.connect(socket, { address, payer: address, addressing: channels, host: channels });
    channels.attach(link);
    return link;
  }

  /** Takes a socket that may lead to any number of rooms. @param payer whose limits count: the id of a user, or else the address */
  connect(socket: ServerSocket, address: string, payer: string, addressing: Addressing): Link {
    return this.#links.connect(socket, { address, payer, addressing });
  }

  /** Opens a channel of a link to a room. @param name what its messages call the channel */
  open(link: Link, name: string, admitted: Admitted): Channel {
    return this.#links.open(link, admitted, name);
  }

  /** Tells everybody to come back later, stores what has yet to be stored, and frees all that is held. */
  async close(): Promise<void> {
    this.#cluster?.close();
    // as they are before everybody's connection ends
    const people = this.core.people?.close();
    // first of all: nobody is to hear of everybody else that their connection is lost
    this.core.close();
    this.#links.close();
    this.#unobserve();
    this.#emitter.clear();
    // documents close the store
    await this.#inTime("the store of people", people);
    await Promise.all([
      this.#inTime("the bus", this.#bus?.close?.()),
      this.core.documents.close(),
      ...this.#feeds.map((feed) => this.#inTime("an event sink", feed.close())),
    ]);
  }

  /** [STORE-48] What hangs does not keep the process from ending. */
  #inTime(what: string, ended: Promise<void> | undefined): Promise<void> {
    return endsInTime(ended, () =>
      this.#onError(new Error("it does not answer, and is not waited for any more"), what),
    );
  }

  on<K extends keyof RelayEvents>(type: K, listener: (event: RelayEvents[K]) => void): Unsubscribe {
    // [HTTP-8] what a listener of the application throws is reported
    const onError = (error: unknown): void => this.#onError(error, `a listener of "${type}"`);
    const unobserve = this.core.observe();
    const off = this.#emitter.on(type, (event) => callListener(listener, event, onError));
    return () => {
      off();
      unobserve();
    };
  }

  /** An id that no event of this relay had, nor of any other, nor of this one before its restart; ids have the order of events. */
  nextEventId(): string {
    return `${this.core.shard}-${++this.#eventCount}`;
  }

  users(lobby?: string): readonly User[] {
    return [...(this.core.lobbies.get(lobbyRoom(lobby))?.users.values() ?? [])];
  }

  user(userId: string, lobby?: string): User | undefined {
    // [RUN-4] one who is online, or who left and is remembered
    return this.core.lobbies.get(lobbyRoom(lobby))?.user(userId, this.core.clock.now());
  }

  rooms(): readonly RoomInfo[] {
    return [...this.core.rooms.values()].map((room) => this.#infoOf(room));
  }

  room(name: string): RoomInfo | undefined {
    const room = this.core.rooms.get(name) ?? this.core.lobbies.get(name)?.room;
    return room === undefined ? undefined : this.#infoOf(room);
  }

  /** All sockets that are open. */
  sockets(): Iterable<Link> {
    return this.#links.all();
  }

  metrics(): HubMetrics {
    let [connections, users] = [0, 0];
    for (const room of this.core.rooms.values()) connections += room.connections;
    for (const lobby of this.core.lobbies.values()) {
      connections += lobby.room.connections;
      users += lobby.users.size;
    }
    return {
      connections,
      rooms: this.core.rooms.size,
      users,
      unsentBytes: this.#links.unsent.bytes,
      stateBytes: this.core.stateMemory.bytes,
      documents: this.core.documents.counts,
      store: this.core.documents.storeMetrics,
      bus: this.cluster,
    };
  }

  #joined(bus: Bus, secret: string | null, options: Pick<ClusterOptions, "prefix" | "partBytes">): Cluster {
    const onRefused = (): void => {
      this.#unsigned++;
      this.#onError(new Error("a message with a wrong signature was dropped"), "the bus");
    };
    return new Cluster(this.core, secret === null ? bus : new SignedBus(bus, secret, onRefused), {
      ...options,
      graceMs: this.settings.leaveGrace,
      moveGraceMs: moveGraceOf(this.settings),
      refresh: (userId, lobby) => this.#links.refresh(userId, lobby),
      onError: (error) => this.#onError(error, "the bus"),
    });
  }

  #infoOf(room: Room): RoomInfo {
    const { name, connections, document } = room;
    return {
      name,
      connections,
      users: isLobby(name) ? this.users(name) : [...room.users.values()],
      hasDocument: document.hasContent,
    };
  }

  #emit(events: readonly PresenceEvent[]): void {
    // [EVENT-4] numbered once, for all who are told
    const identified = events.map((event) => ({ ...event, id: this.nextEventId() }));
    for (const feed of this.#feeds) feed.push(identified);
    for (const event of identified) {
      this.#emitter.emit("event", event);
      switch (event.type) {
        case "join":
          this.#emitter.emit("join", event);
          break;
        case "leave":
          this.#emitter.emit("leave", event);
          break;
        case "update":
          this.#emitter.emit("update", event);
          break;
      }
    }
  }
}
