/** What a relay is to those who make one. */
import type { Server } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { Json, Unsubscribe, User } from "../presence/index.ts";
import type { RelaySettings } from "./ports/settings.ts";
import type { RelayMetrics } from "./server/metrics.ts";
import type { DisconnectOptions, Disconnected } from "./wiring/disconnect.ts";
import type { RelayEvents } from "./wiring/events.ts";
import type { RoomInfo } from "./wiring/types.ts";

export interface RelayAddress {
  readonly host: string;
  readonly port: number;
  /** What a client dials, without the room. */
  readonly url: string;
}

export interface Relay {
  /** The id of this relay's shard in every lobby (a lobby made anew adds a number); new with each start. */
  readonly shard: string;
  readonly options: RelaySettings;
  /** Nobody is asked who they are: there is neither a key nor `authenticate`. */
  readonly open: boolean;
  /**
   * Serves on a port of its own: WebSockets, `GET /healthz`, `GET /readyz` and `GET /metrics`. An open relay listens to this machine
   * alone unless the option `open` is set.
   *
   * @param port default 1234; 0 picks a free one
   * @param host default `localhost`
   * @throws when the address cannot be had (`EADDRINUSE`, …)
   */
  listen(port?: number, host?: string): Promise<RelayAddress>;
  /**
   * Serves WebSockets on a server of yours. The undo stops taking new ones.
   *
   * @param options.path requests for a WebSocket below this path are the relay's, and no other `upgrade` listener of the
   * server sees them; of several relays, the one with the longest path serves. All others are left to the other
   * listeners, and answered 404 where nobody takes them. Default: all requests for a WebSocket that no other listener
   * takes at once. A listener of your own that answers later, or a `ws` server without a path, needs a relay with one.
   * @throws RangeError for a path that does not begin with a slash, or that no address has
   */
  attach(server: Server | SecureServer, options?: { readonly path?: string }): Unsubscribe;
  /**
   * Sends clients to the other relays on the bus, one after the other, and takes nobody any more: `/readyz` and requests for a
   * WebSocket are answered 503. Where no other relay is heard, it does nothing. `close` ends it.
   *
   * @param overMs how long that takes; default: the option `drainTime`
   * @returns resolves with how many clients are left: none, but where no other relay is heard
   */
  drain(overMs?: number): Promise<number>;
  /** Tells every client to come back later (1012), and frees all it holds. */
  close(): Promise<void>;
  /** Subscribes to what happens from now on. What a listener throws goes to the option `onError`. */
  on<K extends keyof RelayEvents>(type: K, listener: (event: RelayEvents[K]) => void): Unsubscribe;
  /** Everyone online, as others see them. @param lobby `acme` for `@lobby/acme`; default: the default lobby */
  users(lobby?: string): readonly User[];
  /**
   * Somebody who is online, or who left and is still remembered (`recentTtl`, `recentMax`): `offline`, without sessions,
   * with `lastSeen`. Guests and those who were never seen are undefined.
   */
  user(userId: string, lobby?: string): User | undefined;
  /** Rooms that somebody is in, lobbies not among them. */
  rooms(): readonly RoomInfo[];
  room(name: string): RoomInfo | undefined;
  /**
   * The HTTP API, `/api/v1/…`, for servers of yours: the relay's own server (`listen`) answers it by itself. What stands before
   * `/api/v1` in the address is not looked at. It needs a key (option `apiKey`), or a token with the claim `api`.
   *
   * @param info.address where the request comes from, so that wrong keys from elsewhere count for themselves
   * @returns never rejects for what a caller does: errors are answers, `{ error: { code, message } }`
   */
  api(request: Request, info?: { readonly address?: string }): Promise<Response>;
  /**
   * Sends a one-off message to everybody in a room, marked as a server's (`from` is null). It is stored nowhere, and stock clients
   * do not get it.
   *
   * @param payload anything that JSON can hold, at most 16 KiB; default null
   * @param options.lobby only those who count in this lobby: `acme` for `@lobby/acme`; default: everybody
   * @returns to how many connections of this relay it goes
   * @throws RangeError for a lobby as a room, an unusable name, or a type or payload that is too long; TypeError for what JSON
   * cannot hold
   */
  broadcast(room: string, type: string, payload?: Json, options?: { readonly lobby?: string }): number;
  /**
   * Closes all connections of a user, in all rooms and lobbies: others see at once that the user left. With `forMs` the user is
   * refused until then, even with a good token. Where nobody is asked who they are, that goes by what connections say.
   *
   * @throws RangeError for a code that no connection can be closed with, or a time that is none
   */
  disconnect(userId: string, options?: DisconnectOptions): Disconnected;
  /**
   * Asks all connections of a user for a new token, so that what has changed for the user holds now. Clients of ours bring it
   * at once, and nobody notices; a connection that brings none within 30 s is closed (4501), and its client connects anew.
   *
   * @param lobby the lobby that the user is meant in: `acme` for `@lobby/acme`; default: all
   * @returns how many connections were asked
   */
  refresh(userId: string, lobby?: string): number;
  /** Why it had better be sent nobody: it stops, or its store fails. Null: it is ready. `GET /readyz` answers 503 then. */
  readonly trouble: string | null;
  /** What it counts about itself. */
  metrics(): RelayMetrics;
  /** The same, and what it measures, as Prometheus reads it (`text/plain; version=0.0.4`): for `/metrics` of your server. */
  metricsText(): Promise<string>;
}
