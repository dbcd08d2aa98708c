/** A WebSocket as the relay needs it, whatever server opened it. */
import type { Packet } from "./packet.ts";

/** What a WebSocket tells of. */
export interface SocketEvents {
  message(data: Uint8Array, isBinary: boolean): void;
  /** A ping or a pong came. @param bytes of its payload */
  sign(bytes: number): void;
  /** So many bytes came in, and are being read. */
  reading(bytes: number): void;
  /** It has been read, and `message` and `sign` called for all that was whole in it. */
  read(): void;
  /** What waited for the other end to make room has left. */
  drain(): void;
  /** It is over, with this close code. */
  ended(code: number): void;
}

/** What is needed of a WebSocket. */
export interface ServerSocket {
  readonly protocol: string;
  /** Bytes that were sent and wait for the other end to make room. */
  readonly bufferedAmount: number;
  /** Bytes that have come in, whole messages or not. */
  readonly bytesReceived: number;
  /** Bytes that have left for the network. */
  readonly bytesFlushed: number;
  /**
   * Sends a message.
   *
   * @param prefix bytes that stand before it in the same message; null: none
   * @param onLeft called once none of it waits any more, also when the connection is over
   */
  send(packet: Packet, prefix?: Uint8Array | null, onLeft?: () => void): void;
  /** What is sent from now on leaves with `uncork`, in one write. */
  cork(): void;
  uncork(): void;
  ping(): void;
  /** Reads no more of what comes in, for now. */
  pause(): void;
  resume(): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  /** Whether what waits is kept as it was given, not as a copy of its own. */
  readonly keepsPackets: boolean;
  /** Says who is told from now on. */
  tell(events: SocketEvents): void;
}
