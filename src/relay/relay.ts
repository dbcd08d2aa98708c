/** The relay as its users see it: an HTTP server's WebSockets, led to a hub. */
import type { IncomingMessage, Server } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ServerOptions, WebSocket, WebSocketServer } from "ws";
import type { Json, Unsubscribe, User } from "../presence/index.ts";
import { Close } from "../wire/index.ts";
import { isLoopback } from "./access/address.ts";
import { Authorizer } from "./access/authorizer.ts";
import { LazyApi } from "./api/lazy.ts";
import { moveGraceOf } from "./core/grace/grace.ts";
import { apiListener } from "./server/api-listener.ts";
import { UpgradeHandler } from "./server/upgrade-handler.ts";
import type { DisconnectOptions, Disconnected } from "./wiring/disconnect.ts";
import type { RelayEvents } from "./wiring/events.ts";
import { LinkedHub } from "./wiring/linked-hub.ts";
import type { RoomInfo } from "./wiring/types.ts";
import { closeServer, createHttpServer, refuseUpgrade } from "./server/http.ts";
import { Instruments } from "./server/instruments.ts";
import { MetricsPage, type RelayMetrics } from "./server/metrics.ts";
import { atMost, endsInTime } from "./util/back-off.ts";
import { type ErrorListener, safeReporter } from "./util/report.ts";
import { safeLog } from "./server/safe-log.ts";
import { Sparing } from "./util/sparing.ts";
import { type ResolvedConfig, type ResolvedWebhooks, resolveConfig } from "./config.ts";
import type { RelayConfig } from "./options.ts";
import type { Relay, RelayAddress } from "./types.ts";
import { systemClock } from "./ports/clock.ts";
import type { Log } from "./ports/log.ts";
import type { RelaySettings } from "./ports/settings.ts";
import { chooseProtocol } from "./access/request.ts";
import { SharedWebhooks } from "./webhooks/shared/shared-webhooks.ts";
import { Webhooks } from "./webhooks/webhooks.ts";
import { mountOn, prefixOf } from "./server/upgrade-router.ts";

/** How long a peer may take to answer a close. */
const CLOSE_MS = 1_000;
/** How long a store may take to say what it knows of people before the relay listens without it. */
const PEOPLE_MS = 1_000;

/**
 * Makes a relay; `listen` or `attach` opens it, `close` frees it.
 *
 * @throws RangeError for an option out of bounds, or a key that is none
 */
export function createRelay(config: RelayConfig = {}): Relay {
  return new RelayServer(resolveConfig(config));
}

/**
 * The `ws` class, but it closes with our codes what is too large [WIRE-3] or in too many parts [COST-11]: after 1009 a stock
 * client would try again for ever.
 */
class RelaySocket extends WebSocket {
  override close(code?: number, data?: string | Buffer): void {
    if (code === 1009) super.close(Close.tooLarge, "message too large");
    else if (code === 1008) super.close(Close.malformed, "too many fragments");
    else super.close(code, data);
  }
}

class RelayServer implements Relay {
  readonly options: RelaySettings;
  readonly #onError: ErrorListener;
  readonly #hub: LinkedHub;
  readonly #webhooks: Webhooks | SharedWebhooks | null;
  readonly #log: Log;
  readonly #instruments: Instruments;
  readonly #metricsPage: MetricsPage;
  readonly #slowFlushes = new Sparing(1, () => performance.now());
  readonly #authorizer: Authorizer;
  readonly #upgradeHandler: UpgradeHandler;
  readonly #api: LazyApi;
  readonly #sockets: WebSocketServer;
  readonly #undo = new Set<Unsubscribe>();
  readonly #servers = new Set<Server>();
  #openSockets = 0;
  #onLastClosed: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor({ settings: options, authenticate, onError, log, store, bus, api, webhooks }: ResolvedConfig) {
    this.options = options;
    this.#onError = safeReporter(onError);
    this.#log = safeLog(log, this.#onError);
    this.#instruments = new Instruments((room, tookMs) => this.#logSlowFlush(room, tookMs));
    this.#hub = new LinkedHub(options, this.#onError, {
      store,
      ...(bus !== null && { bus: bus.bus, busPrefix: bus.prefix, busSecret: bus.secret }),
      ...(webhooks !== null && { sinks: [{ deliver: async (batch) => this.#webhooks?.deliver(batch) }] }),
      onEdit: (room) => this.#webhooks?.changed(room),
      onClosed: (room) => this.#webhooks instanceof SharedWebhooks && this.#webhooks.closedRoom(room),
      probe: this.#instruments,
    });
    this.#webhooks = webhooks === null ? null : this.#openWebhooks(webhooks);
    this.#metricsPage = new MetricsPage(this.#instruments, () => this.metrics());
    this.#authorizer = new Authorizer(options, authenticate, this.#hub.core.lobbyPlaces, (error) =>
      this.#onError(error, "authenticate"),
    );
    this.#upgradeHandler = new UpgradeHandler(this.#authorizer, this.#hub, this.#onError, this.#log);
    this.#api = new LazyApi({ ...api, hub: this.#hub, onError: this.#onError });
    // the types do not know closeTimeout yet
    const settings: ServerOptions<typeof RelaySocket> & { readonly closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxMessage,
      // text is refused in our words, whatever it says
      skipUTF8Validation: true,
      closeTimeout: CLOSE_MS,
      WebSocket: RelaySocket,
      handleProtocols: (offered) => chooseProtocol(offered) ?? false,
    };
    this.#sockets = new WebSocketServer(settings);
  }

  get shard(): string {
    return this.#hub.core.shard;
  }

  get open(): boolean {
    return this.#authorizer.open;
  }

  async listen(port = 1234, host = "localhost"): Promise<RelayAddress> {
    // [RUN-10] Node would take a text for the path of a pipe, and listen there
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new RangeError("port must be a number from 0 to 65535");
    if (typeof host !== "string" || host === "") throw new TypeError("host must be a text, such as localhost");
    // [AUTH-8] a relay that asks nobody is for this machine alone
    if (this.open && !this.options.open && !isLoopback(host)) {
      throw new RangeError(`at ${host} anybody could come as anybody: set a key or authenticate, or else open: true`);
    }
    // what cannot tell anybody anything does not start
    await this.#webhooks?.ready;
    // [PEOPLE-7] those who come are to be as they chose to be before
    await atMost(PEOPLE_MS, this.#hub.core.people?.loaded);
    const { handshakeTimeout, trustProxy } = this.options;
    const api = apiListener((request, address) => this.#api.answerWhole(request, address), trustProxy);
    // [INSP-3]
    const hasInspector = this.options.inspect || isLoopback(host);
    const pages = { metrics: () => this.metricsText(), trouble: () => this.trouble, hasInspector };
    const server = createHttpServer(handshakeTimeout, pages, api);
    const undo = this.attach(server);
    // [HTTP-7] one that comes later, such as that no more files can be opened, must not end the process
    server.on("error", (error) => server.listening && this.#onError(error, "the server"));
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, resolve);
      });
    } catch (error) {
      undo();
      throw error;
    }
    if (this.#closing !== undefined) {
      await closeServer(server);
      throw new Error("this relay is closed");
    }
    this.#servers.add(server);
    this.#instruments.start();
    const address = server.address() as AddressInfo;
    return { host, port: address.port, url: `ws://${host.includes(":") ? `[${host}]` : host}:${address.port}` };
  }

  attach(server: Server | SecureServer, { path = "" }: { readonly path?: string } = {}): Unsubscribe {
    if (this.#closing !== undefined) throw new Error("this relay is closed");
    const off = mountOn(server, {
      prefix: prefixOf(path),
      take: (...upgrade) => this.#take(...upgrade),
    });
    const undo = (): void => {
      off();
      this.#undo.delete(undo);
    };
    this.#undo.add(undo);
    return undo;
  }

  async drain(overMs = this.options.drainTime): Promise<number> {
    if (!(overMs >= 0 && overMs < Infinity)) throw new RangeError("drain takes a number of ms, 0 or more");
    // [DRAIN-4] [DRAIN-6] those who are sent away need somewhere to go
    if (!this.#hub.canDrain || this.#closing !== undefined) return this.#hub.links;
    if (!this.#hub.isDraining)
      this.#log.info({ clients: this.#hub.links, overMs }, "draining: clients go to other relays");
    await this.#hub.drain(overMs);
    return this.#hub.links;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  on<K extends keyof RelayEvents>(type: K, listener: (event: RelayEvents[K]) => void): Unsubscribe {
    return this.#hub.events.on(type, listener);
  }

  users(lobby?: string): readonly User[] {
    return this.#hub.users(lobby);
  }

  user(userId: string, lobby?: string): User | undefined {
    return this.#hub.user(userId, lobby);
  }

  rooms(): readonly RoomInfo[] {
    return this.#hub.rooms();
  }

  room(name: string): RoomInfo | undefined {
    return this.#hub.room(name);
  }

  api(request: Request, { address = "" }: { readonly address?: string } = {}): Promise<Response> {
    return this.#api.answer(request, address);
  }

  broadcast(room: string, type: string, payload: Json = null, options: { readonly lobby?: string } = {}): number {
    return this.#hub.broadcasts.send({ room, type, payload, ...options });
  }

  disconnect(userId: string, options?: DisconnectOptions): Disconnected {
    return this.#hub.actions.disconnect(userId, options);
  }

  refresh(userId: string, lobby?: string): number {
    return this.#hub.actions.refresh(userId, lobby);
  }

  get trouble(): string | null {
    return this.#closing === undefined ? this.#hub.trouble : "the relay is stopping";
  }

  metrics(): RelayMetrics {
    const { accepted, refused, closed, dropped } = this.#hub.core.counters;
    const counters = { accepted, refused: { ...refused }, closed: { ...closed }, dropped: { ...dropped } };
    return { ...this.#hub.metrics(), ...counters, webhooks: this.#webhooks?.counts ?? null };
  }

  #openWebhooks({ settings, outbox, shared }: ResolvedWebhooks): Webhooks | SharedWebhooks {
    const ports = {
      clock: systemClock,
      graceMs: this.options.leaveGrace,
      sizeOf: (room: string) => this.#hub.core.documents.memory.sizeOf(room),
      onError: (error: unknown) => this.#onError(error, "webhooks"),
    };
    if (shared === null) return new Webhooks(settings, { ...ports, outbox });
    const relays = (): ReadonlySet<string> | null => this.#hub.relaysHeard;
    const moveGraceMs = moveGraceOf(this.options);
    return new SharedWebhooks(settings, { ...ports, shared, relay: this.shard, relays, moveGraceMs });
  }

  metricsText(): Promise<string> {
    if (this.#closing === undefined) this.#instruments.start();
    return this.#metricsPage.text();
  }

  /** [SEE-5] */
  #logSlowFlush(room: string, tookMs: number): void {
    const { ok, leftOut } = this.#slowFlushes.take();
    if (!ok) return;
    const { connections } = this.room(room) ?? { connections: 0 };
    const fields = { room, tookMs: Math.round(tookMs), connections, ...(leftOut > 0 && { leftOut }) };
    this.#log.warn(fields, "it took long to tell a room what changed");
  }

  /** Opens a WebSocket, or says why not. */
  #take(request: IncomingMessage, socket: Duplex, head: Buffer, target: string): void {
    const offered = request.headers["sec-websocket-protocol"];
    // [AUTH-15] nothing but a token was offered
    if (offered !== undefined && chooseProtocol(offered.split(",").map((name) => name.trim())) === null) {
      return refuseUpgrade(socket, "400 Bad Request", "offer a subprotocol besides the token, such as y-websocket\n");
    }
    // [DRAIN-2] before the handshake, since a balancer gives what is answered so to another relay
    if (this.#hub.isDraining) return refuseUpgrade(socket, "503 Service Unavailable", "the relay is draining\n");
    try {
      this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
        this.#openSockets++;
        webSocket.on("close", this.#onSocketClosed);
        // over TLS it is a TLSSocket, which is one too
        this.#upgradeHandler.receive(webSocket, socket as Socket, request, target);
      });
    } catch (error) {
      this.#onError(error, "the handshake");
      socket.destroy();
    }
  }

  readonly #onSocketClosed = (): void => {
    this.#openSockets--;
    if (this.#openSockets === 0) this.#onLastClosed?.();
  };

  #allSocketsClosed(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#openSockets === 0) resolve();
      else this.#onLastClosed = resolve;
    });
  }

  /** Ends all connections, and waits until nothing is left of them. [RUN-3] */
  async #close(): Promise<void> {
    const { connections } = this.#hub.metrics();
    this.#log.info({ connections }, "stopping: clients are told to come back");
    this.#instruments.stop();
    for (const undo of this.#undo) undo();
    const apiClosed = this.#api.close();
    // the last events go to receivers before that is closed
    const stored = this.#hub.close().then(() =>
      // [STORE-48]
      endsInTime(this.#webhooks?.close(), (trouble) => this.#onError(trouble, "webhooks")),
    );
    this.#upgradeHandler.close();
    this.#authorizer.close();
    await Promise.all([stored, apiClosed, this.#allSocketsClosed(), ...[...this.#servers].map(closeServer)]);
    this.#sockets.close();
    this.#log.info({}, "stopped");
  }
}
