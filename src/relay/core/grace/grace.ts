/** Connections that were lost: each may come back within a grace, and is given up after it. [TIME-1] */
import { Close } from "../../../wire/index.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RelaySettings } from "../../ports/settings.ts";
import { Deadlines } from "./deadlines.ts";

/** How a connection was lost that may come back. */
export interface Loss {
  /** The close code. */
  readonly code: number;
  /** When the relay noticed the loss, ms since the epoch. */
  readonly at: number;
  /** When the people of the connection leave unless they come back, ms since the epoch. */
  readonly until: number;
}

/** How long clients may take to come back that a relay has sent to other relays, ms: many of them come at once. [DRAIN-7] */
export function moveGraceOf({ leaveGrace, drainTime }: Pick<RelaySettings, "leaveGrace" | "drainTime">): number {
  return leaveGrace + drainTime;
}

export interface GraceSetup<T> {
  readonly clock: Clock;
  /** How long an item waits whose connection was lost, ms. */
  readonly lostMs: number;
  /** How long an item waits whose connection the relay itself has ended so that its client comes back, ms. [DRAIN-7] */
  readonly sentAwayMs: number;
  /** Gives up an item whose time is over. */
  readonly expire: (item: T) => void;
  /** See `Rush.awaitedSince`. Default: there is never a rush. */
  readonly awaitedSince?: () => number;
}

export class Grace<T> {
  readonly #clock: Clock;
  readonly #lost: Deadlines<T>;
  readonly #sentAway: Deadlines<T>;
  readonly #losses = new Map<T, Omit<Loss, "until">>();

  constructor({ clock, lostMs, sentAwayMs, expire: giveUp, awaitedSince }: GraceSetup<T>) {
    this.#clock = clock;
    const expire = (item: T): void => {
      this.#losses.delete(item);
      giveUp(item);
    };
    this.#lost = new Deadlines({ clock, waitMs: lostMs, expire, awaitedSince });
    this.#sentAway = new Deadlines({ clock, waitMs: sentAwayMs, expire, awaitedSince });
  }

  /** Has an item wait for its connection to come back. */
  hold(item: T): void {
    const wasSentAway = this.#losses.get(item)?.code === Close.restart;
    const [queue, other] = wasSentAway ? [this.#sentAway, this.#lost] : [this.#lost, this.#sentAway];
    other.release(item);
    queue.hold(item);
  }

  /** Notes how the connection of an item was lost. `hold` follows. */
  lost(item: T, code: number): void {
    this.#losses.set(item, { code, at: Math.round(this.#clock.wall()) });
  }

  /** How the connection of an item that waits was lost. */
  lossOf(item: T): Loss | undefined {
    const deadline = this.#lost.deadlineOf(item) ?? this.#sentAway.deadlineOf(item);
    const loss = this.#losses.get(item);
    if (deadline === undefined || loss === undefined) return undefined;
    return { ...loss, until: Math.round(this.#clock.wall() + deadline - this.#clock.now()) };
  }

  /** The connection of an item is back, or the item is gone. */
  release(item: T): void {
    this.#lost.release(item);
    this.#sentAway.release(item);
    this.#losses.delete(item);
  }

  stop(): void {
    this.#lost.stop();
    this.#sentAway.stop();
    this.#losses.clear();
  }
}
