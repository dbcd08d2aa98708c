/**
 * The links of our client that come through the tunnel of one socket, mostly one: each asks for its rooms by itself, the lobby
 * among them. [HOC-5]
 */
import type { HubChannel, HubSocket, Identity, PresenceHub } from "../hub/index.ts";
import { Close, LINK_SUBPROTOCOL } from "../wire/index.ts";
import type { Authority } from "./authority.ts";
import { Doorkeeper } from "./doorkeeper.ts";
import { type OpenRequest, type TunnelMessage, dataPrefix, encodeTunnel } from "./tunnel.ts";

/** Links of one socket. [HOC-11] */
const MAX_STREAMS = 16;

export interface StreamsSetup<Context> {
  readonly hub: PresenceHub;
  readonly authority: Authority<Context>;
  readonly request: Request;
  readonly context: object;
  /** As limits count addresses. */
  readonly address: string;
  readonly socket: Omit<HubSocket, "protocol" | "close">;
  /** Somebody was let in. */
  readonly letIn: () => void;
}

export class Streams<Context> {
  readonly #setup: StreamsSetup<Context>;
  readonly #links = new Map<number, HubChannel>();

  constructor(setup: StreamsSetup<Context>) {
    this.#setup = setup;
  }

  take(message: TunnelMessage): void {
    const { stream } = message;
    switch (message.type) {
      case "open":
        return this.#open(stream, message.request);
      case "data":
        return this.#links.get(stream)?.message(message.data);
      case "close": {
        const link = this.#links.get(stream);
        this.#links.delete(stream);
        return link?.closed(message.code);
      }
      case "opened":
        // the server says this
        return;
    }
  }

  alive(): void {
    for (const link of this.#links.values()) link.alive();
  }

  closed(code: number): void {
    for (const link of this.#links.values()) link.closed(code);
    this.#links.clear();
  }

  #open(stream: number, { lobby, token, protocols }: OpenRequest): void {
    if (this.#links.has(stream)) return;
    if (!protocols.includes(LINK_SUBPROTOCOL)) {
      return this.#end(stream, Close.malformed, `this server speaks ${LINK_SUBPROTOCOL}`);
    }
    if (this.#links.size >= MAX_STREAMS) return this.#end(stream, Close.overloaded, "too many clients on one socket");
    const { hub, authority, request, context, address, letIn } = this.#setup;
    const doorkeeper = new Doorkeeper<Identity | null>((room, given) =>
      authority.authenticate({ request, context, room, token: given }),
    );
    this.#send({ type: "opened", stream, protocol: LINK_SUBPROTOCOL });
    const link = hub.link(this.#socketOf(stream), {
      address,
      admit: async (room) => {
        const decided = await doorkeeper.admit(room, token);
        if (!decided.ok) return { code: decided.code, reason: decided.reason };
        letIn();
        // [HOC-9] a newer token is asked about as the first was
        const renew = (newer: string): Promise<Identity | null> => doorkeeper.ask(room, newer);
        return { identity: decided.value, lobby, renew };
      },
    });
    this.#links.set(stream, link);
  }

  /** A stream as a socket of the hub's. */
  #socketOf(stream: number): HubSocket {
    const { socket } = this.#setup;
    const prefix = dataPrefix(stream);
    return {
      ...socket,
      protocol: LINK_SUBPROTOCOL,
      get bufferedAmount() {
        return socket.bufferedAmount;
      },
      send(message) {
        const bytes = new Uint8Array(prefix.length + message.length);
        bytes.set(prefix);
        bytes.set(message, prefix.length);
        socket.send(bytes);
      },
      close: (code, reason) => {
        this.#links.delete(stream);
        this.#end(stream, code, reason);
      },
    };
  }

  #end(stream: number, code: number, reason: string): void {
    this.#send({ type: "close", stream, code, reason });
  }

  #send(message: TunnelMessage): void {
    this.#setup.socket.send(encodeTunnel(message));
  }
}
