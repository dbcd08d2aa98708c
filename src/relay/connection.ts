/**
 * One WebSocket: frames in and out, and the signs of life.
 */
import {
  Close,
  type Frame,
  FrameError,
  KEEP_ALIVE_FRAME,
  PATCH_SUBPROTOCOL,
  SUBPROTOCOL,
  StateTooLargeError,
  controlFrame,
  decodeFrame,
  isAwareness,
} from "../wire/index.ts";
import type { RoomAccess } from "./access/grants.ts";
import { type Liveness, aliveAt, nextStep, openedAt } from "./liveness.ts";
import type { RelaySettings } from "./options.ts";
import { UpdateRefusedError } from "./documents/index.ts";
import { Packet } from "./packet.ts";
import type { Peer } from "./peer.ts";
import { truncate } from "./reason.ts";
import { Spending } from "./spending.ts";
import { LobbyFullError } from "./table.ts";

export interface ConnectionHandler {
  /** Throws `FrameError` when the frame breaks the protocol. */
  frame(connection: Connection, frame: Frame, now: number): void;
  /** Its page fell silent, or spoke again. */
  silence(connection: Connection): void;
  /** It has read all that it was sent, after it lagged. */
  drained(connection: Connection): void;
  /** It is over; called once. */
  closed(connection: Connection, code: number, now: number): void;
}

/** A stock client reconnects when it hears nothing for 30 s; pings do not count. */
const KEEP_ALIVE_MS = 20_000;
/**
 * A page renews its state every 15 s, and every minute when its timers are throttled. One that does not is frozen: its
 * network answers, but nobody is there.
 */
const SILENT_MS = 75_000;
/**
 * How much may be sent to a page before it says that it reads. A frozen one reads nothing, and its browser no more than
 * 128 KiB for it: past that the pings would wait behind what nobody reads, and the page be taken for dead.
 */
const WINDOW_BYTES = 96 * 1024;

/** Over a slow line a longer message takes so long that the client had better know of it. */
const LONG_BYTES = 64 * 1024;

const KEEP_ALIVE = new Packet(KEEP_ALIVE_FRAME);
const LONG = new Packet(controlFrame({ kind: "long" }));

/** What a WebSocket tells of. */
export interface SocketEvents {
  message(data: Uint8Array, isBinary: boolean): void;
  /** A ping or a pong came. */
  sign(): void;
  /** What waited for the other end to make room has left. */
  drain(): void;
  /** It is over, with this close code. */
  ended(code: number): void;
}

/** What is needed of a WebSocket. */
export interface ServerSocket {
  readonly protocol: string;
  /** Bytes that were sent and wait for the other end to make room. */
  readonly bufferedAmount: number;
  /** Bytes that have come in, be it part of a message. */
  readonly received: number;
  /** Bytes that have left. */
  readonly left: number;
  send(packet: Packet): void;
  ping(): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  /** Says who is told from now on. */
  tell(events: SocketEvents): void;
}

export class Connection implements Peer, SocketEvents {
  readonly trusts: boolean;
  readonly patches: boolean;
  access: RoomAccess;
  answers: boolean;
  readonly #socket: ServerSocket;
  readonly #options: RelaySettings;
  readonly #handler: ConnectionHandler;
  /** What it has said of late; null: nothing that counts. */
  #spending: Spending | null = null;
  #liveness: Liveness;
  #sentAt: number;
  #spokeAt: number;
  /** Bytes that were sent since it last spoke; and of them those that a stock client says back. */
  #unanswered = 0;
  #unechoed = 0;
  /** What had come in and left when it was last looked at; the latter only while more was to leave. */
  #received = 0;
  #left = Infinity;
  #silent = false;
  #open = true;

  constructor(socket: ServerSocket, access: RoomAccess, options: RelaySettings, handler: ConnectionHandler) {
    const now = Date.now();
    this.patches = socket.protocol === PATCH_SUBPROTOCOL;
    this.answers = this.trusts = this.patches || socket.protocol === SUBPROTOCOL;
    this.access = access;
    this.#socket = socket;
    this.#options = options;
    this.#handler = handler;
    this.#liveness = openedAt(now, Math.random(), options);
    this.#sentAt = now;
    this.#spokeAt = now;
    socket.tell(this);
  }

  get silent(): boolean {
    return this.#silent;
  }

  get lagging(): boolean {
    if (this.#socket.bufferedAmount > this.#options.maxLag) return true;
    if (this.#silent || (this.trusts && this.answers)) return this.#unanswered > WINDOW_BYTES;
    return this.answers && this.#unechoed > WINDOW_BYTES;
  }

  get lastSeen(): number {
    return this.#liveness.lastSeen;
  }

  send(packet: Packet): void {
    if (!this.#open) return;
    if (this.#socket.bufferedAmount > this.#options.maxBuffered) {
      // not in the midst of what made it send
      return queueMicrotask(() => this.close(Close.tooSlow, "too slow"));
    }
    this.#sentAt = Date.now();
    this.#unanswered += packet.message.length;
    if (isAwareness(packet.message)) this.#unechoed += packet.message.length;
    if (this.trusts && packet.message.length > LONG_BYTES) this.#socket.send(LONG);
    this.#socket.send(packet);
  }

  close(code: number, reason: string): void {
    if (!this.#open) return;
    this.ended(code);
    if (code === Close.tooSlow || code === Close.timedOut) {
      // nobody reads the other end: what is queued for it would only be kept
      this.#socket.close(code, reason);
      this.#socket.terminate();
    } else {
      this.#socket.close(code, truncate(reason));
    }
  }

  /** Cuts the connection without a word. */
  terminate(): void {
    this.ended(1006);
    this.#socket.terminate();
  }

  /** @param within ms until the next sweep */
  sweep(now: number, within: number): void {
    const { expiresAt } = this.access;
    if (expiresAt !== null && now > expiresAt + this.#options.clockTolerance) {
      return this.close(Close.tokenExpired, "the token has expired");
    }
    // what a socket has carried takes long to ask, of thousands
    if (this.#liveness.pingedAt !== null && this.#isTransferring()) this.#alive(now);
    switch (nextStep(this.#liveness, now, within, this.#options)) {
      case "wait":
        break;
      case "ping":
        this.#liveness = { ...this.#liveness, pingedAt: now };
        this.#isTransferring();
        this.#socket.ping();
        break;
      case "dead":
        return this.close(Close.timedOut, "no sign of life");
    }
    if (!this.#silent && now - this.#spokeAt >= SILENT_MS) this.#setSilent(true);
    if (!this.trusts && now - this.#sentAt >= KEEP_ALIVE_MS) this.send(KEEP_ALIVE);
    // thousands say nothing for long: what would be full is not kept
    if (this.#spending?.isOver(now) === true) this.#spending = null;
  }

  /**
   * A long message is under way, and no pong overtakes it. What leaves proves something only if it had to wait: until the
   * buffers on the way are full, it leaves whether or not anybody is there.
   */
  #isTransferring(): boolean {
    const { received, left, bufferedAmount } = this.#socket;
    const isTransferring = received > this.#received || left > this.#left;
    this.#received = received;
    this.#left = bufferedAmount > 0 ? left : Infinity;
    return isTransferring;
  }

  message(data: Uint8Array, isBinary: boolean): void {
    if (!this.#open) return;
    const now = Date.now();
    this.#spending ??= new Spending(this.#options, now);
    if (!this.#spending.says(data.length, now)) {
      return this.close(Close.tooManyMessages, "too many messages");
    }
    this.#alive(now);
    this.#spokeAt = now;
    if (this.#silent) this.#setSilent(false);
    this.#unanswered = this.#unechoed = 0;
    this.drain();
    if (!isBinary) return this.close(Close.malformed, "text frame: messages are binary");
    try {
      // a plain view: a Buffer's slice would not copy
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
      const frame = decodeFrame(bytes);
      if (!isQuestion(frame)) return this.#handler.frame(this, frame, now);
      // a few bytes ask for the whole document, or the whole room: it is the answers that count
      if (!this.#spending.mayAsk(now)) return this.close(Close.tooManyMessages, "too many questions");
      this.#handler.frame(this, frame, now);
      this.#spending.wasAnswered(this.#unanswered, now);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.close(codeOf(error), error.message);
    }
  }

  sign(): void {
    this.#alive(Date.now());
  }

  drain(): void {
    if (this.#open && !this.lagging) this.#handler.drained(this);
  }

  #setSilent(silent: boolean): void {
    this.#silent = silent;
    this.#handler.silence(this);
  }

  #alive(now: number): void {
    this.#liveness = aliveAt(now, this.#options);
  }

  ended(code: number): void {
    if (!this.#open) return;
    this.#open = false;
    this.#handler.closed(this, code, Date.now());
  }
}

function isQuestion({ type }: Frame): boolean {
  return type === "syncStep1" || type === "queryAwareness";
}

function codeOf(error: FrameError): number {
  if (error instanceof UpdateRefusedError) return error.code;
  if (error instanceof LobbyFullError) return Close.overloaded;
  return error instanceof StateTooLargeError ? Close.tooLarge : Close.malformed;
}
