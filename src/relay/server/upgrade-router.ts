/**
 * Which requests for an upgrade on an HTTP server are a relay's, which are left to the application's own listeners, and
 * which are answered as usual.
 *
 * Node calls every `upgrade` listener for every request, so that two of them may answer one socket: the second time, `ws`
 * throws, or writes a refusal into a connection that is open already. So the router stands before all listeners of its
 * server, and calls them only for what is not a relay's.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Unsubscribe } from "../../presence/index.ts";
import { withoutEndSlashes } from "../util/path.ts";
import { refuseUpgrade } from "./http.ts";
import { answerAsUsual, mayLackHeaders } from "./plain-request.ts";
import { bytesWritten, offerUpgrade } from "./upgrade-offer.ts";

/** Where a relay serves on an HTTP server. */
export interface Mount {
  /** `/presence`; the empty text: all paths that nobody else takes. */
  readonly prefix: string;
  /**
   * Answers a request for a WebSocket.
   *
   * @param target what is asked for, without the prefix
   */
  take(request: IncomingMessage, socket: Duplex, head: Buffer, target: string): void;
}

/** A request for an upgrade, as Node brings it. */
interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came after the head of the request. */
  readonly head: Buffer;
}

/** A server of Node 24.9 or later. */
interface AskingServer {
  shouldUpgradeCallback?: (request: IncomingMessage) => boolean;
}

/** How long one of the application's listeners may think about a request that it has not answered, ms. [HTTP-6] [HTTP-10] */
const PATIENCE_MS = 2_000;
/** Nobody serves these on a connection that has begun as HTTP/1.1 in Node. [HTTP-11] */
const NEVER_SERVED = /^(h2c|tls\/[\d.]+)$/i;

const routers = new WeakMap<Server, UpgradeRouter>();

/**
 * What stands before the rooms of a relay that is attached at a path.
 *
 * @throws RangeError for a path that no request can have: the relay would be there for nobody, without a word [HTTP-15]
 */
export function prefixOf(path: string): string {
  if (typeof path === "string" && /^(\/[!-~]*)?$/.test(path) && !/[?#]/.test(path)) return withoutEndSlashes(path);
  throw new RangeError('path must be as addresses have it, and begin with a slash, such as "/presence"');
}

/** Mounts a relay on a server. The undo takes it off again. */
export function mountOn(server: Server, mount: Mount): Unsubscribe {
  // [RUN-10] an application of a framework is easily taken for the server that it listens on
  if (typeof (server as unknown as Partial<Server> | undefined)?.on !== "function") {
    throw new TypeError("attach takes an HTTP server of Node, such as createServer() of node:http gives");
  }
  const router = routers.get(server) ?? new UpgradeRouter(server);
  routers.set(server, router);
  return router.add(mount);
}

class UpgradeRouter {
  readonly #server: Server;
  /** The longest prefix first; of two that are the same, the one that came first. */
  #mounts: readonly Mount[] = [];
  /** Requests that one of the application's listeners may still answer, and what ends the wait for that. */
  readonly #pending = new Map<Duplex, () => void>();
  /** The response on a connection that was begun last: what was asked before an upgrade may still be answered. */
  readonly #responses = new WeakMap<Duplex, ServerResponse>();
  #uninstall: (() => void) | null = null;

  constructor(server: Server) {
    this.#server = server;
  }

  add(mount: Mount): Unsubscribe {
    // each time a mount of its own, so that an undo takes off no other
    const own: Mount = { prefix: mount.prefix, take: (...args) => mount.take(...args) };
    this.#mounts = [...this.#mounts, own].toSorted((a, b) => b.prefix.length - a.prefix.length);
    this.#uninstall ??= this.#install();
    return () => {
      this.#mounts = this.#mounts.filter((each) => each !== own);
      if (this.#mounts.length > 0) return;
      // [HTTP-16] nobody would end what nobody answers: the server could not close
      for (const end of this.#pending.values()) end();
      this.#uninstall?.();
      this.#uninstall = null;
    };
  }

  /** Takes the place before the listeners of the server. */
  #install(): () => void {
    const server: { emit: Server["emit"] } = this.#server;
    const { emit } = server;
    const isInherited = !Object.hasOwn(server, "emit");
    const pass = (args: unknown[]): boolean => Reflect.apply(emit, server, args) as boolean;
    const routed = (...args: unknown[]): boolean => {
      if (args[0] === "request") {
        const [, asked, response] = args as [string, IncomingMessage, ServerResponse];
        this.#responses.set(asked.socket, response);
      }
      if (args[0] !== "upgrade" || this.#mounts.length === 0) return pass(args);
      const [, request, socket, head] = args as [string, IncomingMessage, Duplex, Buffer];
      this.#route({ request, socket, head }, () => void pass(args));
      return true;
    };
    server.emit = routed as Server["emit"];
    // Node tells of an upgrade only where somebody listens
    this.#server.on("upgrade", listens);
    const askAsBefore = this.#declineOffers();
    return () => {
      this.#server.off("upgrade", listens);
      askAsBefore();
      // what somebody else has put before it since then stays, and passes everything on through it
      if (server.emit !== routed) return;
      if (isInherited) delete (server as Partial<typeof server>).emit;
      else server.emit = emit;
    };
  }

  /** Newer versions of Node ask which offers to take. They need not take what is answered as usual. Returns the undo. */
  #declineOffers(): () => void {
    const server = this.#server as Server & AskingServer;
    const before = server.shouldUpgradeCallback;
    if (before === undefined) return () => {};
    server.shouldUpgradeCallback = (request) => {
      const isAnsweredAsUsual = !isWebSocket(request) && (!this.#hasOthers || NEVER_SERVED.test(offerOf(request)));
      return !isAnsweredAsUsual && before.call(server, request);
    };
    return () => void (server.shouldUpgradeCallback = before);
  }

  /** @param others calls the other listeners of the server */
  #route(upgrade: Upgrade, others: () => void): void {
    const { request, socket } = upgrade;
    // [HTTP-7] Node has taken its own listener off the socket: an error that nobody hears would end the process
    socket.on("error", ignore);
    if (isWebSocket(request)) this.#routeWebSocket(upgrade, others);
    else if (NEVER_SERVED.test(offerOf(request))) this.#answerAsUsual(upgrade);
    else this.#offer(upgrade, others, () => this.#answerAsUsual(upgrade)); // [HTTP-3]
  }

  #routeWebSocket(upgrade: Upgrade, others: () => void): void {
    const mount = this.#mountOf(upgrade.request);
    // [HTTP-4] what is below a path of a relay is nobody else's
    if (mount !== undefined && mount.prefix !== "") return take(mount, upgrade);
    // [HTTP-5] what all may serve, a relay serves that was told no path, after the application's own listeners
    const refuse = (): void => refuseUpgrade(upgrade.socket, "404 Not Found");
    const takeIfThere = (): void => {
      // the relay may have been taken off the server meanwhile
      if (mount !== undefined && this.#mounts.includes(mount)) take(mount, upgrade);
      else refuse();
    };
    if (mount !== undefined) return this.#offer(upgrade, others, takeIfThere);
    // it is no relay's: the application's listeners may answer it, in time [HTTP-6]
    if (!this.#hasOthers) return refuse();
    const sent = bytesWritten(upgrade.socket);
    others();
    this.#wait(upgrade.socket, sent, refuse);
  }

  #offer({ socket }: Upgrade, others: () => void, otherwise: () => void): void {
    if (!this.#hasOthers) return otherwise();
    const sent = bytesWritten(socket);
    switch (offerUpgrade(socket, others)) {
      case "taken":
        return;
      case "pending":
        return this.#wait(socket, sent, otherwise);
      case "declined":
      case "untouched":
        return otherwise();
    }
  }

  /** Does something if nobody has answered by then. */
  #wait(socket: Duplex, sent: number, otherwise: () => void): void {
    const isAnswered = (): boolean => socket.destroyed || socket.writableEnded || bytesWritten(socket) > sent;
    if (isAnswered()) return;
    const end = (): void => {
      clearTimeout(timer);
      this.#pending.delete(socket);
      if (!isAnswered()) otherwise();
    };
    const timer = setTimeout(end, PATIENCE_MS);
    this.#pending.set(socket, end);
    socket.once("close", () => {
      clearTimeout(timer);
      this.#pending.delete(socket);
    });
  }

  #answerAsUsual({ request, socket, head }: Upgrade): void {
    const answer = (): void => {
      if (socket.destroyed) return;
      if (mayLackHeaders(this.#server, request)) refuseUpgrade(socket, "431 Request Header Fields Too Large");
      else answerAsUsual(this.#server, request, socket as Socket, head);
    };
    const before = this.#responses.get(socket);
    // answers go out in the order of the requests
    if (before === undefined || before.destroyed || before.writableFinished) answer();
    else before.once("close", answer);
  }

  #mountOf({ url = "/" }: IncomingMessage): Mount | undefined {
    return this.#mounts.find(({ prefix }) => url.startsWith(`${prefix}/`));
  }

  get #hasOthers(): boolean {
    return this.#server.listeners("upgrade").some((listener) => listener !== listens);
  }
}

function offerOf({ headers }: IncomingMessage): string {
  return headers.upgrade?.trim() ?? "";
}

function isWebSocket(request: IncomingMessage): boolean {
  return offerOf(request).toLowerCase() === "websocket";
}

function take(mount: Mount, { request, socket, head }: Upgrade): void {
  mount.take(request, socket, head, (request.url ?? "/").slice(mount.prefix.length));
}

function listens(): void {}
function ignore(): void {}
