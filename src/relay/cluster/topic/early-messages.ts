/**
 * Messages that another relay sends on a topic while this relay waits for its answer, which holds all that it has to say. The answer
 * comes on another topic, so a message may be newer than the answer and yet arrive before it. [BUS-50]
 */
import type { Message } from "../message.ts";

/** When there are more, the first are forgotten, and all is asked for again. */
const MAX_MESSAGES = 64;
const MAX_BYTES = 64 * 1024;

export class EarlyMessages {
  #messages: Message[] = [];
  #bytes = 0;

  keep(message: Message): void {
    this.#messages.push(message);
    this.#bytes += message.body.length;
    // without the first of them the rest makes a gap, and all is asked for again
    while (this.#messages.length > MAX_MESSAGES || this.#bytes > MAX_BYTES) {
      this.#bytes -= this.#messages.shift()?.body.length ?? 0;
    }
  }

  /** Gives out the messages that follow a number, in their order, and keeps none. */
  after(seq: number): readonly Message[] {
    const later = this.#messages.filter((message) => message.seq > seq).toSorted((a, b) => a.seq - b.seq);
    this.#messages = [];
    this.#bytes = 0;
    return later;
  }
}
