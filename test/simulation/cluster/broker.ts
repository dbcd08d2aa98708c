/**
 * A simulated Redis, and the ends of relays on it. It keeps what the `Bus` port promises, the order of one sender's messages
 * on one topic, and nothing more: messages are late, lost, come twice, and those of different senders and topics overtake each
 * other.
 */
import type { Unsubscribe } from "../../../src/presence/index.ts";
import type { Bus } from "../../../src/relay/ports/bus.ts";
import type { Actor, VirtualClock } from "../clock.ts";
import type { Random } from "../random.ts";

/** What is wrong with messages on their way, from 0 to 1 each; and how much later than usual some come, ms. */
export interface Weather {
  readonly lost: number;
  readonly twice: number;
  readonly late: number;
  readonly lateMs: number;
}

export const CALM: Weather = { lost: 0, twice: 0, late: 0, lateMs: 0 };

/** Usual time from a relay to Redis, or back, ms at most. */
const WAY_MS = 3;
/** A subscribing connection that is lost is there again after so long. */
const RECONNECT_MS = 200;

export class Broker {
  readonly clock: VirtualClock;
  readonly random: Random;
  /** Nothing gets through, for anybody. */
  isDown = false;
  weather: Weather = CALM;
  readonly ends: Set<BusEnd> = new Set();
  /** When the last message of a sender on a topic arrives at a receiver. */
  readonly #arrivals = new Map<string, number>();
  /** Of which sender the receiver lost the last message: never two in a row, or a relay would seem dead that lives. */
  readonly #losses = new Set<string>();

  constructor(clock: VirtualClock, random: Random) {
    this.clock = clock;
    this.random = random;
  }

  open(actor: Actor): BusEnd {
    const end = new BusEnd(this, actor);
    this.ends.add(end);
    return end;
  }

  /** Redis is there again, and knows nobody: each relay that listens has to say so anew. */
  restart(): void {
    this.isDown = false;
    for (const end of this.ends) end.resubscribe();
  }

  publish(from: BusEnd, topic: string, bytes: Uint8Array): void {
    if (this.isDown || !from.canSpeak) return;
    for (const to of this.ends) this.#send(from, to, topic, bytes);
  }

  listeners(topic: string): number {
    return [...this.ends].filter((end) => end.hears(topic)).length;
  }

  #send(from: BusEnd, to: BusEnd, topic: string, bytes: Uint8Array): void {
    const pair = `${from.actor.name} ${to.actor.name}`;
    const { lost, twice } = from === to ? CALM : this.weather;
    if (this.random.chance(lost) && !this.#losses.delete(pair)) {
      this.#losses.add(pair);
      return;
    }
    this.#losses.delete(pair);
    this.#deliver(`${pair} ${topic}`, to, topic, bytes);
    if (this.random.chance(twice)) this.#deliver(`${pair} ${topic}`, to, topic, bytes);
  }

  #deliver(path: string, to: BusEnd, topic: string, bytes: Uint8Array): void {
    const { late, lateMs } = this.weather;
    const wayMs = this.random.int(1, 2 * WAY_MS) + (this.random.chance(late) ? this.random.int(1, lateMs) : 0);
    const at = Math.max(this.#arrivals.get(path) ?? 0, this.clock.now + wayMs);
    this.#arrivals.set(path, at);
    this.clock.after(at - this.clock.now, () => {
      // as the client of Redis has it
      if (!this.isDown) to.receive(topic, Buffer.from(bytes));
    });
  }
}

/** The two connections of one relay: it publishes by the one, and listens by the other. */
export class BusEnd implements Bus {
  readonly actor: Actor;
  canSpeak = true;
  canHear = true;
  /** Nothing comes, and the connection seems to be there. */
  isDeaf = false;
  /** The subscribing connection is lost. */
  isLost = false;
  /** Told of all that is published, and may add to it. */
  onPublish: (topic: string, bytes: Uint8Array) => void = () => {};
  readonly #broker: Broker;
  readonly #listeners = new Map<string, Set<(bytes: Uint8Array) => void>>();
  /** Topics that Redis knows it listens to. */
  readonly #known = new Set<string>();

  constructor(broker: Broker, actor: Actor) {
    this.#broker = broker;
    this.actor = actor;
  }

  hears(topic: string): boolean {
    return this.#known.has(topic) && !this.isLost && this.canHear;
  }

  publish(topic: string, bytes: Uint8Array): void {
    this.#broker.publish(this, topic, bytes.slice());
    this.onPublish(topic, bytes);
  }

  subscribe(topic: string, on: (bytes: Uint8Array) => void): Unsubscribe {
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners);
    const listener = (bytes: Uint8Array): void => on(bytes);
    listeners.add(listener);
    if (listeners.size === 1) this.#listen(topic);
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0 || this.#listeners.get(topic) !== listeners) return;
      this.#listeners.delete(topic);
      this.#known.delete(topic);
    };
  }

  listeners(topic: string): Promise<number> {
    const broker = this.#broker;
    return new Promise((resolve, reject) => {
      broker.clock.after(2 * WAY_MS, () =>
        broker.clock.as(this.actor, () => {
          if (broker.isDown || !this.canSpeak) reject(new Error("Redis is away"));
          else resolve(broker.listeners(topic));
        }),
      );
    });
  }

  reconnect(): void {
    this.isDeaf = false;
    this.resubscribe();
  }

  /** The subscribing connection is lost, and there again after a while. */
  lose(ms: number): void {
    this.isLost = true;
    this.#known.clear();
    this.#broker.clock.after(ms, () => {
      this.isLost = false;
      this.resubscribe();
    });
  }

  /** What it listened to is not known to Redis any more, and is asked for once it is connected again. */
  resubscribe(): void {
    this.#known.clear();
    this.#broker.clock.after(this.#broker.random.int(1, RECONNECT_MS), () => {
      for (const topic of this.#listeners.keys()) this.#listen(topic);
    });
  }

  receive(topic: string, bytes: Uint8Array): void {
    if (this.isDeaf || !this.hears(topic)) return;
    this.#broker.clock.as(this.actor, () => {
      for (const listener of this.#listeners.get(topic) ?? []) listener(bytes);
    });
  }

  close(): Promise<void> {
    this.#broker.ends.delete(this);
    return Promise.resolve();
  }

  #listen(topic: string): void {
    this.#broker.clock.after(this.#broker.random.int(1, WAY_MS), () => {
      if (!this.#broker.isDown && !this.isLost && this.#listeners.has(topic)) this.#known.add(topic);
    });
  }
}
