/** Leads a WebSocket that has just been opened into the hub, or closes it: the authorizer says which. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { Close, LINK_SUBPROTOCOL } from "../../wire/index.ts";
import { addressOf } from "../access/address.ts";
import type { Lease } from "../access/connection-limits.ts";
import type { Decision, Authorizer, ConnectRequest, Authorized } from "../access/authorizer.ts";
import type { Denial } from "../access/grants.ts";
import type { Renew } from "../access/renewal.ts";
import { type Log, noLog } from "../ports/log.ts";
import type { LinkedHub } from "../wiring/linked-hub.ts";
import { LinkDoorkeeper } from "./link-doorkeeper.ts";
import { Refusals } from "./refusals.ts";
import { truncate } from "../transport/reason.ts";
import type { ErrorListener } from "../util/report.ts";
import { keepsHistory, tokenOf } from "../access/request.ts";
import { WebSocketServerSocket } from "../transport/websocket.ts";

/** To let somebody in is expected to take so long, ms. */
const JOIN_MS = 2;

/** What is known of a connection while it is decided whether it is let in. */
interface Visit {
  readonly history: boolean;
  readonly address: string;
  /** For the log: without parameters, since a token may be among them. */
  readonly path: string;
}

export class UpgradeHandler {
  readonly #authorizer: Authorizer;
  readonly #hub: LinkedHub;
  /** Never throws. */
  readonly #onError: ErrorListener;
  readonly #refusals: Refusals;
  /** Opened, and waiting for the application to say who they are, or for their turn. */
  readonly #pending = new Set<WebSocket>();

  constructor(authorizer: Authorizer, hub: LinkedHub, onError: ErrorListener, log: Log = noLog) {
    this.#refusals = new Refusals(log);
    this.#authorizer = authorizer;
    this.#hub = hub;
    this.#onError = onError;
  }

  /** @param target what it asks for, without the path that the relay is mounted at */
  receive(webSocket: WebSocket, socket: Socket, request: IncomingMessage, target: string): void {
    webSocket.on("error", ignore);
    const asked = connectRequestOf(request, target, this.#hub.settings.trustProxy);
    const now = this.#hub.core.clock.now();
    if (webSocket.protocol === LINK_SUBPROTOCOL) return this.#link(webSocket, socket, asked, now);
    const decision = this.#authorizer.authorize(asked, now);
    const visit = { history: keepsHistory(target), address: asked.address, path: pathOf(target) };
    if (decision instanceof Promise) {
      this.#wait(webSocket, socket, decision, visit).catch((error: unknown) => this.#fail(webSocket, error));
    } else this.#enter(webSocket, socket, decision, visit);
  }

  /** [LINK-1] A link leads to no room yet: its client asks for rooms over it. */
  #link(webSocket: WebSocket, socket: Socket, asked: ConnectRequest, now: number): void {
    const authorized = this.#authorizer.authorizeLink(asked, now);
    if (!authorized.ok) {
      const { address, target } = asked;
      return this.#refuse(webSocket, authorized, { address, path: pathOf(target) });
    }
    this.#leaveWith(webSocket, authorized.lease);
    const doorkeeper = new LinkDoorkeeper(this.#authorizer, authorized, this.#refusals);
    this.#hub.link(new WebSocketServerSocket(webSocket, socket), authorized.lease.address, doorkeeper);
  }

  /** Those who still wait may come back later. */
  close(): void {
    for (const webSocket of this.#pending) {
      webSocket.resume();
      webSocket.close(Close.restart, "the relay is stopping");
    }
    this.#pending.clear();
  }

  async #wait(webSocket: WebSocket, socket: Socket, decision: Promise<Decision>, visit: Visit): Promise<void> {
    // what it says until it is let in waits in the network [AUTH-1]
    webSocket.pause();
    this.#pending.add(webSocket);
    const decided = await decision;
    webSocket.resume();
    // false: the relay has been closed meanwhile
    if (this.#pending.delete(webSocket)) this.#enter(webSocket, socket, decided, visit);
    else if (decided.ok) this.#authorizer.leave(decided.lease);
  }

  #enter(webSocket: WebSocket, socket: Socket, decision: Decision, visit: Visit): void {
    try {
      this.#accept(webSocket, socket, decision, visit);
    } catch (error) {
      this.#fail(webSocket, error);
    }
  }

  /** [COST-8] Many who come at once to a large room are not let in without a break. */
  #enterLater(webSocket: WebSocket, socket: Socket, decision: Authorized, visit: Visit): void {
    webSocket.pause();
    this.#pending.add(webSocket);
    this.#hub.turns.wait(JOIN_MS, () => {
      webSocket.resume();
      // false: the relay has been closed meanwhile
      if (this.#pending.delete(webSocket)) this.#enter(webSocket, socket, decision, visit);
      else this.#authorizer.leave(decision.lease);
    });
  }

  /** A connection that cannot be let in ends, and nothing else does. [HTTP-7] */
  #fail(webSocket: WebSocket, error: unknown): void {
    this.#onError(error, "a new connection");
    webSocket.terminate();
  }

  #accept(webSocket: WebSocket, socket: Socket, decision: Decision, visit: Visit): void {
    if (!decision.ok) return this.#refuse(webSocket, decision, visit);
    if (webSocket.readyState !== webSocket.OPEN) return this.#authorizer.leave(decision.lease);
    if (this.#hub.turns.isTaken()) return this.#enterLater(webSocket, socket, decision, visit);
    this.#leaveWith(webSocket, decision.lease);
    const { room, access, lease } = decision;
    const { address } = lease;
    const renew = this.#authorizer.open ? {} : { renew: this.#renewOf(decision) };
    this.#hub.accept(new WebSocketServerSocket(webSocket, socket), address, {
      room,
      access,
      keepsHistory: visit.history,
      ...renew,
    });
  }

  // on their own, since what is made in one function keeps all that any of it needs

  #leaveWith(webSocket: WebSocket, lease: Lease): void {
    webSocket.on("close", () => this.#authorizer.leave(lease));
  }

  #renewOf(visitor: Authorized): Renew {
    return (token) => this.#authorizer.renew(visitor, token);
  }

  #refuse(webSocket: WebSocket, denial: Denial, { address, path }: Pick<Visit, "address" | "path">): void {
    this.#hub.core.counters.countRefused(denial.because);
    this.#refusals.tell(denial, address, { path });
    webSocket.close(denial.code, truncate(denial.reason));
  }
}

function connectRequestOf({ headers, socket }: IncomingMessage, target: string, trustProxy: number): ConnectRequest {
  return {
    target,
    token: tokenOf(headers["sec-websocket-protocol"], target),
    origin: headers.origin ?? null,
    address: addressOf(socket.remoteAddress, headers["x-forwarded-for"]?.toString(), trustProxy),
    headers,
  };
}

function pathOf(target: string): string {
  return target.split(/[?#]/, 1)[0] ?? "";
}

/** What goes wrong with a socket closes it, and that is noticed. */
function ignore(): void {}
