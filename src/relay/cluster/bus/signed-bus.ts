/** A bus whose messages carry a signature: who does not know the secret can neither say nor change anything. [BUS-24] */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Unsubscribe } from "../../../presence/index.ts";
import type { Bus, BusCounts } from "../../ports/bus.ts";

/** Of HMAC-SHA-256 so many bytes stand before each message. */
const SIGNATURE_BYTES = 16;

export class SignedBus implements Bus {
  readonly #bus: Bus;
  readonly #secret: string;
  readonly #onRefused: () => void;
  /** Missing where the bus below cannot tell: else a relay would believe that nobody else is there. [BUS-12] */
  readonly listeners?: (topic: string) => Promise<number>;

  /** @param onRefused told of each message whose signature is wrong: it is dropped */
  constructor(bus: Bus, secret: string, onRefused: () => void) {
    this.#bus = bus;
    this.#secret = secret;
    this.#onRefused = onRefused;
    if (bus.listeners !== undefined) this.listeners = bus.listeners.bind(bus);
  }

  get counts(): BusCounts {
    return this.#bus.counts ?? { unsentBytes: 0, dropped: 0 };
  }

  publish(topic: string, bytes: Uint8Array): void | Promise<void> {
    return this.#bus.publish(topic, Buffer.concat([this.#sign(topic, bytes), bytes]));
  }

  subscribe(topic: string, on: (bytes: Uint8Array) => void): Unsubscribe {
    return this.#bus.subscribe(topic, (signed) => {
      const [signature, bytes] = [signed.subarray(0, SIGNATURE_BYTES), signed.subarray(SIGNATURE_BYTES)];
      const isGood = signature.length === SIGNATURE_BYTES && timingSafeEqual(signature, this.#sign(topic, bytes));
      if (isGood) on(bytes);
      else this.#onRefused();
    });
  }

  reconnect(): void {
    this.#bus.reconnect?.();
  }

  async close(): Promise<void> {
    await this.#bus.close?.();
  }

  /** The topic counts, too: a message of one room is none of another. */
  #sign(topic: string, bytes: Uint8Array): Buffer {
    return createHmac("sha256", this.#secret).update(`${topic}\n`).update(bytes).digest().subarray(0, SIGNATURE_BYTES);
  }
}
