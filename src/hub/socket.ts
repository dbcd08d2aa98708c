/** A WebSocket of any server, as the hub needs it: what the server tells of it, and what the server is asked to do. */
import type { Packet } from "../relay/ports/packet.ts";
import type { ServerSocket, SocketEvents } from "../relay/ports/socket.ts";

/** What the hub asks of a WebSocket of yours. A `WebSocket` of the package `ws` fits as it is. */
export interface HubSocket {
  /** The subprotocol that was agreed on; none: the client is a stock y-websocket client. */
  readonly protocol?: string;
  /** Bytes that were sent and wait for the other end to make room. */
  readonly bufferedAmount: number;
  /** Sends one binary message. Its bytes may be sent to others, too: they must not be changed. */
  send(message: Uint8Array): void;
  /** Asks for a sign of life; the answer is told by `alive`. Without it, messages alone are signs of life. */
  ping?(): void;
  close(code: number, reason: string): void;
  /** Ends the connection without waiting for the other end. Default: `close`. */
  terminate?(): void;
  /** Reads no more of what comes in, for now. Without these two, a client that keeps the hub busy is read all the same. */
  pause?(): void;
  resume?(): void;
}

/**
 * Makes a socket of yours one of the hub's. What your server tells of it goes in through `message`, `alive` and `closed`.
 *
 * [HUB-1] What a socket throws is reported, and its connection counts as lost: servers throw for a socket that they have closed
 * already, and all others who are told in the same flush are told all the same.
 */
export class AdaptedSocket implements ServerSocket {
  readonly keepsPackets = false;
  readonly #socket: HubSocket;
  readonly #onError: (error: unknown) => void;
  #events: SocketEvents | null = null;
  #hasFailed = false;
  #received = 0;
  #sent = 0;

  /** @param onError told what the socket throws first */
  constructor(socket: HubSocket, onError: (error: unknown) => void) {
    this.#socket = socket;
    this.#onError = onError;
  }

  get protocol(): string {
    return this.#socket.protocol ?? "";
  }

  get bufferedAmount(): number {
    let bytes: number | undefined;
    this.#ask(() => (bytes = this.#socket.bufferedAmount));
    // what is no number would make one of the sum over all sockets, by which all of them are held to their bounds
    return Number.isFinite(bytes) ? Number(bytes) : 0;
  }

  get bytesReceived(): number {
    return this.#received;
  }

  get bytesFlushed(): number {
    return this.#sent - this.bufferedAmount;
  }

  send(packet: Packet, prefix: Uint8Array | null = null, onLeft?: () => void): void {
    const bytes = prefix === null ? packet.message : packet.messageWith(prefix);
    this.#sent += bytes.length;
    this.#ask(() => this.#socket.send(bytes));
    onLeft?.();
  }

  cork(): void {}

  uncork(): void {}

  ping(): void {
    this.#ask(() => this.#socket.ping?.());
  }

  pause(): void {
    this.#ask(() => this.#socket.pause?.());
  }

  resume(): void {
    this.#ask(() => this.#socket.resume?.());
  }

  close(code = 1000, reason = ""): void {
    this.#ask(() => this.#socket.close(code, reason));
  }

  terminate(): void {
    this.#ask(() => (this.#socket.terminate === undefined ? this.#socket.close(1001, "") : this.#socket.terminate()));
  }

  tell(events: SocketEvents): void {
    this.#events = events;
  }

  message(data: Uint8Array, isBinary: boolean): void {
    this.#received += data.length;
    this.#events?.reading(data.length);
    this.#events?.message(data, isBinary);
    this.#events?.read();
    // nothing says when what waited has left: a message is a good time to look
    this.#events?.drain();
  }

  alive(): void {
    this.#events?.sign(0);
  }

  closed(code: number): void {
    this.#events?.ended(code);
    this.#events = null;
  }

  /** Asks the socket for something. What it rejects with later is no different from what it throws. */
  #ask(act: () => unknown): void {
    try {
      const asked = act();
      if (asked instanceof Promise) asked.catch((error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#onError(error);
    // not in the midst of what it was asked for
    queueMicrotask(() => {
      this.closed(LOST);
      this.terminate();
    });
  }
}

/** The close code of a connection that is gone without a word. */
const LOST = 1006;
