/** What a hub takes and gives: the interfaces of `copresence/hub`. */
import type { Echoing } from "../awareness/index.ts";
import type { Unsubscribe, User } from "../presence/index.ts";
import type { Identity } from "../relay/access/identity.ts";
import type { Bus } from "../relay/ports/bus.ts";
import type { EventSink } from "../relay/ports/event-sink.ts";
import type { DocumentStore } from "../relay/ports/stores/document-store.ts";
import type { RelaySettings } from "../relay/ports/settings.ts";
import type { Addressing } from "../relay/transport/addressing.ts";
import type { ErrorListener } from "../relay/util/report.ts";
import type { RelayEvents } from "../relay/wiring/events.ts";
import type { HubMetrics, RoomInfo } from "../relay/wiring/types.ts";
import type { HubSocket } from "./socket.ts";

/** All settings of the relay that need no server, and what is a hub's own. */
export interface HubOptions extends Partial<
  Omit<RelaySettings, "handshakeTimeout" | "maxMessage" | "open" | "origins" | "trustProxy" | "clockTolerance">
> {
  /**
   * `shared`: the hub carries a document for each room, as y-websocket's server does. `none`: it carries presence alone,
   * and documents are the business of your server, which passes it awareness messages and not the others. Default `shared`.
   */
  readonly documents?: "shared" | "none";
  /** Where documents outlive the hub. Default: nowhere. */
  readonly store?: DocumentStore | null;
  /** Where events go besides listeners: a queue, a log. Each is told in order, and again what it did not take. Default: nowhere. */
  readonly sinks?: readonly EventSink[];
  /** Joins this hub to others, so that people of all of them see each other. Default: it is alone. */
  readonly bus?: Bus | null;
  /**
   * What close codes of your server mean to the hub, by code: 1000 is a leave; 1006 a loss, after which the client may come
   * back within the grace (`leaveGrace`). Codes that are not in here mean what they mean to the relay.
   */
  readonly closeCodes?: Readonly<Record<number, number>>;
  /** Keys to the HTTP API (`hub.api`), which grant everything; one or several. Default: none, and the API is off. */
  readonly apiKey?: string | readonly string[];
  /** Requests a second of one key, five seconds' worth at once; 0: any. Default 2 000. */
  readonly apiRate?: number;
  /** Told what listeners throw, and what else went wrong without ending anything. Default: `console.error`. */
  readonly onError?: ErrorListener;
}

/** Where somebody is let in to, and as whom. */
export interface HubAdmission {
  /** The room: `doc-1`, `@lobby`, `@lobby/acme`. */
  readonly room: string;
  /** Who it is, and what they may do; null: the user that the connection claims, who may do everything. */
  readonly identity: Identity | null;
  /** The lobby to count in: `acme` for `@lobby/acme`. Default: the identity's, else the default lobby. */
  readonly lobby?: string;
  /** Where the client comes from, as limits count addresses. Default: all that give none count as one. */
  readonly address?: string;
  /** Says who a newer token belongs to; null: it is not good, and the connection is closed. Default: no newer token is taken. */
  readonly renew?: (token: string) => Identity | null | Promise<Identity | null>;
  /**
   * Whether a stock client says back what it hears of others, as y-websocket does. Default: with shared documents once it
   * has answered the hub's first question; without documents always.
   */
  readonly echoing?: Echoing;
}

/** A socket, or one room of a socket, that the hub has taken. Tell it what comes in. */
export interface HubChannel {
  /**
   * A message came in, as your server gives it: bytes (those of an `ArrayBuffer` are copied), or the text of a text message, which
   * closes the connection (4400).
   *
   * @param isBinary default: unless it is a text
   */
  message(data: Uint8Array | ArrayBuffer | string, isBinary?: boolean): void;
  /** A pong came, or another sign of life. */
  alive(): void;
  /** The connection is over, with this close code; 1006 where nobody said why. */
  closed(code?: number): void;
}

/** Why somebody is not let in to a room. */
export interface HubRefusal {
  /** 4403 not allowed, for good; 4401 not authenticated and 4501 expired end the whole link; 4503 may be tried again. */
  readonly code: 4401 | 4403 | 4501 | 4503;
  readonly reason: string;
}

/** Says who is let in to the rooms that a link asks for. */
export interface HubDoorkeeper {
  /** Where the client comes from, as limits count addresses. Default: all that give none count as one. */
  readonly address?: string;
  /** @param room as it was asked for: `doc-1`, `@lobby`, `@lobby/acme` */
  admit(room: string): LinkAdmission | HubRefusal | Promise<LinkAdmission | HubRefusal>;
}

/** Where somebody is let in to over a link, and as whom. */
export type LinkAdmission = Omit<HubAdmission, "room" | "address" | "echoing">;

/** A socket that leads to any number of rooms: liveness, limits and unsent data are the socket's, and told once. */
export interface HubLink extends HubChannel {
  /** Opens a channel to a room. @param name what messages call the channel, see `Addressing` @throws RangeError for a room that cannot be */
  open(name: string, admission: Omit<HubAdmission, "address">): void;
  /** Closes one channel; the socket goes on. @param code 1000 is a leave; default 1000 */
  close(name: string, code?: number): void;
}

export interface PresenceHub {
  /**
   * Takes an open socket that leads to one room.
   *
   * @throws RangeError for a room that cannot be, or that grants nothing; TypeError for an identity that is none
   */
  accept(socket: HubSocket, admission: HubAdmission): HubChannel;
  /**
   * Takes an open socket of a client of copresence, which agreed on `SUBPROTOCOL`: one for all rooms of a tab, which it
   * asks for by itself. Close it with 4400 where the subprotocol is another.
   */
  link(socket: HubSocket, doorkeeper: HubDoorkeeper): HubChannel;
  /** Takes an open socket that may lead to many rooms. @param from.userId whose limits count; default: the address */
  connect(
    socket: HubSocket,
    from: { readonly address?: string; readonly userId?: string; readonly addressing: Addressing },
  ): HubLink;
  /** Everyone online, as others see them. @param lobby `acme` for `@lobby/acme`; default: the default lobby */
  users(lobby?: string): readonly User[];
  /** Somebody who is online, or who left and is still remembered. */
  user(userId: string, lobby?: string): User | undefined;
  /** Rooms that somebody is in, lobbies not among them. */
  rooms(): readonly RoomInfo[];
  room(name: string): RoomInfo | undefined;
  /** Subscribes to what happens from now on. */
  on<K extends keyof RelayEvents>(type: K, listener: (event: RelayEvents[K]) => void): Unsubscribe;
  metrics(): HubMetrics;
  /**
   * The HTTP API, `/api/v1/…`, for your server: what stands before `/api/v1` in the address is not looked at. It needs a key
   * (option `apiKey`). It never rejects for what a caller does: errors are answers.
   *
   * @param info.address where the request comes from, so that wrong keys from elsewhere count for themselves
   */
  api(request: Request, info?: { readonly address?: string }): Promise<Response>;
  /** Tells every client to come back later (1012), stores what has yet to be stored, and frees all that is held. */
  close(): Promise<void>;
}
