/**
 * A WebSocket of `ws` with the TCP socket below it. What goes out is framed already, once for all who get it, so it goes
 * to the TCP socket as it is; `ws` does the same with what it frames, for as long as it compresses nothing.
 */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import type { ServerSocket } from "./connection.ts";
import type { Packet } from "./packet.ts";

/** What is written at once. A longer message leaves piece by piece, so that one can see it leave. */
const PIECE_BYTES = 64 * 1024;

export class WebSocketServerSocket implements ServerSocket {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;

  constructor(webSocket: WebSocket, socket: Socket) {
    this.#webSocket = webSocket;
    this.#socket = socket;
  }

  get protocol(): string {
    return this.#webSocket.protocol;
  }

  get bufferedAmount(): number {
    return this.#socket.writableLength;
  }

  get received(): number {
    return this.#socket.bytesRead;
  }

  get left(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  send({ framed }: Packet): void {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
    if (framed.length <= PIECE_BYTES) return void this.#socket.write(framed);
    for (let from = 0; from < framed.length; from += PIECE_BYTES) {
      this.#socket.write(framed.subarray(from, from + PIECE_BYTES));
    }
  }

  ping(): void {
    this.#webSocket.ping();
  }

  close(code?: number, reason?: string): void {
    this.#webSocket.close(code, reason);
  }

  terminate(): void {
    this.#webSocket.terminate();
  }

  on(event: string, listener: (...args: never[]) => void): void {
    const source = event === "drain" ? this.#socket : this.#webSocket;
    source.on(event, listener as (...args: unknown[]) => void);
  }
}
