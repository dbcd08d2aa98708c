/**
 * One socket, whatever rooms it leads to: signs of life, what the other end may say and take, and what waits to be read by it.
 */
import type { Echoing, Kind } from "../../awareness/index.ts";
import {
  Close,
  type Frame,
  FrameError,
  KEEP_ALIVE_FRAME,
  PATCH_SUBPROTOCOL,
  controlFrame,
  decodeFrame,
} from "../../wire/index.ts";
import { Backlog, type Message } from "../flow/backlog.ts";
import { expectedMs, isLargeUpdate, questionIn } from "../flow/costs.ts";
import { Meter } from "../flow/meter.ts";
import type { Debtor } from "../flow/unsent.ts";
import type { RoomAccess } from "../ports/access.ts";
import { Packet } from "../ports/packet.ts";
import type { ServerSocket, SocketEvents } from "../ports/socket.ts";
import type { RelaySettings } from "../ports/settings.ts";
import { Channel } from "./channel.ts";
import type { LinkHandler, LinkSetup } from "./link-handler.ts";
import { type Liveness, afterStall, aliveAt, nextStep, openedAt } from "./liveness.ts";
import { Outbox } from "./outbox.ts";
import { truncate } from "./reason.ts";
import { Transfer } from "./transfer.ts";

/** A stock client reconnects when it hears nothing for 30 s; pings do not count. [LIVE-5] */
const KEEP_ALIVE_MS = 20_000;
/**
 * A page renews its state every 15 s, and every minute when its timers are throttled. One that does not is frozen: its
 * network answers, but nobody is there. [LIVE-8]
 */
const SILENT_MS = 75_000;
/** So long may what one link says keep the relay from all others without a break, ms: but one message is one. */
const TURN_MS = 10;
/** To let somebody in, and to read bytes, mostly takes less: then it is charged to nobody, ms. */
const WORTH_MS = 0.2;
/** Over a slow line a longer message takes so long that the client had better know of it. [LIVE-15] */
const LONG_BYTES = 64 * 1024;

const KEEP_ALIVE = new Packet(KEEP_ALIVE_FRAME);
const LONG = new Packet(controlFrame({ kind: "long" }));

export class Link implements SocketEvents, Debtor {
  readonly kind: Kind;
  readonly address: string;
  readonly #addressing: LinkSetup["addressing"];
  readonly #socket: ServerSocket;
  readonly #settings: RelaySettings;
  readonly #handler: LinkHandler;
  readonly #outbox: Outbox;
  readonly #meter: Meter;
  readonly #transfer = new Transfer();
  #channels: readonly Channel[] = [];
  #liveness: Liveness;
  /** When a stock client was last sent anything. */
  #sentAt: number;
  #spokeAt: number;
  /** Since when it is read what came in, and how much of that was acting on whole messages, ms. */
  #readSince = Infinity;
  #actingMs = 0;
  /** Messages that wait for the next turn, since this one has taken long; null: none has to. */
  #backlog: Backlog | null = null;
  /** The socket is gone, with this code, while what came over it has still to be acted on. */
  #endedWith: number | null = null;
  #silent = false;
  #open = true;

  constructor(socket: ServerSocket, setup: LinkSetup, settings: RelaySettings, handler: LinkHandler) {
    const now = handler.clock.now();
    this.kind = socket.protocol === PATCH_SUBPROTOCOL ? "native" : "stock";
    this.address = setup.address;
    this.#addressing = setup.addressing;
    this.#socket = socket;
    this.#settings = settings;
    this.#handler = handler;
    this.#outbox = new Outbox(socket, handler.unsent);
    this.#meter = new Meter(handler.tariff, setup.payer);
    this.#liveness = openedAt(now, Math.random(), settings);
    this.#sentAt = now;
    this.#spokeAt = now;
    socket.tell(this);
  }

  get silent(): boolean {
    return this.#silent;
  }

  get lastSeen(): number {
    return this.#liveness.lastSeen;
  }

  get channels(): readonly Channel[] {
    return this.#channels;
  }

  get unsent(): number {
    return this.#outbox.unsent;
  }

  /**
   * Opens a channel to a room.
   *
   * @param name by what the other end's messages are told to be of this channel; without `addressing` the empty text
   */
  open(access: RoomAccess, name = "", echoing: Echoing = "after its answer"): Channel {
    const channel = new Channel(this, access, name, echoing);
    this.#channels = [...this.#channels, channel];
    return channel;
  }

  /** Whether it does not read what it is sent. @param answers it says now and then that it reads */
  isLagging(answers: boolean): boolean {
    if (this.#socket.bufferedAmount > this.#settings.maxLag) return true;
    if (this.#silent || (this.kind === "native" && answers)) return this.#outbox.isUnanswered;
    return answers && this.#outbox.isUnechoed;
  }

  send(packet: Packet, channel: Channel): void {
    if (!this.#open) return;
    // [FLOW-2] the other end does not read
    if (this.#socket.bufferedAmount > this.#settings.maxBuffered) {
      // not in the midst of what made it send
      return queueMicrotask(() => this.giveUp());
    }
    if (this.kind === "stock") this.#sentAt = this.#handler.clock.now();
    const prefix = this.#addressing?.prefixOf(channel.name) ?? null;
    if (this.kind === "native" && packet.message.length > LONG_BYTES) this.#socket.send(LONG, prefix);
    this.#outbox.send(packet, prefix);
    if (this.#handler.unsent.isOver) this.#handler.unsentIsOver();
  }

  recount(): void {
    if (this.#open) this.#outbox.recount();
  }

  giveUp(): void {
    this.close(Close.tooSlow, "too slow");
  }

  /** Ends one channel. The link goes on, if its other end can be told so. */
  closeChannel(channel: Channel, code: number, reason: string): void {
    if (!this.#open) return;
    if (this.#addressing === null) return this.close(code, reason);
    if (!this.#channels.includes(channel)) return;
    this.#leave(channel, code, this.#handler.clock.now());
    this.#outbox.send(new Packet(this.#addressing.closed(channel.name, code, truncate(reason))), null);
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
      // what it still says would be read for as long as it takes its time to answer [COST-12]
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
    for (const channel of this.#channels) if (this.#isExpired(channel)) channel.close(Close.tokenExpired, EXPIRED);
    if (!this.#open) return;
    // what a socket has carried takes long to ask, of thousands
    if (this.#liveness.pingedAt !== null && this.#transfer.goesOn(this.#socket)) this.#alive(now);
    switch (nextStep(this.#liveness, now, within, this.#settings)) {
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
    if (this.kind === "stock" && now - this.#sentAt >= KEEP_ALIVE_MS) this.#channels[0]?.send(KEEP_ALIVE);
    this.#meter.sweep(now);
  }

  message(data: Uint8Array, isBinary: boolean): void {
    if (!this.#open) return;
    if (this.#backlog !== null) return this.#backlog.push({ data, isBinary });
    // others are to be heard first [COST-8]
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
    return expectedMs(bytes, this.#meter.ofLate(this.#handler.clock.now()));
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
    if (!this.#meter.says(data.length, now)) return this.close(Close.tooManyMessages, "too many messages");
    this.#alive(now);
    this.#spokeAt = now;
    if (this.#silent) this.#setSilent(false);
    this.#outbox.answered();
    this.drain();
    if (!isBinary) return this.close(Close.malformed, "text frame: messages are binary");
    const fanOutMs = this.#handler.fanOutMs;
    // a plain view: a Buffer's slice would not copy
    const refusal = this.#read(new Uint8Array(data.buffer, data.byteOffset, data.length), now);
    const endedAt = this.#handler.clock.now();
    const elapsedMs = endedAt - now;
    this.#handler.turns.used(elapsedMs);
    this.#actingMs += elapsedMs;
    // before it is closed: who pays for it may come back, and say the same again [COST-2]
    const mayGoOn = !this.#open || this.#meter.charge(elapsedMs, endedAt, this.#handler.fanOutMs - fanOutMs);
    if (refusal !== null) refusal();
    else if (!mayGoOn) this.close(Close.tooManyMessages, "too much work");
  }

  /** Acts on a message. Returns what closes its channel, or the link, if it was refused. [WIRE-2] */
  #read(message: Uint8Array, now: number): (() => void) | null {
    let channel: Channel | undefined;
    try {
      const { channel: name, frame: bytes } = this.#addressing?.split(message) ?? { channel: "", frame: message };
      channel = this.#channels.find((each) => each.name === name);
      // it was closed while this was on its way
      if (channel === undefined) return null;
      const frame = decodeFrame(bytes);
      if (isLargeUpdate(frame) && this.#meter.isFarOver(now)) {
        return () => this.close(Close.tooManyMessages, "too much work");
      }
      this.#hand(channel, frame, now);
      return null;
    } catch (error) {
      if (!(error instanceof FrameError)) return () => this.#fail(error);
      const { code, message: reason } = error;
      return () => (channel === undefined ? this.close(code, reason) : channel.close(code, reason));
    }
  }

  #hand(channel: Channel, frame: Frame, now: number): void {
    const question = questionIn(frame);
    if (question === 0) this.#handler.frame(channel, frame, now);
    else this.#answer(channel, question, frame, now);
  }

  /** [WIRE-10] What nobody has foreseen ends the connection that brought it about, and no more. */
  #fail(error: unknown): void {
    this.close(Close.internal, "the relay failed to act on this message");
    this.#handler.failed(error);
  }

  /** A few bytes ask for the whole document, or the whole room: it is the answers that count. [LIMIT-9] [COST-4] */
  #answer(channel: Channel, question: number, frame: Frame, now: number): void {
    const isFirst = channel.asksFirst(question);
    if (!isFirst && !this.#meter.mayAsk(now)) return this.close(Close.tooManyMessages, "too many questions");
    const before = this.#outbox.unanswered;
    this.#handler.frame(channel, frame, now);
    if (!isFirst) this.#meter.wasAnswered(this.#outbox.unanswered - before, now);
  }

  /** Charges it with what it took to let it in, or to act on something later that it had said. [COST-1] [COST-7] */
  charge(elapsedMs: number): void {
    this.#took(elapsedMs, this.#handler.clock.now());
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  /** Charges it, and closes it if that was too much. */
  #took(elapsedMs: number, now: number): void {
    if (this.#open && !this.#meter.charge(elapsedMs, now)) this.close(Close.tooManyMessages, "too much work");
  }

  sign(): void {
    if (!this.#open) return;
    const now = this.#handler.clock.now();
    // signs of life that it was not asked for are messages like any other [COST-5]
    if (this.#liveness.pingedAt === null && !this.#meter.says(0, now)) {
      return this.close(Close.tooManyMessages, "too many messages");
    }
    this.#alive(now);
  }

  reading(): void {
    this.#readSince = this.#handler.clock.now();
    this.#actingMs = 0;
    this.#handler.tariff.processor.begin(this.#readSince);
  }

  read(): void {
    const now = this.#handler.clock.now();
    const restMs = now - this.#readSince - this.#actingMs;
    if (restMs >= WORTH_MS) this.#took(restMs, now);
  }

  drain(): void {
    this.recount();
    for (const channel of this.#channels) if (!channel.lagging) this.#handler.drained(channel);
  }

  #setSilent(silent: boolean): void {
    this.#silent = silent;
    for (const channel of this.#channels) this.#handler.silence(channel);
  }

  #alive(now: number): void {
    this.#liveness = aliveAt(now, this.#settings);
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
    this.#outbox.close();
    this.#backlog?.stop();
    this.#backlog = null;
    const { clock, tariff, turns } = this.#handler;
    const now = clock.now();
    tariff.processor.begin(now);
    for (const channel of this.#channels) this.#leave(channel, code, now);
    this.#handler.ended(this);
    // with the last to leave it a document is put away, which may take long
    const endedAt = clock.now();
    turns.used(endedAt - now);
    if (endedAt - now >= WORTH_MS) this.#meter.chargeEnd(endedAt - now, endedAt);
  }

  #leave(channel: Channel, code: number, now: number): void {
    this.#channels = this.#channels.filter((each) => each !== channel);
    this.#handler.left(channel, code, now);
  }

  /** [TIME-2] Who signed the token dated its end by a wall clock. [AUTH-4] */
  #isExpired({ access: { expiresAt } }: Channel): boolean {
    return expiresAt !== null && this.#handler.clock.wall() > expiresAt + this.#settings.clockTolerance;
  }
}

const EXPIRED = "the token has expired";
