/**
 * What comes back by itself when it is lost: the one WebSocket of a client, and each channel in it. How it is opened and let go
 * of, and who is told, is for the classes that extend this one to say.
 */
import { ABNORMAL, NORMAL, isFinal } from "../../wire/index.ts";
import { monotonic } from "../browser/clock.ts";

export interface BackoffTiming {
  /** Longest wait before the first retry, ms; it doubles with each. */
  readonly backoffMs: number;
  /** The longest wait of all, ms. */
  readonly maxBackoffMs: number;
}

/**
 * `idle`: not wanted. `suspended`: given up until the page wakes. `refused`: the relay ended it for good. `waiting`: another
 * attempt follows.
 */
export type Phase = "idle" | "suspended" | "refused" | "waiting" | "connecting" | "open";

/** How an attempt to connect, or a connection, came to its end. */
export interface Failure {
  /** The close code. */
  readonly code: number;
  /** Why, if that is known. */
  readonly reason: string;
  /** The connection had lasted for so long that it counts as one that worked. */
  readonly wasSettled: boolean;
  /** The relay was dialed; false: there was nothing to dial it with. */
  readonly wasDialed: boolean;
  /** For how long there has been no connection that lasted, ms. */
  readonly failingMs: number;
}

/**
 * What lasted as long as this many of the longest waits has shown that the relay wants it: the next loss is the first
 * again. A first message shows less: a relay that is full greets, and closes. [LIVE-19]
 */
const SETTLED_BACKOFFS = 2;

type Timer = ReturnType<typeof setTimeout>;

export abstract class Reconnecting {
  readonly #timing: BackoffTiming;
  #phase: Phase = "idle";
  /** Attempts since a connection last lasted. */
  #attempts = 0;
  /** When the connection was opened, monotonic ms. */
  #openedAt = 0;
  /** Since when no connection has lasted, monotonic ms; undefined: the last one did, or none was tried. */
  #failingSince: number | undefined;
  /** What ends the phase, if time does. */
  protected timer: Timer | undefined;

  constructor(timing: BackoffTiming) {
    this.#timing = timing;
  }

  /** Makes an attempt. */
  protected abstract dial(): void;
  /** Lets go of the connection that there is, if there is one. */
  protected abstract letGo(code: number): void;
  /** Whether the page is hidden: a browser may let its timers wait for a minute. */
  abstract isHidden(): boolean;
  /** An open connection is gone: lost, ended, suspended, or refused. */
  protected abstract down(): void;
  /** An attempt failed or a connection was lost, and another attempt follows. */
  protected abstract failed(failure: Failure): void;
  /** Whether to come back all the same after a close code that means "for good". */
  protected abstract forgives(code: number, reason: string): boolean;
  /** The relay ended it for good (4400–4499), or the address cannot be dialed (1006), and no other attempt follows. */
  protected abstract refused(code: number, reason: string): void;

  get phase(): Phase {
    return this.#phase;
  }

  /** Connects now, unless it is connected or about to be. */
  connect(): void {
    if (this.#phase === "connecting" || this.#phase === "open") return;
    this.#failingSince ??= monotonic();
    this.dial();
  }

  /** Closes, and stays closed until `connect`. */
  disconnect(): void {
    this.#attempts = 0;
    this.leave("idle", NORMAL);
  }

  /** [LIVE-17] An attempt that waits is made now. */
  wake(): void {
    if (this.#phase !== "suspended" && this.#phase !== "waiting") return;
    this.#attempts = 0;
    this.connect();
  }

  /** Ends it as if the relay had closed it for good. */
  refuse(code: number, reason: string): void {
    this.leave("refused", NORMAL);
    this.refused(code, reason);
  }

  /** The other end closed it. [LIVE-7] */
  protected closed(code: number, reason: string): void {
    if (isFinal(code) && !this.forgives(code, reason)) this.refuse(code, reason);
    else this.lost(code, reason);
  }

  /** The connection, or the attempt at one, is over, whether or not the other end knows. */
  protected lost(code: number, reason: string): void {
    const wasOpen = this.#phase === "open";
    const wasSettled = wasOpen && monotonic() - this.#openedAt >= SETTLED_BACKOFFS * this.#timing.maxBackoffMs;
    if (wasSettled) {
      this.#attempts = 0;
      this.#failingSince = undefined;
    }
    const timer = this.retry();
    this.tellFailure({ code, reason, wasSettled, wasDialed: true });
    // the timers of a hidden page may wait for longer than others wait for it: it tries once without one [LIVE-18]
    if (wasOpen && this.#attempts === 1 && this.isHidden() && this.timer === timer) this.connect();
  }

  protected tellFailure(failure: Omit<Failure, "failingMs">): void {
    const now = monotonic();
    this.#failingSince ??= now;
    this.failed({ ...failure, failingMs: now - this.#failingSince });
  }

  /** Tries again after a while. Full jitter: those who lost the relay together do not come back together. [LIVE-6] */
  protected retry(): Timer {
    const { backoffMs, maxBackoffMs } = this.#timing;
    const ceiling = Math.min(maxBackoffMs, backoffMs * 2 ** this.#attempts++);
    return this.wait(Math.random() * ceiling, () => this.dial());
  }

  protected wait(ms: number, then: () => void): Timer {
    const timer = setTimeout(then, ms);
    this.leave("waiting", ABNORMAL, timer);
    return timer;
  }

  /** Goes on without the connection that there is, if there is one. */
  protected leave(next: Phase, code: number, timer?: Timer): void {
    const wasOpen = this.#phase === "open";
    this.enter(next, timer);
    this.letGo(code);
    if (wasOpen) this.down();
  }

  protected enter(next: Phase, timer?: Timer): void {
    clearTimeout(this.timer);
    this.timer = timer;
    this.#phase = next;
    if (next === "open") this.#openedAt = monotonic();
  }
}
