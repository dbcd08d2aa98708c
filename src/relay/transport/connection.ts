/**
 * One WebSocket: frames in and out, and the signs of life.
 */
import {
  Close,
  type Frame,
  FrameError,
  KEEP_ALIVE_FRAME,
  PATCH_SUBPROTOCOL,
  controlFrame,
  decodeFrame,
  isAwareness,
} from "../../wire/index.ts";
import type { RoomAccess } from "../access/grants.ts";
import { type Liveness, afterStall, aliveAt, nextStep, openedAt } from "./liveness.ts";
import type { RelaySettings } from "../options.ts";
import { Packet } from "../packet.ts";
import type { Kind } from "../../awareness/index.ts";
import type { Member } from "../ports/member.ts";
import type { ServerSocket, SocketEvents } from "../ports/socket.ts";
import { Backlog, type Message } from "./backlog.ts";
import type { ConnectionHandler } from "./connection-handler.ts";
import { truncate } from "./reason.ts";
import { expectedMs, isLargeUpdate, questionIn } from "./costs.ts";
import { Spending } from "./spending.ts";
import { Transfer } from "./transfer.ts";
import type { Debtor } from "./unsent.ts";
import { Work } from "./work.ts";

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

/** So long may what one connection says keep the relay from all others without a break, ms: but one message is one. */
const TURN_MS = 10;

/** The part that counts of the time that it took to hand on what was said: most of it is due to how many others listen. */
const FAN_OUT_PART = 1 / 4;

/** To let somebody in, and to read bytes, mostly takes less: then it is charged to nobody, ms. */
const WORTH_MS = 0.2;

/** Over a slow line a longer message takes so long that the client had better know of it. */
const LONG_BYTES = 64 * 1024;

const KEEP_ALIVE = new Packet(KEEP_ALIVE_FRAME);
const LONG = new Packet(controlFrame({ kind: "long" }));

/** Most connections hold nothing that is large, and a set of their own would take memory: nobody adds to this one. */
const NONE_HELD: Set<Packet> = new Set();

export class Connection implements Member, SocketEvents, Debtor {
  readonly kind: Kind;
  readonly address: string;
  access: RoomAccess;
  answers: boolean;
  /** Who pays for the time that it takes: its user, else its address. */
  readonly #payer: string;
  readonly #socket: ServerSocket;
  readonly #options: RelaySettings;
  readonly #handler: ConnectionHandler;
  /** What it has said of late; null: nothing that counts. */
  #spending: Spending | null = null;
  #liveness: Liveness;
  /** When a stock client was last sent anything. */
  #sentAt: number;
  #spokeAt: number;
  /** Bytes that were sent since it last spoke; and of them those that a stock client says back. */
  #unanswered = 0;
  #unechoed = 0;
  readonly #transfer = new Transfer();
  /** What waits for it alone, as it was counted last; and what waits for others as well. */
  #owed = 0;
  #owedShared = 0;
  #held: Set<Packet> = NONE_HELD;
  /** Since when it is read what came in, and how much of that was acting on whole messages, ms. */
  #readSince = Infinity;
  #actingMs = 0;
  /** Messages that wait for the next turn, since this one has taken long; null: none has to. */
  #backlog: Backlog | null = null;
  /** The socket is gone, with this code, while what came over it has still to be acted on. */
  #endedWith: number | null = null;
  /** It has asked for these once: the first answers are what every newcomer is told. */
  #asked = 0;
  #silent = false;
  #open = true;

  /** @param address where it comes from: it pays for what it takes when nobody knows who it is */
  constructor(
    socket: ServerSocket,
    access: RoomAccess,
    address: string,
    options: RelaySettings,
    handler: ConnectionHandler,
  ) {
    const now = handler.clock.now();
    this.kind = socket.protocol === PATCH_SUBPROTOCOL ? "native" : "stock";
    this.answers = this.kind === "native";
    this.access = access;
    this.address = address;
    this.#payer = access.user?.id ?? address;
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
    if (this.#silent || (this.kind === "native" && this.answers)) return this.#unanswered > WINDOW_BYTES;
    return this.answers && this.#unechoed > WINDOW_BYTES;
  }

  get lastSeen(): number {
    return this.#liveness.lastSeen;
  }

  send(packet: Packet): void {
    if (!this.#open) return;
    if (this.#socket.bufferedAmount > this.#options.maxBuffered) {
      // not in the midst of what made it send
      return queueMicrotask(() => this.giveUp());
    }
    if (this.kind === "stock") this.#sentAt = this.#handler.clock.now();
    this.#unanswered += packet.message.length;
    if (isAwareness(packet.message)) this.#unechoed += packet.message.length;
    if (this.kind === "native" && packet.message.length > LONG_BYTES) this.#socket.send(LONG);
    if (this.#socket.keepsPackets && this.#handler.unsent.isShared(packet) && !this.#held.has(packet))
      this.#sendShared(packet);
    else this.#socket.send(packet);
    this.recount();
    if (this.#handler.unsent.isOver) this.#handler.unsentIsOver();
  }

  #sendShared(packet: Packet): void {
    this.#handler.unsent.hold(packet);
    this.#owedShared += packet.message.length;
    if (this.#held === NONE_HELD) this.#held = new Set();
    this.#held.add(packet);
    this.#socket.send(packet, () => this.#letGo(packet));
  }

  #letGo(packet: Packet): void {
    if (!this.#held.delete(packet)) return;
    this.#handler.unsent.release(packet);
    this.#owedShared -= packet.message.length;
  }

  get unsent(): number {
    return this.#owed + this.#owedShared;
  }

  recount(): void {
    const owed = this.#open ? Math.max(0, this.#socket.bufferedAmount - this.#owedShared) : 0;
    if (owed === this.#owed) return;
    this.#handler.unsent.changed(owed - this.#owed);
    this.#owed = owed;
  }

  giveUp(): void {
    this.close(Close.tooSlow, "too slow");
  }

  close(code: number, reason: string): void {
    if (!this.#open) return;
    const isPaused = this.#backlog !== null;
    this.#end(code);
    if (code === Close.tooSlow || code === Close.timedOut) {
      // nobody reads the other end: what is queued for it would only be kept
      this.#socket.close(code, reason);
      this.#socket.terminate();
    } else {
      this.#socket.close(code, truncate(reason));
      // [COST-5] what it still says would be read for as long as it takes its time to answer
      if (code === Close.tooManyMessages) this.#socket.pause();
      else if (isPaused) this.#socket.resume();
    }
  }

  /** Cuts the connection without a word. */
  terminate(): void {
    this.#end(1006);
    this.#socket.terminate();
  }

  /**
   * @param within ms until the next sweep
   * @param stalledMs how long the relay itself has not run before this one
   */
  sweep(now: number, within: number, stalledMs = 0): void {
    if (stalledMs > 0) this.#liveness = afterStall(this.#liveness, stalledMs);
    const { expiresAt } = this.access;
    // [TIME-2] whoever signed the token dated its end by a wall clock
    if (expiresAt !== null && this.#handler.clock.wall() > expiresAt + this.#options.clockTolerance) {
      return this.close(Close.tokenExpired, "the token has expired");
    }
    // what a socket has carried takes long to ask, of thousands
    if (this.#liveness.pingedAt !== null && this.#transfer.goesOn(this.#socket)) this.#alive(now);
    switch (nextStep(this.#liveness, now, within, this.#options)) {
      case "wait":
        break;
      case "ping":
        this.#liveness = { ...this.#liveness, pingedAt: now };
        this.#transfer.goesOn(this.#socket);
        this.#socket.ping();
        break;
      case "dead":
        return this.close(Close.timedOut, "no sign of life");
    }
    if (!this.#silent && now - this.#spokeAt >= SILENT_MS) this.#setSilent(true);
    if (this.kind === "stock" && now - this.#sentAt >= KEEP_ALIVE_MS) this.send(KEEP_ALIVE);
    // thousands say nothing for long: what would be full is not kept
    if (this.#spending?.isOver(now) === true) this.#spending = null;
  }

  message(data: Uint8Array, isBinary: boolean): void {
    if (!this.#open) return;
    if (this.#backlog !== null) return this.#backlog.push({ data, isBinary });
    // [COST-8]
    if (this.#handler.turns.isTaken(this.#expectedMs(data.length))) return this.#wait({ data, isBinary });
    this.#act(data, isBinary);
    this.#yield();
  }

  /** Others are not to wait for one who has a lot to say: what is left of it takes its turn after theirs. [COST-6] */
  #yield(): void {
    if (!this.#open || this.#handler.clock.now() - this.#readSince < TURN_MS) return;
    this.#wait();
  }

  #wait(message?: Message): void {
    const backlog = (this.#backlog ??= new Backlog(this.#handler.turns));
    if (message !== undefined) backlog.push(message);
    this.#socket.pause();
    backlog.wait(this.#expectedMs(backlog.first?.data.length ?? 0), () => this.#goOn());
  }

  /** About how long it takes to act on a message, by its size and by what the connection has taken of late. */
  #expectedMs(bytes: number): number {
    return expectedMs(bytes, this.#spending?.work.ofLate(this.#handler.clock.now()) ?? 0);
  }

  /** Acts on what had to wait, for as long as one may in a turn. */
  #goOn(): void {
    this.reading();
    while (this.#backlog?.isWaiting === false) {
      const next = this.#backlog.shift();
      if (next === undefined) {
        this.#backlog = null;
        if (this.#endedWith !== null) this.#end(this.#endedWith);
        else this.#socket.resume();
        return;
      }
      this.#act(next.data, next.isBinary);
      this.#yield();
    }
  }

  #act(data: Uint8Array, isBinary: boolean): void {
    const now = this.#handler.clock.now();
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
    const fanOutMs = this.#handler.fanOutMs;
    let refusal: FrameError | null = null;
    try {
      // a plain view: a Buffer's slice would not copy
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
      const frame = decodeFrame(bytes);
      if (isLargeUpdate(frame) && this.#handler.time.isFarOver(this.#payer, now)) {
        return this.close(Close.tooManyMessages, "too much work");
      }
      const question = questionIn(frame);
      if (question === 0) this.#handler.frame(this, frame, now);
      else this.#answer(question, frame, now);
    } catch (error) {
      if (error instanceof FrameError) refusal = error;
      else this.#fail(error);
    }
    const endedAt = this.#handler.clock.now();
    const elapsedMs = endedAt - now;
    this.#handler.turns.used(elapsedMs);
    this.#actingMs += elapsedMs;
    // before it is closed: who pays for it may come back, and say the same again [COST-2]
    const mayGoOn = this.#charge(elapsedMs, endedAt, this.#handler.fanOutMs - fanOutMs);
    if (refusal !== null) this.close(refusal.code, refusal.message);
    else if (!mayGoOn) this.close(Close.tooManyMessages, "too much work");
  }

  /** [WIRE-10] What nobody has foreseen ends the connection that brought it about, and no more. */
  #fail(error: unknown): void {
    this.close(Close.internal, "the relay failed to act on this message");
    this.#handler.failed(error);
  }

  /** A few bytes ask for the whole document, or the whole room: it is the answers that count. [LIMIT-1] [COST-4] */
  #answer(question: number, frame: Frame, now: number): void {
    const isFirst = (this.#asked & question) === 0;
    this.#asked |= question;
    this.#spending ??= new Spending(this.#options, now);
    if (!isFirst && !this.#spending.mayAsk(now)) return this.close(Close.tooManyMessages, "too many questions");
    const before = this.#unanswered;
    this.#handler.frame(this, frame, now);
    if (!isFirst) this.#spending.wasAnswered(this.#unanswered - before, now);
  }

  /** Charges it with what it took to let it in. [COST-1] */
  joined(elapsedMs: number, now: number): void {
    if (elapsedMs >= WORTH_MS) this.#took(elapsedMs, now);
  }

  /** Charges it, and closes it if that was too much. */
  #took(elapsedMs: number, now: number): void {
    if (!this.#charge(elapsedMs, now)) this.close(Close.tooManyMessages, "too much work");
  }

  /**
   * Charges it with what something took. Returns whether it may go on.
   *
   * @param fanOutMs how much of that it took to hand on to others what was said
   */
  #charge(elapsedMs: number, now: number, fanOutMs = 0): boolean {
    if (!this.#open || elapsedMs <= 0) return true;
    this.#spending ??= new Spending(this.#options, now);
    const { processor, time } = this.#handler;
    const counted = 1 - (1 - FAN_OUT_PART) * (fanOutMs / elapsedMs);
    const ms = processor.taken(elapsedMs, now) * counted;
    return time.charge(this.#spending.work, this.#payer, ms, now);
  }

  sign(): void {
    if (!this.#open) return;
    const now = this.#handler.clock.now();
    // [COST-5] those that it was not asked for are messages like any other
    if (this.#liveness.pingedAt === null) {
      this.#spending ??= new Spending(this.#options, now);
      if (!this.#spending.says(0, now)) return this.close(Close.tooManyMessages, "too many messages");
    }
    this.#alive(now);
  }

  reading(): void {
    this.#readSince = this.#handler.clock.now();
    this.#actingMs = 0;
    this.#handler.processor.begin(this.#readSince);
  }

  read(): void {
    const now = this.#handler.clock.now();
    const restMs = now - this.#readSince - this.#actingMs;
    if (restMs >= WORTH_MS) this.#took(restMs, now);
  }

  drain(): void {
    this.recount();
    if (this.#open && !this.lagging) this.#handler.drained(this);
  }

  #setSilent(silent: boolean): void {
    this.#silent = silent;
    this.#handler.silence(this);
  }

  #alive(now: number): void {
    this.#liveness = aliveAt(now, this.#options);
  }

  /** Acts on all that had to wait, since nothing comes after it: at once, unless others wait for their turn. */
  ended(code: number): void {
    if (!this.#open) return;
    this.#endedWith ??= code;
    if (this.#handler.turns.isTaken()) return this.#wait();
    this.#backlog?.stop();
    this.#backlog ??= new Backlog(this.#handler.turns);
    this.#goOn();
  }

  #end(code: number): void {
    if (!this.#open) return;
    this.#open = false;
    for (const packet of this.#held) this.#letGo(packet);
    this.#backlog?.stop();
    this.#backlog = null;
    this.recount();
    const { clock, processor, time, turns } = this.#handler;
    const now = clock.now();
    processor.begin(now);
    this.#handler.closed(this, code, now);
    // with the last to leave it a document is put away, which may take long
    const endedAt = clock.now();
    turns.used(endedAt - now);
    if (endedAt - now < WORTH_MS) return;
    time.charge(new Work(), this.#payer, processor.taken(endedAt - now, endedAt), endedAt);
  }
}
