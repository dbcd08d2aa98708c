/** The messages of one link, acted on one by one, in turns with those of all other links. */
import { Backlog, type Message } from "../flow/backlog.ts";
import { expectedMs } from "../flow/costs.ts";
import { Unfinished } from "../flow/unfinished.ts";
import type { Meter } from "../flow/meter.ts";
import type { ServerSocket } from "../ports/socket.ts";
import type { LinkHandler } from "./link-handler.ts";

/** When acting on what one link says has taken this long without a break, all others are heard first, ms. One message is never interrupted. */
const TURN_MS = 10;
/** To read bytes, or to let a client in, mostly takes less than this, and then nobody is charged for it, ms. */
export const WORTH_MS = 0.2;

export abstract class Inbox {
  protected readonly socket: ServerSocket;
  protected readonly handler: LinkHandler;
  protected readonly meter: Meter;
  readonly unfinished: Unfinished;
  /** When the relay began to read what came in last, and how much of the time since went into acting on whole messages, ms. */
  #readSince = Infinity;
  #actingMs = 0;
  /** Messages that wait for the next turn, since this one has taken long; null: none waits. */
  #backlog: Backlog | null = null;
  /** The code with which the socket has gone, while messages that came over it still wait; null: it is there. */
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
  /** Charges the link with so much time, and closes it if that was too much. */
  protected abstract took(elapsedMs: number, now: number): void;
  /** The link is over, and none of its messages waits any more. */
  protected abstract end(code: number): void;

  /** Whether messages of the link wait, and nothing more is read from its socket. */
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

  /** The socket is gone: acts on the messages that wait, at once or, where other links wait for their turn, later. */
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

  /** Messages that wait are not acted on any more. */
  protected dropBacklog(): void {
    this.#backlog?.stop();
    this.#backlog = null;
  }

  /** Ends the turn of this link when it has taken long: the messages that are left wait until others have been heard. [COST-6] */
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

  /** About how long it takes to act on a message, by its size and by how much time the link has taken of late. */
  #expectedMs(bytes: number): number {
    return expectedMs(bytes, this.meter.ofLate(this.handler.clock.now()));
  }

  /** Acts on messages that waited, for as long as a turn may take. */
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
