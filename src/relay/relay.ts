/**
 * The relay: rooms and lobbies, and what connects them. Effects — sockets, timers — begin here.
 */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { Emitter, type PresenceEvent, type Unsubscribe, type User } from "../presence/index.ts";
import { Close, LOBBY, SUBPROTOCOL, controlFrame, isFinal, isLobby, lobbyRoom } from "../wire/index.ts";
import { Connection, RelaySocket } from "./connection.ts";
import { Archive, SharedDocument } from "./document.ts";
import { Grace } from "./grace.ts";
import { sweepInterval } from "./liveness.ts";
import { Lobby } from "./lobby.ts";
import { type RelayOptions, resolveOptions } from "./options.ts";
import { admit, chooseProtocol } from "./request.ts";
import { Room, type RoomHost } from "./room.ts";
import { type Row, isStock } from "./table.ts";

/** Events of all rooms and lobbies; `roomId` says which. */
export interface RelayEvents {
  readonly join: Extract<PresenceEvent, { type: "join" }>;
  readonly leave: Extract<PresenceEvent, { type: "leave" }>;
  readonly update: Extract<PresenceEvent, { type: "update" }>;
  /** All three. */
  readonly event: PresenceEvent;
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

export interface RelayAddress {
  readonly host: string;
  readonly port: number;
  /** What a client dials, without the room. */
  readonly url: string;
}

export interface Relay {
  /** The id of this relay's shard in every lobby; new with each start. */
  readonly shard: string;
  readonly options: RelayOptions;
  /**
   * Serves on a port of its own: WebSockets, and `GET /healthz`.
   *
   * @param port default 1234; 0 picks a free one
   * @param host default `localhost`
   * @throws when the address cannot be had (`EADDRINUSE`, …)
   */
  listen(port?: number, host?: string): Promise<RelayAddress>;
  /**
   * Serves WebSockets on a server of yours. The undo stops taking new ones.
   *
   * @param options.path only requests below this path are the relay's, and the rest are left alone; default: all
   */
  attach(server: Server | SecureServer, options?: { readonly path?: string }): Unsubscribe;
  /** Tells every client to come back later (1012), and frees all it holds. */
  close(): Promise<void>;
  on<K extends keyof RelayEvents>(type: K, listener: (event: RelayEvents[K]) => void): Unsubscribe;
  /** Everyone online, as others see them. @param lobby `acme` for `@lobby/acme`; default: the default lobby */
  users(lobby?: string): readonly User[];
  user(userId: string, lobby?: string): User | undefined;
  /** Rooms that somebody is in, lobbies not among them. */
  rooms(): readonly RoomInfo[];
  room(name: string): RoomInfo | undefined;
}

/** How long a peer may take to answer a close. */
const CLOSE_MS = 1_000;

/**
 * Makes a relay; `listen` or `attach` opens it.
 *
 * @throws RangeError for an option out of bounds
 */
export function createRelay(options: Partial<RelayOptions> = {}): Relay {
  return new RelayServer(resolveOptions(options));
}

class RelayServer implements Relay, RoomHost {
  readonly shard: string = `r_${randomBytes(9).toString("base64url")}`;
  readonly options: RelayOptions;
  readonly #startedAt = Date.now();
  readonly #emitter = new Emitter<RelayEvents>();
  readonly #rooms = new Map<string, Room>();
  readonly #lobbies = new Map<string, Lobby>();
  readonly #archive = new Archive();
  readonly #connections = new Map<Connection, Room>();
  readonly #grace: Grace<Row>;
  readonly #sockets: WebSocketServer;
  readonly #undo = new Set<Unsubscribe>();
  readonly #servers = new Set<Server>();
  #sweeper: ReturnType<typeof setInterval> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: RelayOptions) {
    this.options = options;
    this.#grace = new Grace(options.leaveGrace, (row) => this.#rooms.get(row.room)?.expire(row, Date.now()));
    // the types do not know closeTimeout yet
    const settings: ServerOptions<typeof RelaySocket> & { readonly closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxMessage,
      closeTimeout: CLOSE_MS,
      WebSocket: RelaySocket,
      handleProtocols: chooseProtocol,
    };
    this.#sockets = new WebSocketServer(settings);
  }

  async listen(port = 1234, host = "localhost"): Promise<RelayAddress> {
    const server = createServer(answer);
    const undo = this.attach(server);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, resolve);
      });
    } catch (error) {
      undo();
      throw error;
    }
    this.#servers.add(server);
    const address = server.address() as AddressInfo;
    return { host, port: address.port, url: `ws://${host.includes(":") ? `[${host}]` : host}:${address.port}` };
  }

  attach(server: Server | SecureServer, { path = "" }: { readonly path?: string } = {}): Unsubscribe {
    if (this.#closing !== undefined) throw new Error("this relay is closed");
    const prefix = path.replace(/\/+$/, "");
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      const target = request.url ?? "/";
      if (prefix !== "" && !target.startsWith(`${prefix}/`)) return;
      this.#upgrade(request, socket, head, prefix);
    };
    server.on("upgrade", onUpgrade);
    const undo = (): void => {
      server.off("upgrade", onUpgrade);
      this.#undo.delete(undo);
    };
    this.#undo.add(undo);
    if (this.#sweeper === undefined) {
      const within = sweepInterval(this.options);
      this.#sweeper = setInterval(() => this.#sweep(within), within);
    }
    return undo;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  on<K extends keyof RelayEvents>(type: K, listener: (event: RelayEvents[K]) => void): Unsubscribe {
    return this.#emitter.on(type, listener);
  }

  users(lobby?: string): readonly User[] {
    return [...(this.#lobbies.get(lobbyRoom(lobby))?.users.values() ?? [])];
  }

  user(userId: string, lobby?: string): User | undefined {
    return this.#lobbies.get(lobbyRoom(lobby))?.users.get(userId);
  }

  rooms(): readonly RoomInfo[] {
    return [...this.#rooms.values()].filter((room) => !isLobby(room.name)).map(infoOf);
  }

  room(name: string): RoomInfo | undefined {
    const room = this.#rooms.get(name);
    return room === undefined ? undefined : infoOf(room);
  }

  // what rooms need of the relay

  rowChanged(_room: Room, row: Row): void {
    if (row.owner !== null) this.#grace.release(row);
    this.#lobby(row.lobby).set(row, Date.now());
  }

  rowRemoved(_room: Room, row: Row): void {
    this.#grace.release(row);
    this.#lobbies.get(row.lobby)?.delete(row, Date.now());
  }

  isVisible(room: Room, row: Row): boolean {
    return !isLobby(room.name) && this.#lobbies.get(row.lobby)?.isInvisible(row.claim.user.id) !== true;
  }

  orphaned(_room: Room, rows: readonly Row[]): void {
    for (const row of rows) this.#grace.hold(row);
  }

  events(events: readonly PresenceEvent[]): void {
    for (const event of events) {
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

  emptied(room: Room): void {
    if (!room.empty || isLobby(room.name)) return;
    room.close();
    this.#rooms.delete(room.name);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, prefix: string): void {
    if (this.#closing !== undefined) {
      socket.end("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n");
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#open(ws, request.url ?? "/", prefix));
  }

  #open(socket: WebSocket, target: string, prefix: string): void {
    const admission = admit(target, prefix);
    if (!admission.ok) {
      socket.on("error", () => {});
      socket.close(admission.code, admission.reason);
      return;
    }
    const room = this.#room(admission.room);
    const trusts = socket.protocol === SUBPROTOCOL;
    const connection = new Connection(socket, { trusts, lobby: admission.lobby }, this.options, {
      frame: (peer, frame, now) => room.receive(peer, frame, now),
      closed: (peer, code, now) => {
        this.#connections.delete(peer);
        room.leave(peer, now, (row) => isLeave(code, row));
      },
    });
    this.#connections.set(connection, room);
    if (trusts) {
      connection.send(controlFrame({ kind: "hello", shard: this.shard, graceMs: this.options.leaveGrace }));
    }
    room.join(connection);
  }

  #room(name: string): Room {
    const known = this.#rooms.get(name);
    if (known !== undefined) return known;
    if (isLobby(name)) return this.#lobby(name).room;
    const room = new Room(
      name,
      this,
      () => new SharedDocument(name, this.#archive, (frame, except) => room.broadcast(frame, except)),
    );
    this.#rooms.set(name, room);
    return room;
  }

  #lobby(name: string): Lobby {
    const known = this.#lobbies.get(name);
    if (known !== undefined) return known;
    const relay = { shard: this.shard, startedAt: this.#startedAt };
    const lobby = new Lobby(name, relay, this, (row) => this.#rooms.get(row.room)?.refreshVisibility(row));
    this.#lobbies.set(name, lobby);
    this.#rooms.set(name, lobby.room);
    return lobby;
  }

  #sweep(within: number): void {
    const now = Date.now();
    for (const connection of this.#connections.keys()) connection.sweep(now, within);
    for (const room of this.#rooms.values()) room.sweep(now);
    for (const lobby of this.#lobbies.values()) {
      lobby.sweep(now);
      if (!lobby.empty) continue;
      lobby.close();
      this.#lobbies.delete(lobby.name);
      this.#rooms.delete(lobby.name);
    }
  }

  async #close(): Promise<void> {
    for (const undo of this.#undo) undo();
    clearInterval(this.#sweeper);
    const connections = [...this.#connections.keys()];
    for (const connection of connections) connection.close(Close.restart, "the relay is stopping");
    this.#grace.stop();
    for (const room of this.#rooms.values()) room.close();
    for (const lobby of this.#lobbies.values()) lobby.close();
    this.#rooms.clear();
    this.#lobbies.clear();
    await Promise.all(
      [...this.#servers].map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeIdleConnections();
          }),
      ),
    );
    this.#sockets.close();
    this.#emitter.clear();
  }
}

/** Whether a connection that ended so left for good, or may come back within the grace. */
function isLeave(code: number, row: Row): boolean {
  if (code === Close.normal || isFinal(code)) return true;
  // a stock client that closes its tab has no session to come back as
  return code === Close.goingAway && isStock(row.claim);
}

function infoOf(room: Room): RoomInfo {
  const { document, aggregator } = room;
  return {
    name: room.name,
    connections: room.peers.size,
    users: [...(aggregator?.users.values() ?? [])],
    hasDocument: document instanceof SharedDocument && document.open,
  };
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const healthy = request.url === "/healthz" && (request.method === "GET" || request.method === "HEAD");
  response.writeHead(healthy ? 200 : 426, { "content-type": "text/plain", ...(!healthy && { upgrade: "websocket" }) });
  response.end(healthy ? "ok\n" : `copresence relay: connect with a WebSocket, ws://…/<room> (lobby: ${LOBBY})\n`);
}
