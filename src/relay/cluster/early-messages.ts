/**
 * What another relay says on a topic while it is asked for all: its answer comes by another way, may have been written before
 * that, and arrive after it. [BUS-50]
 */
import type { Message } from "./message.ts";

/** With more, all is asked for again: that is as good. */
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

  /** Gives out those that follow a number, in their order, and keeps none. */
  after(seq: number): readonly Message[] {
    const later = this.#messages.filter((message) => message.seq > seq).toSorted((a, b) => a.seq - b.seq);
    this.#messages = [];
    this.#bytes = 0;
    return later;
  }
}
