/** One relay's end of a bus that loses what a test says. */
import type { Unsubscribe } from "../../../src/presence/index.ts";
import type { MemoryBus } from "../../../src/relay/cluster/bus/memory-bus.ts";
import { type Message, decodeMessage } from "../../../src/relay/cluster/message.ts";
import type { Bus } from "../../../src/relay/ports/bus.ts";

export class FaultyBus implements Bus {
  readonly #bus: MemoryBus;
  /** Nothing that is published arrives. */
  cannotSpeak = false;
  /** Nothing is heard. */
  cannotHear = false;
  /** Of what is published: whether it is lost. */
  loses: (message: Message) => boolean = () => false;
  /** Of what is published: how much later it arrives, ms. */
  lateMs: (message: Message) => number = () => 0;
  /** All that was published, whether or not it was lost. */
  readonly said: Message[] = [];
  reconnects = 0;

  constructor(bus: MemoryBus) {
    this.#bus = bus;
  }

  set isCut(isCut: boolean) {
    this.cannotSpeak = this.cannotHear = isCut;
  }

  publish(topic: string, bytes: Uint8Array): void {
    const message = decodeMessage(bytes);
    if (message !== null) this.said.push(message);
    if (this.cannotSpeak || (message !== null && this.loses(message))) return;
    const lateMs = message === null ? 0 : this.lateMs(message);
    if (lateMs === 0) this.#bus.publish(topic, bytes);
    else setTimeout(() => this.#bus.publish(topic, bytes), lateMs);
  }

  subscribe(topic: string, on: (bytes: Uint8Array) => void): Unsubscribe {
    return this.#bus.subscribe(topic, (bytes) => {
      if (!this.cannotHear) on(bytes);
    });
  }

  listeners(topic: string): Promise<number> {
    return this.cannotSpeak ? Promise.reject(new Error("cut")) : this.#bus.listeners(topic);
  }

  reconnect(): void {
    this.reconnects++;
  }
}
