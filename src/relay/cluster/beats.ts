/**
 * Which relays live. Each relay says once a second that it does: its beat. When this relay does not hear another one, that counts only
 * while it hears its own beat through the bus, for else it may itself be cut off. [BUS-16] [BUS-19]
 */
import type { Clock } from "../ports/clock.ts";

/** How often a relay says that it lives, ms. */
export const BEAT_MS = 1_000;
/** A relay that is not heard for so long is lost, ms. */
export const LOST_MS = 2_500;
/** The relay hears no more others than this: a process that may write to the bus could make up any number of them. [BUS-45] */
const MAX_RELAYS = 1_000;
/** How often the relay looks which others are there, ms. */
export const CHECK_MS = 250;
/** The relay stood still when it looks so much later than it wanted to, ms. */
const STALL_MS = 500;
/** The bus is lost when the own beat does not come back for so long, ms: two beats, and what one takes on the way. */
const CUT_MS = 2_200;

export interface BeatEvents {
  /** The bus is there again, or is lost. */
  link(isUp: boolean): void;
  /**
   * One own beat has not come back, and the next one has: other messages may be missing, too. [BUS-31] Or this relay stood still for so
   * long that others have taken it for lost, and have said nothing to it since. [BUS-19]
   */
  skipped(): void;
  /** A relay is heard that is new, or that was lost before. */
  found(relay: string): void;
  /** @param hasSaidSo it has said that it stops, and has sent its people elsewhere */
  lost(relay: string, hasSaidSo: boolean): void;
}

export class Beats {
  readonly #clock: Clock;
  readonly #events: BeatEvents;
  readonly #heardAt = new Map<string, number>();
  /** The number of the last own beat that was sent, and of the last that came back; null: none has. */
  #sent = 0;
  #echo: number | null = null;
  #echoAt: number;
  #upSince: number;
  #isUp = true;
  #checkedAt: number;
  #stoodStill = false;

  constructor(clock: Clock, events: BeatEvents) {
    this.#clock = clock;
    this.#events = events;
    this.#echoAt = this.#upSince = this.#checkedAt = clock.now();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** The other relays that live. */
  get relays(): ReadonlyMap<string, number> {
    return this.#heardAt;
  }

  /** The number of the next own beat, which is sent now. */
  next(): number {
    return ++this.#sent;
  }

  /** An own beat came back. Beats that come late, as they do where a relay or the bus is busy, have lost nothing. */
  echoed(number: number): void {
    const isNext = this.#echo === null || number === this.#echo + 1;
    this.#echo = number;
    this.#echoAt = this.#clock.now();
    if (this.#isUp) return isNext ? undefined : this.#events.skipped();
    this.#isUp = true;
    this.#upSince = this.#echoAt;
    this.#events.link(true);
  }

  /** A relay has said something. Returns whether it counts: there may be too many. */
  heard(relay: string): boolean {
    const isNew = !this.#heardAt.has(relay);
    if (isNew && this.#heardAt.size >= MAX_RELAYS) return false;
    this.#heardAt.set(relay, this.#clock.now());
    if (isNew) this.#events.found(relay);
    return true;
  }

  /** A relay has said that it stops. */
  left(relay: string): void {
    this.#lose(relay, true);
  }

  /** While this relay stood still, others have said something that it has yet to read: until the next look nobody is to be missed. */
  get stoodStill(): boolean {
    return this.#stoodStill;
  }

  /** Judges who is there: every `CHECK_MS`. */
  check(): void {
    const now = this.#clock.now();
    const lateMs = now - this.#checkedAt - CHECK_MS;
    this.#checkedAt = now;
    this.#stoodStill = lateMs > STALL_MS && !this.#stoodStill;
    if (this.#stoodStill) {
      if (this.#isUp && lateMs > LOST_MS) this.#events.skipped();
      return;
    }
    if (this.#isUp && now - this.#echoAt > CUT_MS) {
      this.#isUp = false;
      this.#events.link(false);
    }
    // no relay is taken for lost before all have had the time to be heard
    if (!this.#isUp || now - this.#echoAt > BEAT_MS * 1.5) return;
    for (const [relay, at] of this.#heardAt) if (now - Math.max(at, this.#upSince) > LOST_MS) this.#lose(relay, false);
  }

  #lose(relay: string, hasSaidSo: boolean): void {
    if (this.#heardAt.delete(relay)) this.#events.lost(relay, hasSaidSo);
  }
}
