/**
 * A hub with its links, without a server of its own. It takes sockets that somebody else has opened, says who is here, and tells of
 * people who come and go. `relay.ts` and `copresence/hub` are made of it.
 */
import type { PresenceEvent, User } from "../../presence/index.ts";
import { isLobby, checkedLobbyRoom } from "../../wire/index.ts";
import { Cluster, type ClusterOptions } from "../cluster/cluster.ts";
import type { Elsewhere } from "../cluster/inquiries/elsewhere.ts";
import { GuardedBus } from "../cluster/bus/guarded-bus.ts";
import { SignedBus } from "../cluster/bus/signed-bus.ts";
import { Hub } from "../core/hub.ts";
import { Broadcaster } from "./broadcaster.ts";
import { moveGraceOf } from "../core/grace/grace.ts";
import type { Room } from "../core/room.ts";
import { systemClock } from "../ports/clock.ts";
import type { Bus } from "../ports/bus.ts";
import { noProbe } from "../ports/probe.ts";
import type { ServerSocket } from "../ports/socket.ts";
import type { RelaySettings } from "../ports/settings.ts";
import type { Addressing } from "../transport/addressing.ts";
import type { Channel } from "../transport/channel.ts";
import type { Link } from "../transport/link.ts";
import { type Admitted, Links } from "../transport/links.ts";
import { endsInTime } from "../util/back-off.ts";
import { eventLoopBusy } from "../util/event-loop.ts";
import type { ErrorListener } from "../util/report.ts";
import { HubEvents } from "./events.ts";
import { UserActions } from "./user-actions.ts";
import { type BusMetrics, troubleOf } from "./readiness.ts";
import { type ChannelHub, type Doorkeeper, RoomChannels } from "./room-channels.ts";
import type { HubMetrics, LinkedHubSetup, RoomInfo } from "./types.ts";

/** The hub with its links, as a server uses it. */
export class LinkedHub {
  readonly settings: RelaySettings;
  /** The rooms and lobbies. */
  readonly core: Hub;
  /** One-off messages of servers. */
  readonly broadcasts: Broadcaster;
  /** What a server does to all connections of a user. */
  readonly actions: UserActions;
  /** Who comes and goes. */
  readonly events: HubEvents;
  readonly #onError: ErrorListener;
  readonly #links: Links;
  readonly #bus: Bus | null;
  readonly #cluster: Cluster | null;
  /** Messages of the bus whose signature was wrong. */
  #unsigned = 0;
  #isDraining = false;
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
      events: (events: readonly PresenceEvent[]) => this.events.emit(events),
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
    this.events = new HubEvents(this.core, sinks, onError);
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

  /** Why balancers should send clients to other hubs; null: the hub is ready. */
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

  /** Whether clients that are sent away find another relay. [DRAIN-4] */
  get canDrain(): boolean {
    return (this.#cluster?.relaysSeen ?? 0) > 0;
  }

  /** The relays on the bus that are heard, this one too; null: there is no bus, or it is lost. */
  get relaysHeard(): ReadonlySet<string> | null {
    return this.#cluster?.heard ?? null;
  }

  /** How many sockets are open. */
  get links(): number {
    return this.#links.size;
  }

  /**
   * Tells one client after the other to come back, so that other relays take them, and takes no new client. [DRAIN-1]
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

  /** Tells all clients to come back later, stores what has yet to be stored, and frees everything. */
  async close(): Promise<void> {
    this.#cluster?.close();
    // saved as they are before all connections end
    const people = this.core.people?.close();
    // before the links are closed: else each client would be told that all others have lost their connections
    this.core.close();
    this.#links.close();
    this.events.stop();
    // documents close the store
    await this.#inTime("the store of people", people);
    await Promise.all([
      this.#inTime("the bus", this.#bus?.close?.()),
      this.core.documents.close(),
      ...this.events.closeSinks().map((closed) => this.#inTime("an event sink", closed)),
    ]);
  }

  /** [STORE-48] Waits until something has ended, but not for so long that it keeps the process from ending. */
  #inTime(what: string, ended: Promise<void> | undefined): Promise<void> {
    return endsInTime(ended, (trouble) => this.#onError(trouble, what));
  }

  users(lobby?: string): readonly User[] {
    return [...(this.core.lobbies.get(checkedLobbyRoom(lobby))?.users.values() ?? [])];
  }

  user(userId: string, lobby?: string): User | undefined {
    // [RUN-4] one who is online, or who left and is remembered
    return this.core.lobbies.get(checkedLobbyRoom(lobby))?.user(userId, this.core.clock.now());
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
      documents: this.core.documents.memory.counts,
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
}
