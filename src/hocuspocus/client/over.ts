/** WebSockets of our client inside the one that an application has to its Hocuspocus server. */
import type { WebSocketConstructor, WebSocketLike } from "../../client/index.ts";
import { DocumentParts } from "./document-parts.ts";
import { type TunnelMessage, decodeTunnel, encodeTunnel, isTunnel } from "../tunnel.ts";

/** What is needed of a `HocuspocusProviderWebsocket` (@hocuspocus/provider 4). */
export interface HocuspocusSocket {
  readonly configuration: { readonly url: string };
  readonly webSocket: { readonly readyState: number; readonly bufferedAmount?: number } | null;
  // as its emitter has it: what a listener is called with is for the event to say
  on(event: string, listener: (payload: never) => void): unknown;
  send(message: Uint8Array): void;
}

const AUTH_PREFIX = "copresence.auth.";
const OPEN = 1;
const ABNORMAL = 1006;
const NOT_FOUND = 4404;
/** A server without the extension takes the number of a stream for the type of a message: it should be of none. */
const FIRST_STREAM = 1_000;
/** [HOC-10] So many requests may stay without an answer on one socket: a server without the extension would keep them all. */
const MAX_UNANSWERED = 10;

/** All tunnels through one socket. */
class Tunnels {
  readonly #socket: HocuspocusSocket;
  readonly #streams = new Map<number, Tunnel>();
  #last = FIRST_STREAM;
  #unanswered = 0;

  constructor(socket: HocuspocusSocket) {
    this.#socket = socket;
    socket.on("open", () => this.#opened());
    socket.on("message", (event: { readonly data: ArrayBuffer }) => this.#message(new Uint8Array(event.data)));
    socket.on("close", () => this.#lost());
    socket.on("destroy", () => this.#lost());
  }

  get unsent(): number {
    return this.#socket.webSocket?.bufferedAmount ?? 0;
  }

  get isOpen(): boolean {
    return this.#socket.webSocket?.readyState === OPEN;
  }

  add(tunnel: Tunnel): number {
    this.#streams.set(++this.#last, tunnel);
    return this.#last;
  }

  remove(stream: number): void {
    this.#streams.delete(stream);
  }

  send(message: TunnelMessage): void {
    // what Hocuspocus would queue belongs to a connection that is no more
    if (this.isOpen) this.#socket.send(encodeTunnel(message));
  }

  /** Asks for a stream, if the socket is open; else once it is. */
  ask(tunnel: Tunnel): void {
    if (!this.isOpen) return;
    if (this.#unanswered >= MAX_UNANSWERED) {
      return queueMicrotask(() => tunnel.ended(NOT_FOUND, "this Hocuspocus server has no copresence extension"));
    }
    this.#unanswered++;
    this.send({ type: "open", stream: tunnel.stream, request: tunnel.request });
  }

  #opened(): void {
    this.#unanswered = 0;
    for (const tunnel of this.#streams.values()) this.ask(tunnel);
  }

  #message(bytes: Uint8Array): void {
    if (!isTunnel(bytes)) return;
    const message = decodeTunnel(bytes);
    if (message === null) return;
    this.#unanswered = 0;
    const tunnel = this.#streams.get(message.stream);
    switch (message.type) {
      case "opened":
        return tunnel?.opened();
      case "data":
        return tunnel?.received(message.data);
      case "close":
        return tunnel?.ended(message.code, message.reason);
      case "open":
        // the client says this
        return;
    }
  }

  /** The socket is gone, and with it what was open in it. Those that wait go on waiting. [HOC-8] */
  #lost(): void {
    for (const tunnel of this.#streams.values()) if (tunnel.isOpen) tunnel.ended(ABNORMAL, "");
  }
}

/** One of them, as our client uses a WebSocket. */
class Tunnel implements WebSocketLike {
  binaryType = "arraybuffer";
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly stream: number;
  readonly request: Extract<TunnelMessage, { type: "open" }>["request"];
  readonly #tunnels: Tunnels;
  readonly #documents = new DocumentParts();
  #phase: "asking" | "open" | "over" = "asking";

  constructor(tunnels: Tunnels, url: string, protocols: readonly string[]) {
    this.#tunnels = tunnels;
    const token = protocols.find((each) => each.startsWith(AUTH_PREFIX))?.slice(AUTH_PREFIX.length) ?? "";
    this.request = {
      lobby: new URL(url).searchParams.get("lobby") ?? "",
      token,
      protocols: protocols.filter((each) => !each.startsWith(AUTH_PREFIX)),
    };
    this.stream = tunnels.add(this);
    tunnels.ask(this);
  }

  get isOpen(): boolean {
    return this.#phase === "open";
  }

  get bufferedAmount(): number {
    return this.#tunnels.unsent;
  }

  send(data: Uint8Array): void {
    // [HOC-1] what is written to a document, its HocuspocusProvider sends
    if (this.#documents.isPartOfOne(data)) return;
    if (this.#phase === "open") this.#tunnels.send({ type: "data", stream: this.stream, data });
  }

  /** Without a code, as browsers have it: nobody says why, and the client may come back. */
  close(code = 1005, reason = ""): void {
    if (this.#phase === "over") return;
    this.#tunnels.send({ type: "close", stream: this.stream, code, reason });
    this.ended(code, reason);
  }

  opened(): void {
    if (this.#phase !== "asking") return;
    this.#phase = "open";
    this.onopen?.({} as never);
  }

  received(data: Uint8Array): void {
    if (this.#phase !== "open") return;
    this.onmessage?.({ data: data.slice().buffer } as never);
  }

  ended(code: number, reason: string): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#tunnels.remove(this.stream);
    this.onclose?.({ code, reason } as never);
  }
}

const tunnelsOf = new WeakMap<HocuspocusSocket, Tunnels>();

/**
 * [HOC-4] Makes the `WebSocket` option of `createPresence` from the socket that an application has to its Hocuspocus server: the
 * server needs the extension `copresence/hocuspocus`.
 */
export function over(socket: HocuspocusSocket): WebSocketConstructor {
  const tunnels = tunnelsOf.get(socket) ?? new Tunnels(socket);
  tunnelsOf.set(socket, tunnels);
  return class extends Tunnel {
    constructor(url: string, protocols: string[] = []) {
      super(tunnels, url, protocols);
    }
  };
}
