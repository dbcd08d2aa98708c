/**
 * What joins relays: messages to all who listen to a topic. A bus may lose messages, and brings those of one sender on one
 * topic in the order in which they were sent; a relay that needs more than that sees to it itself.
 */
import type { Unsubscribe } from "../../presence/index.ts";

/** How what is published fares. */
export interface BusCounts {
  /** Bytes that the bus has not taken yet. */
  readonly unsentBytes: number;
  /** Messages that were not sent, since the bus was away or slow. */
  readonly dropped: number;
}

export interface Bus {
  /**
   * Sends to all who listen to the topic now, also to this relay if it listens. Returns at once, and never throws. What is long
   * comes in parts of 256 KiB, and a little more: a bus that returns a promise is given the next part once that has resolved,
   * which it does when the bus has taken this one, or has dropped it.
   */
  publish(topic: string, bytes: Uint8Array): void | Promise<void>;
  /**
   * Listens to a topic. The bytes are not changed afterwards by either side.
   *
   * @returns the undo: after it nothing is heard of the topic any more
   */
  subscribe(topic: string, on: (bytes: Uint8Array) => void): Unsubscribe;
  /** How many listen to a topic, over all relays. Without it, a relay waits a moment for those who might. */
  listeners?(topic: string): Promise<number>;
  /** Connects anew: nothing has come for long, though it seems to be connected. */
  reconnect?(): void;
  /** What it counts about itself; without it, nothing is known to be lost. */
  readonly counts?: BusCounts;
  /** Frees what the bus holds. Called once; what was published before is still sent. */
  close?(): Promise<void>;
}
