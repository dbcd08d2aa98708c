/** What waits for a while and is then given up, unless it is released before. [TIME-1] */
import type { Author, PresentEntry } from "../../awareness/index.ts";
import { isStockSession } from "../../presence/index.ts";
import { Close, isFinal } from "../../wire/index.ts";
import { type Clock, stallOf } from "../ports/clock.ts";
import type { RelaySettings } from "../ports/settings.ts";

/** Once the relay runs again, hearing what clients said meanwhile may take this long, ms. */
const HEARD_MS = 1_000;
/** Those who were lost together with so many may come back in a rush. */
const MANY = 20;
/** So long ago they may have been lost, ms. */
const RECENT_MS = 30_000;
/** So often is looked whether a rush is over, ms. */
const AGAIN_MS = 250;

/** How a connection was lost that may come back. */
export interface Loss {
  /** As WebSocket has it. */
  readonly code: number;
  /** When that was noticed, ms since the epoch. */
  readonly at: number;
  /** When its people leave unless they come back, ms since the epoch. */
  readonly until: number;
}

/** How long those may take to come back whom a relay has sent to others, ms: with them come many. [DRAIN-7] */
export function moveGraceOf({ leaveGrace, drainTime }: Pick<RelaySettings, "leaveGrace" | "drainTime">): number {
  return leaveGrace + drainTime;
}

/** Says whether those who are missing since a moment may still be on their way, since many are coming at once. [ROSTER-11] */
type RushSign = (since: number) => boolean;

/** Things that all wait equally long: one timer is enough for all of them. */
class Queue<T> {
  readonly #ms: number;
  readonly #clock: Clock;
  readonly #expire: (item: T) => void;
  readonly #mayBeOnTheirWay: RushSign;
  readonly #deadlines = new Map<T, number>();
  /** When many waited at the same time. */
  #manyAt = -Infinity;
  /** When the next of them is to be given up. */
  #dueAt = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number, clock: Clock, expire: (item: T) => void, mayBeOnTheirWay: RushSign) {
    this.#ms = ms;
    this.#clock = clock;
    this.#expire = expire;
    this.#mayBeOnTheirWay = mayBeOnTheirWay;
  }

  deadlineOf(item: T): number | undefined {
    return this.#deadlines.get(item);
  }

  hold(item: T): void {
    const now = this.#clock.now();
    this.#deadlines.delete(item);
    this.#deadlines.set(item, now + this.#ms);
    if (this.#deadlines.size >= MANY) this.#manyAt = now;
    this.#arm();
  }

  release(item: T): void {
    this.#deadlines.delete(item);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#deadlines.clear();
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    for (const deadline of this.#deadlines.values()) return this.#wait(deadline);
  }

  #wait(until: number): void {
    this.#dueAt = until;
    this.#timer = setTimeout(() => this.#run(), Math.max(0, until - this.#clock.now()));
  }

  #run(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    // [TIME-3] they may have come back while the relay did not run, and have yet to be heard
    const stalledMs = stallOf(this.#dueAt, now);
    if (stalledMs > 0) this.#postpone(stalledMs + HEARD_MS);
    // [ROSTER-11] one who is lost while others come is not one of those who come
    const [first = Infinity] = this.#deadlines.values();
    const wereMany = now - this.#manyAt < RECENT_MS;
    if (first <= now && wereMany && this.#mayBeOnTheirWay(first)) return this.#wait(now + AGAIN_MS);
    for (const [item, deadline] of this.#deadlines) {
      if (deadline > now) break;
      this.#deadlines.delete(item);
      this.#expire(item);
    }
    this.#arm();
  }

  #postpone(ms: number): void {
    for (const [item, deadline] of this.#deadlines) this.#deadlines.set(item, deadline + ms);
  }
}

export class Grace<T> {
  readonly #clock: Clock;
  /** Those whose connections were lost. */
  readonly #lost: Queue<T>;
  /** Those who were told to come back. */
  readonly #sentAway: Queue<T>;
  readonly #losses = new Map<T, Omit<Loss, "until">>();

  /**
   * @param sentAwayMs how long those wait whose connections the relay itself has ended, so that they come back [DRAIN-7]
   * @param mayBeOnTheirWay says that nobody is given up yet, though the time is over. Default: never
   */
  constructor(
    ms: number,
    clock: Clock,
    expire: (item: T) => void,
    sentAwayMs: number = ms,
    mayBeOnTheirWay: RushSign = () => false,
  ) {
    this.#clock = clock;
    const giveUp = (item: T): void => {
      this.#losses.delete(item);
      expire(item);
    };
    this.#lost = new Queue(ms, clock, giveUp, mayBeOnTheirWay);
    this.#sentAway = new Queue(sentAwayMs, clock, giveUp, mayBeOnTheirWay);
  }

  hold(item: T): void {
    const [queue, other] =
      this.#losses.get(item)?.code === Close.restart ? [this.#sentAway, this.#lost] : [this.#lost, this.#sentAway];
    other.release(item);
    queue.hold(item);
  }

  /** Notes how the connection of an item was lost that is about to be held. */
  lost(item: T, code: number): void {
    this.#losses.set(item, { code, at: Math.round(this.#clock.wall()) });
  }

  /** How the connection of an item that is held was lost. */
  lossOf(item: T): Loss | undefined {
    const deadline = this.#lost.deadlineOf(item) ?? this.#sentAway.deadlineOf(item);
    const loss = this.#losses.get(item);
    if (deadline === undefined || loss === undefined) return undefined;
    return { ...loss, until: Math.round(this.#clock.wall() + deadline - this.#clock.now()) };
  }

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

/** Whether a connection that ended so left for good, or may come back within the grace. [LIVE-1] [LIVE-2] [LIVE-3] */
export function isLeave(code: number, { kind, silent }: Author, entry: PresentEntry): boolean {
  if (code === Close.normal) return true;
  // [LIVE-1] the relay has closed it for good: nobody comes back but our client, with a better token, or with less to say
  const mayReturn = kind === "native" && (code === Close.notAuthenticated || code === Close.tooLarge);
  if (isFinal(code) && !mayReturn) return true;
  // a stock client that closes its tab has no session to come back as; but one that was frozen may have been thawed, of
  // which the browser says the same
  return code === Close.goingAway && isStockSession(entry.claim) && !silent;
}
