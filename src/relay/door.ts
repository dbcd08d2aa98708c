/** From a WebSocket that has just been opened to one that is in the hub, or closed: what the gate says is done here. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { Close } from "../wire/index.ts";
import { addressOf } from "./access/address.ts";
import type { Ticket } from "./access/census.ts";
import type { Decision, Gate, Knock, Visitor } from "./access/gate.ts";
import type { Denial } from "./access/grants.ts";
import type { Renew } from "./access/renewal.ts";
import type { Hub } from "./hub.ts";
import { truncate } from "./reason.ts";
import { tokenOf, keepsHistory } from "./request.ts";
import { WebSocketServerSocket } from "./websocket.ts";

export class Door {
  readonly #gate: Gate;
  readonly #hub: Hub;
  /** Opened, and waiting for somebody to say who they are. */
  readonly #pending = new Set<WebSocket>();

  constructor(gate: Gate, hub: Hub) {
    this.#gate = gate;
    this.#hub = hub;
  }

  /** @param target what it asks for, without the path that the relay is mounted at */
  receive(webSocket: WebSocket, socket: Socket, request: IncomingMessage, target: string): void {
    webSocket.on("error", ignore);
    const decision = this.#gate.knock(knockOf(request, target, this.#hub.options.trustProxy), Date.now());
    if (decision instanceof Promise) void this.#wait(webSocket, socket, decision, keepsHistory(target));
    else this.#enter(webSocket, socket, decision, keepsHistory(target));
  }

  /** Those who still wait may come back later. */
  close(): void {
    for (const webSocket of this.#pending) {
      webSocket.resume();
      webSocket.close(Close.restart, "the relay is stopping");
    }
    this.#pending.clear();
  }

  async #wait(webSocket: WebSocket, socket: Socket, decision: Promise<Decision>, history: boolean): Promise<void> {
    // what it says meanwhile waits in the network
    webSocket.pause();
    this.#pending.add(webSocket);
    const decided = await decision;
    webSocket.resume();
    // the relay may have been closed meanwhile
    if (!this.#pending.delete(webSocket) && decided.ok) this.#gate.leave(decided.ticket);
    else this.#enter(webSocket, socket, decided, history);
  }

  #enter(webSocket: WebSocket, socket: Socket, decision: Decision, history: boolean): void {
    if (!decision.ok) return this.#refuse(webSocket, decision);
    const refusal = this.#hub.refusal(decision.access);
    if (refusal !== null) {
      this.#gate.leave(decision.ticket);
      return this.#refuse(webSocket, refusal);
    }
    if (webSocket.readyState !== webSocket.OPEN) return this.#gate.leave(decision.ticket);
    this.#leaveWith(webSocket, decision.ticket);
    const { room, access } = decision;
    const renew = this.#gate.open ? {} : { renew: this.#renewOf(decision) };
    this.#hub.accept(new WebSocketServerSocket(webSocket, socket), { room, access, keepsHistory: history, ...renew });
  }

  // on their own, since what is made in one function keeps all that any of it needs

  #leaveWith(webSocket: WebSocket, ticket: Ticket): void {
    webSocket.on("close", () => this.#gate.leave(ticket));
  }

  #renewOf(visitor: Visitor): Renew {
    return (token) => this.#gate.renew(visitor, token);
  }

  #refuse(webSocket: WebSocket, { because, code, reason }: Denial): void {
    this.#hub.counters.countRefused(because);
    webSocket.close(code, truncate(reason));
  }
}

function knockOf({ headers, socket }: IncomingMessage, target: string, trustProxy: number): Knock {
  return {
    target,
    token: tokenOf(headers["sec-websocket-protocol"], target),
    origin: headers.origin ?? null,
    address: addressOf(socket.remoteAddress, headers["x-forwarded-for"]?.toString(), trustProxy),
    headers,
  };
}

/** What goes wrong with a socket closes it, and that is noticed. */
function ignore(): void {}
