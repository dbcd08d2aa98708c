/** What one link says, message by message, in turns with all others. */
import { Backlog, type Message } from "../flow/backlog.ts";
import { expectedMs } from "../flow/costs.ts";
import { Unfinished } from "../flow/unfinished.ts";
import type { Meter } from "../flow/meter.ts";
import type { ServerSocket } from "../ports/socket.ts";
import type { LinkHandler } from "./link-handler.ts";

/** When acting on what one link says has taken this long without a break, all others are heard first, ms. One message is never interrupted. */
const TURN_MS = 10;
/** Reading bytes, and letting somebody in, mostly take less: then nobody is charged for it, ms. */
export const WORTH_MS = 0.2;

export abstract class Inbox {
  protected readonly socket: ServerSocket;
  protected readonly handler: LinkHandler;
  protected readonly meter: Meter;
  readonly unfinished: Unfinished;
  /** Since when it is read what came in, and how much of that was acting on whole messages, ms. */
  #readSince = Infinity;
  #actingMs = 0;
  /** Messages that wait for the next turn, since this one has taken long; null: none has to. */
  #backlog: Backlog | null = null;
  /** The socket is gone, with this code, while what came over it has still to be acted on. */
  #endedWith: number | null = null;

  constructor(socket: ServerSocket, handler: LinkHandler, meter: Meter) {
    this.socket = socket;
    this.handler = handler;
    this.meter = meter;
    this.unfinished = new Unfinished(handler.unfinishedData);
  }

  protected abstract readonly isOpen: boolean;
  /** Bytes of messages that come in pieces, and are not whole yet. */
  protected abstract readonly inPieces: number;
  protected abstract act(data: Uint8Array, isBinary: boolean): void;
  /** Charges it, and closes it if that was too much. */
  protected abstract took(elapsedMs: number, now: number): void;
  /** The link is over, and nothing that it said waits any more. */
  protected abstract end(code: number): void;

  /** Whether something that it said waits, and nothing more is read. */
  protected get isPaused(): boolean {
    return this.#backlog !== null;
  }

  message(data: Uint8Array, isBinary: boolean): void {
    this.unfinished.whole();
    if (!this.isOpen) return;
    if (this.#backlog !== null) return this.#backlog.push({ data, isBinary });
    // others are to be heard first [COST-8]
    const { turns } = this.handler;
    if (!turns.isFree && turns.isTaken(this.#expectedMs(data.length))) return this.#wait({ data, isBinary });
    this.act(data, isBinary);
    this.#yield();
  }

  reading(bytes = 0): void {
    this.unfinished.came(bytes);
    this.#readSince = this.handler.clock.now();
    this.#actingMs = 0;
    this.handler.tariff.processor.begin(this.#readSince);
  }

  read(): void {
    const now = this.handler.clock.now();
    const restMs = now - this.#readSince - this.#actingMs;
    if (restMs >= WORTH_MS) this.took(restMs, now);
    if (this.isOpen && this.unfinished.count(this.inPieces)) this.handler.unfinishedIsOver();
  }

  /** Acts on all that had to wait, since nothing comes after it: at once, unless others wait for their turn. */
  ended(code: number): void {
    if (!this.isOpen) return;
    this.#endedWith ??= code;
    if (this.handler.turns.isTaken()) return this.#wait();
    this.#backlog?.stop();
    this.#backlog ??= new Backlog(this.handler.turns);
    this.#goOn();
  }

  /** Acting on a message took so long. */
  protected acted(elapsedMs: number): void {
    this.handler.turns.used(elapsedMs);
    this.#actingMs += elapsedMs;
  }

  /** Nothing that it said is acted on any more. */
  protected dropBacklog(): void {
    this.#backlog?.stop();
    this.#backlog = null;
  }

  /** Others are not to wait for one who has a lot to say: what is left of it takes its turn after theirs. [COST-6] */
  #yield(): void {
    if (!this.isOpen || this.handler.clock.now() - this.#readSince < TURN_MS) return;
    this.#wait();
  }

  #wait(message?: Message): void {
    const backlog = (this.#backlog ??= new Backlog(this.handler.turns));
    if (message !== undefined) backlog.push(message);
    this.socket.pause();
    backlog.wait(this.#expectedMs(backlog.first?.data.length ?? 0), () => this.#goOn());
  }

  /** About how long it takes to act on a message, by its size and by what the connection has taken of late. */
  #expectedMs(bytes: number): number {
    return expectedMs(bytes, this.meter.ofLate(this.handler.clock.now()));
  }

  /** Acts on what had to wait, for as long as one may in a turn. */
  #goOn(): void {
    this.reading();
    while (this.#backlog?.isWaiting === false) {
      const next = this.#backlog.shift();
      if (next === undefined) {
        this.#backlog = null;
        if (this.#endedWith !== null) this.end(this.#endedWith);
        else this.socket.resume();
        return;
      }
      this.act(next.data, next.isBinary);
      this.#yield();
    }
  }
}
