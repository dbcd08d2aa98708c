/** Notices that bytes go over a socket though no whole message and no pong arrives. */
import type { ServerSocket } from "../../ports/socket.ts";

export class Transfer {
  /** How many bytes had come in and left at the last look. `#flushed` is Infinity when none waited to leave then. */
  #received = 0;
  #flushed = Infinity;

  /**
   * Whether bytes have come in or left since this was asked last: while a long message is under way no pong overtakes it. Bytes
   * that leave prove something only if they had to wait: until the buffers on the way are full, they leave whether or not
   * anybody is there.
   */
  goesOn({
    bytesReceived,
    bytesFlushed,
    bufferedAmount,
  }: Pick<ServerSocket, "bytesReceived" | "bytesFlushed" | "bufferedAmount">): boolean {
    // [LIVE-16] bytes that come in, or leave after they had to wait
    const goesOn = bytesReceived > this.#received || bytesFlushed > this.#flushed;
    this.#received = bytesReceived;
    this.#flushed = bufferedAmount > 0 ? bytesFlushed : Infinity;
    return goesOn;
  }
}
