/** One relay's end of a bus on which everything takes its time. */
import type { Unsubscribe } from "../../../src/presence/index.ts";
import type { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { type Message, decodeMessage } from "../../../src/relay/cluster/message.ts";
import type { Bus } from "../../../src/relay/ports/bus.ts";

export class LateBus implements Bus {
  readonly #bus: MemoryBus;
  readonly #lateMs: number;
  /** Of what is published: whether it is lost. */
  loses: (message: Message) => boolean = () => false;
  /** All that was published, whether or not it was lost. */
  readonly said: Message[] = [];

  /** @param lateMs so long a message takes, ms */
  constructor(bus: MemoryBus, lateMs: number) {
    this.#bus = bus;
    this.#lateMs = lateMs;
  }

  publish(topic: string, bytes: Uint8Array): void {
    const message = decodeMessage(bytes);
    if (message !== null) this.said.push(message);
    if (message === null || !this.loses(message)) setTimeout(() => this.#bus.publish(topic, bytes), this.#lateMs);
  }

  subscribe(topic: string, on: (bytes: Uint8Array) => void): Unsubscribe {
    return this.#bus.subscribe(topic, on);
  }

  listeners(topic: string): Promise<number> {
    return this.#bus.listeners(topic);
  }
}
