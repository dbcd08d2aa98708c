/**
 * One receiver of webhooks: its queue in the outbox, and the messages that are on their way. It reads a part of the queue
 * into memory, gives messages of different users side by side, and tries again what was not taken. [HOOK-11]
 */
import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { Clock } from "../ports/clock.ts";
import type { Outbox, OutboxChange } from "../ports/stores/outbox.ts";
import { type Sign, attempt } from "./attempt.ts";
import { Lanes } from "./lanes.ts";
import type { Message } from "./message.ts";

/** Messages that are in memory: about so many that may go soon, and those that wait behind what fails again and again. */
const WINDOW = 2_048;
const MAX_STUCK = 8_192;
/** No more is read into memory while so much of it is there, characters. */
const MAX_CHARACTERS = 8 * 2 ** 20;
/** Read at a time. */
const PART = 256;
/** Messages that are on their way at the same time. [HOOK-3] */
const SIDE_BY_SIDE = 64;
/** How long to wait until a message is tried again, ms: at first, and at most. [HOOK-5] */
const RETRY_MS = 250;
const GROWTH = 1.6;
const MAX_RETRY_MS = 5 * 60_000;
/** After so many failures in a row the receiver counts as down: one message is tried at a time, at these intervals, ms. */
const DOWN_AFTER = 16;
const PROBE_MS = 250;
const MAX_PROBE_MS = 5_000;
/** Older messages are dropped, ms. [HOOK-5] */
const MAX_AGE_MS = 3 * 24 * 60 * 60_000;

interface Queued extends Message {
  readonly number: number;
  /** How long its text is, characters. */
  readonly length: number;
}

export interface ReceiverCounts {
  /** Messages that wait, about: those that were dropped or taken out of turn may count for a while. */
  readonly waiting: number;
  /** Characters of text that wait. */
  readonly waitingBytes: number;
  /** How old the oldest message is that is in memory, ms; 0: none waits. */
  readonly oldestMs: number;
  readonly taken: number;
  /** Attempts that failed. */
  readonly failed: number;
  /** Messages that were given up: too old, or too many waited. */
  readonly dropped: number;
  readonly isDown: boolean;
}

export interface ReceiverSetup {
  readonly url: string;
  readonly outbox: Outbox;
  readonly clock: Clock;
  /** How long the receiver may take to answer, ms. */
  readonly timeoutMs: number;
  /** How much text may wait, in characters. */
  readonly maxWaiting: number;
  /** Told when the receiver takes nothing any more, when messages are dropped, and when the outbox fails. */
  readonly onError: (error: Error) => void;
}

export class Receiver {
  /** What its queue is called. */
  readonly id: string;
  /** What it is called in a log: without what may be a secret in its address. */
  readonly name: string;
  readonly #setup: ReceiverSetup;
  readonly #lanes = new Lanes<Queued>();
  readonly #stopping = new AbortController();
  #sign: Sign | null = null;
  /** Visits of which the receiver was not told the last beginning or end: it is not to be told the next either. [HOOK-10] */
  readonly #untold = new Set<string>();
  /** The number of the newest message, and up to where the queue was read into memory. */
  #newest = 0;
  #readUpTo = 0;
  #numbered = 0;
  #waiting = 0;
  #waitingBytes = 0;
  #running = 0;
  #failuresInRow = 0;
  #notBefore = -Infinity;
  #isFilling = false;
  #hasDropped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #onIdle: (() => void) | undefined;
  readonly #counts = { taken: 0, failed: 0, dropped: 0 };

  constructor(setup: ReceiverSetup) {
    this.#setup = setup;
    this.id = createHash("sha256").update(setup.url).digest("hex").slice(0, 16);
    this.name = new URL(setup.url).host;
    // each attempt listens to it
    setMaxListeners(SIDE_BY_SIDE + 1, this.#stopping.signal);
  }

  get counts(): ReceiverCounts {
    const oldest = this.#lanes.oldest;
    return {
      ...this.#counts,
      waiting: this.#waiting,
      waitingBytes: this.#waitingBytes,
      oldestMs: oldest === undefined ? 0 : Math.max(0, this.#setup.clock.wall() - oldest.at),
      isDown: this.#isDown,
    };
  }

  /** Finds out what waits from before, and begins. @param untold visits whose next message is not for this receiver */
  async start(sign: Sign, untold: Iterable<string>): Promise<void> {
    for (const visit of untold) this.#untold.add(visit);
    for (;;) {
      const part = await this.#setup.outbox.messages(this.id, this.#newest, PART);
      for (const { number, text } of part) {
        this.#newest = number;
        this.#waiting++;
        this.#waitingBytes += text.length;
      }
      if (part.length < PART) break;
    }
    this.#numbered = Math.max(this.#numbered, this.#newest);
    this.#sign = sign;
    this.#pump();
  }

  /** Gives messages their places in the queue. They are written by the caller, who then says so (`queued`). */
  number(messages: readonly Message[]): readonly OutboxChange[] {
    return messages.map((message) => ({
      type: "queue",
      receiver: this.id,
      number: ++this.#numbered,
      text: JSON.stringify(message),
    }));
  }

  /** Changes were written, those to this queue among them, in the order of their numbers. */
  queued(changes: readonly OutboxChange[]): void {
    for (const change of changes) {
      if (change.type !== "queue" || change.receiver !== this.id) continue;
      this.#newest = change.number;
      this.#waiting++;
      this.#waitingBytes += change.text.length;
    }
    this.#pump();
  }

  /** Resolves when nothing waits any more, or the receiver is down. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      this.#pump();
    });
  }

  /** Tries no more. What is on its way is broken off: it comes again, with the same id, after the next start. */
  close(): void {
    clearTimeout(this.#timer);
    this.#stopping.abort();
  }

  get #isDown(): boolean {
    return this.#failuresInRow >= DOWN_AFTER;
  }

  get #isFull(): boolean {
    return this.#waitingBytes > this.#setup.maxWaiting;
  }

  /** Sends what may be sent now, and comes back when more may. */
  #pump(): void {
    clearTimeout(this.#timer);
    const sign = this.#sign;
    if (sign === null || this.#stopping.signal.aborted) return;
    void this.#fill();
    const now = this.#setup.clock.now();
    if (this.#isFull) this.#lanes.wake();
    const limit = this.#isDown && !this.#isFull ? 1 : SIDE_BY_SIDE;
    while (this.#running < limit) {
      if (now < this.#notBefore && !this.#isFull) break;
      const message = this.#isDown ? this.#lanes.nextAtAll(now) : this.#lanes.next(now);
      if (message === null) break;
      this.#running++;
      void this.#send(message, sign);
    }
    const waitMs = this.#lanes.waitMs(now);
    if (waitMs !== null && this.#running < limit) {
      this.#timer = setTimeout(() => this.#pump(), Math.max(this.#notBefore - now, this.#isDown ? 0 : waitMs, 1));
    }
    const isDone = this.#lanes.size === 0 && this.#readUpTo >= this.#newest;
    if (isDone || this.#isDown) this.#onIdle?.();
  }

  /** [HOOK-19] What a receiver refuses of some users keeps nothing from it of all others. */
  get #hasRoom(): boolean {
    const { size, stuck, characters } = this.#lanes;
    return size - stuck < WINDOW && stuck < MAX_STUCK && characters < MAX_CHARACTERS;
  }

  /** Reads more of the queue into memory, where there is room. */
  async #fill(): Promise<void> {
    if (this.#isFilling || this.#readUpTo >= this.#newest || !this.#hasRoom) return;
    this.#isFilling = true;
    try {
      const { outbox } = this.#setup;
      for (const { number, text } of await outbox.messages(this.id, this.#readUpTo, PART)) {
        this.#readUpTo = number;
        this.#lanes.add({ ...(JSON.parse(text) as Message), number, length: text.length });
      }
    } catch (error) {
      this.#fail("the outbox cannot be read", error);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    } finally {
      this.#isFilling = false;
    }
    this.#pump();
  }

  async #send(message: Queued, sign: Sign): Promise<void> {
    await this.#give(message, sign);
    this.#running--;
    this.#pump();
  }

  async #give(message: Queued, sign: Sign): Promise<void> {
    const { url, timeoutMs, clock } = this.#setup;
    if (message.visit !== null && this.#untold.has(message.visit)) return this.#done(message, "skipped");
    if (this.#isFull || clock.wall() - message.at > MAX_AGE_MS) return this.#drop(message);
    const signal = this.#stopping.signal;
    const outcome = await attempt(url, sign, message, { timeoutMs, signal, now: clock.wall() });
    if (outcome.type === "taken") return this.#taken(message);
    if (signal.aborted) return;
    this.#counts.failed++;
    const now = clock.now();
    this.#lanes.failed(message, now, this.#isDown, (failures) => backOff(RETRY_MS, MAX_RETRY_MS, failures));
    this.#failuresInRow++;
    if (this.#failuresInRow === DOWN_AFTER) this.#fail(`takes no webhooks: ${outcome.reason}`);
    const probeMs = this.#isDown ? backOff(PROBE_MS, MAX_PROBE_MS, this.#failuresInRow - DOWN_AFTER + 1) : 0;
    this.#notBefore = now + Math.max(probeMs, outcome.waitMs);
  }

  #taken(message: Queued): Promise<void> {
    this.#counts.taken++;
    this.#hasDropped = false;
    this.#notBefore = -Infinity;
    // it is back: what waits longer than it has to goes now
    if (this.#isDown) this.#lanes.hurry();
    this.#failuresInRow = 0;
    return this.#done(message, "told");
  }

  #drop(message: Queued): Promise<void> {
    this.#counts.dropped++;
    if (!this.#hasDropped) {
      this.#fail(
        this.#isFull ? "too many webhooks wait: the oldest are dropped" : "webhooks of three days ago are dropped",
      );
    }
    this.#hasDropped = true;
    return this.#done(message, "dropped");
  }

  /** A message leaves the queue. Of a visit whose beginning was dropped the end is skipped, and the other way round. */
  async #done(message: Queued, how: "told" | "dropped" | "skipped"): Promise<void> {
    const { number, visit, length } = message;
    const changes: OutboxChange[] = [{ type: "remove", receiver: this.id, number }];
    if (visit !== null && how !== "told" && message.type !== "user.updated") {
      if (how === "dropped") this.#untold.add(visit);
      else this.#untold.delete(visit);
      changes.push({ type: "note", name: untoldNote(this.id, visit), text: how === "dropped" ? "" : null });
    }
    try {
      await this.#setup.outbox.write(changes);
    } catch (error) {
      this.#fail("the outbox cannot be written", error);
    }
    this.#waiting--;
    this.#waitingBytes -= length;
    this.#lanes.taken(message);
  }

  #fail(what: string, cause?: unknown): void {
    this.#setup.onError(new Error(`the receiver ${this.name}: ${what}`, { cause }));
  }
}

/** What says that a receiver is not to be told the next beginning or end of a visit. */
export function untoldNote(receiver: string, visit: string): string {
  return `untold/${receiver}/${visit}`;
}

/** Grows with each failure; at random between a half and the whole of it, so that not all come back at once. */
function backOff(firstMs: number, mostMs: number, failures: number): number {
  return Math.min(mostMs, firstMs * GROWTH ** (failures - 1)) * (1 - Math.random() / 2);
}
