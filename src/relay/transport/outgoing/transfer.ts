/** Whether bytes go over a socket, though no whole message and no pong does. */
import type { ServerSocket } from "../../ports/socket.ts";

export class Transfer {
  /** What had come in and left when it was last looked at; the latter only while more was to leave. */
  #received = 0;
  #left = Infinity;

  /**
   * A long message is under way, and no pong overtakes it. What leaves proves something only if it had to wait: until the
   * buffers on the way are full, it leaves whether or not anybody is there.
   */
  goesOn({ received, left, bufferedAmount }: Pick<ServerSocket, "received" | "left" | "bufferedAmount">): boolean {
    // [LIVE-16] bytes that come in, or leave after they had to wait
    const goesOn = received > this.#received || left > this.#left;
    this.#received = received;
    this.#left = bufferedAmount > 0 ? left : Infinity;
    return goesOn;
  }
}
