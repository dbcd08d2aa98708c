/**
 * A WebSocket of `ws` with the TCP socket below it. What goes out is framed already, once for all who get it, so it goes
 * to the TCP socket as it is; `ws` does the same with what it frames, for as long as it compresses nothing.
 */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { RawData, WebSocket } from "ws";
import { Close } from "../../wire/index.ts";
import type { ServerSocket, SocketEvents } from "../ports/socket.ts";
import type { Packet } from "../ports/packet.ts";

/** Longer messages are not joined with others into one write: copying them would cost more than it saves. */
const JOINED_BYTES = 4 * 1024;
/** A longer message is written piece by piece, so that it can be seen to leave. */
const PIECE_BYTES = 64 * 1024;

export class WebSocketServerSocket implements ServerSocket {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  /** Messages that were sent since `cork`; null: the socket is not corked. */
  #held: Buffer[] | null = null;
  #heldBytes = 0;

  constructor(webSocket: WebSocket, socket: Socket) {
    this.#webSocket = webSocket;
    this.#socket = socket;
  }

  get protocol(): string {
    return this.#webSocket.protocol;
  }

  get bufferedAmount(): number {
    return this.#socket.writableLength + this.#heldBytes;
  }

  get bytesReceived(): number {
    return this.#socket.bytesRead;
  }

  get bytesFlushed(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  get keepsPackets(): boolean {
    // encrypted, a packet has other bytes for each connection
    return !(this.#socket instanceof TLSSocket);
  }

  send(packet: Packet, prefix: Uint8Array | null = null, onLeft?: () => void): void {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return onLeft?.();
    const { message } = packet;
    if (this.#held !== null && onLeft === undefined && message.length <= JOINED_BYTES) {
      const framed = prefix === null ? packet.framed : packet.framedWith(prefix);
      this.#held.push(framed);
      this.#heldBytes += framed.length;
      return;
    }
    this.#writeHeld();
    if (message.length <= PIECE_BYTES) {
      // a socket that is over calls back, too
      return void this.#socket.write(prefix === null ? packet.framed : packet.framedWith(prefix), onLeft);
    }
    this.#socket.write(prefix === null ? packet.header : packet.headerWith(prefix));
    let from = 0;
    for (; from + PIECE_BYTES < message.length; from += PIECE_BYTES) {
      this.#socket.write(message.subarray(from, from + PIECE_BYTES));
    }
    this.#socket.write(message.subarray(from), onLeft);
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  cork(): void {
    this.#held ??= [];
  }

  uncork(): void {
    this.#writeHeld();
    this.#held = null;
  }

  /** Two messages in one buffer are one write of the kernel, and cost half as much as two buffers do. */
  #writeHeld(): void {
    if (this.#held === null || this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    // what is over reads no more
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#socket.write(joined(held));
  }

  ping(): void {
    this.#writeHeld();
    this.#webSocket.ping();
  }

  close(code?: number, reason?: string): void {
    this.#writeHeld();
    this.#webSocket.close(code, reason);
  }

  terminate(): void {
    this.#webSocket.terminate();
  }

  tell(events: SocketEvents): void {
    const webSocket: Telling<WebSocket> = this.#webSocket;
    const socket: Telling<Socket> = this.#socket;
    webSocket[EVENTS] = socket[EVENTS] = events;
    webSocket.on("message", onMessage);
    webSocket.on("ping", onSign);
    webSocket.on("pong", onSign);
    webSocket.on("close", onClose);
    webSocket.on("error", onError);
    socket.on("drain", onDrain);
    // before and after `ws`, which reads what came and calls `onMessage` for each message in it
    socket.prependListener("data", onReading);
    socket.on("data", onRead);
  }
}

/** The parts that were joined last: most readers of a room are sent the same messages. */
let last: { readonly parts: readonly Buffer[]; readonly whole: Buffer } | null = null;

function joined(parts: readonly Buffer[]): Buffer {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  if (last?.parts.length !== parts.length || !parts.every((part, i) => part === last?.parts[i])) {
    last = { parts, whole: Buffer.concat(parts) };
  }
  return last.whole;
}

// one function for all sockets: a function for each would take a part of the memory of its connection

const EVENTS = Symbol("events");
type Telling<T> = T & { [EVENTS]?: SocketEvents };

function onMessage(this: Telling<WebSocket>, data: RawData, isBinary: boolean): void {
  // `nodebuffer`, the default
  this[EVENTS]?.message(data as Buffer, isBinary);
}

function onReading(this: Telling<Socket>, data: Buffer): void {
  this[EVENTS]?.reading(data.length);
}

function onRead(this: Telling<Socket>): void {
  this[EVENTS]?.read();
}

function onSign(this: Telling<WebSocket>, payload: Buffer): void {
  this[EVENTS]?.sign(payload.length);
}

function onDrain(this: Telling<Socket>): void {
  this[EVENTS]?.drain();
}

function onClose(this: Telling<WebSocket>, code: number): void {
  this[EVENTS]?.ended(code);
}

/** An error closes the socket, and `close` follows. But `close` does not say that `ws` itself has refused a message. */
function onError(this: Telling<WebSocket>, error: Error & { readonly code?: string }): void {
  if (error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") this[EVENTS]?.ended(Close.tooLarge);
  if (error.code === "WS_ERR_TOO_MANY_BUFFERED_PARTS") this[EVENTS]?.ended(Close.malformed);
}
