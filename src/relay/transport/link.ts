/**
 * One socket, whatever rooms it leads to: its signs of life, its quotas, and the data that its other end has yet to read.
 */
import type { Echoing, Kind } from "../../awareness/index.ts";
import {
  ChannelError,
  Close,
  type Frame,
  FrameError,
  KEEP_ALIVE_FRAME,
  LINK_SUBPROTOCOL,
  PATCH_SUBPROTOCOL,
  decodeFrame,
} from "../../wire/index.ts";
import { isLargeUpdate, questionIn } from "../flow/costs.ts";
import { Meter } from "../flow/meter.ts";
import type { Debtor } from "../flow/unsent.ts";
import type { RoomAccess } from "../ports/access.ts";
import { Packet, control } from "../ports/packet.ts";
import type { ServerSocket, SocketEvents } from "../ports/socket.ts";
import type { RelaySettings } from "../ports/settings.ts";
import { Channel, type ChannelLink } from "./channel.ts";
import { Inbox, WORTH_MS } from "./inbox.ts";
import type { LinkHandler, LinkSetup } from "./link-handler.ts";
import type { LinkHost } from "./link-host.ts";
import { type Liveness, afterStall, aliveAt, nextStep, openedAt } from "./liveness.ts";
import { Lanes } from "./outgoing/lanes.ts";
import { Outbox } from "./outgoing/outbox.ts";
import { truncate } from "./reason.ts";
import { Transfer } from "./outgoing/transfer.ts";

/** A stock client reconnects when it hears nothing for 30 s; pings do not count. [LIVE-5] */
const KEEP_ALIVE_MS = 20_000;
/**
 * A page renews its state every 15 s, and every minute when its timers are throttled. A page that says nothing for longer is frozen:
 * its network answers, but nobody is there. [LIVE-8]
 */
const SILENT_MS = 75_000;
/** A message that is longer than this takes long over a slow line, so the client is told beforehand. [LIVE-15] */
const LONG_BYTES = 64 * 1024;

/** The subprotocols of clients of ours. */
const NATIVE: ReadonlySet<string> = new Set([PATCH_SUBPROTOCOL, LINK_SUBPROTOCOL]);

/** Bytes before the payload of a ping or a pong of a client. */
const CONTROL_HEAD_BYTES = 6;
const KEEP_ALIVE = new Packet(KEEP_ALIVE_FRAME);
const LONG = control({ kind: "long" });

export class Link extends Inbox implements SocketEvents, Debtor, ChannelLink {
  readonly kind: Kind;
  readonly address: string;
  readonly #addressing: LinkSetup["addressing"];
  readonly #host: LinkHost | null;
  readonly #settings: RelaySettings;
  /** null: its messages are sent whole. */
  readonly #lanes: Lanes | null;
  readonly #outbox: Outbox;
  readonly #transfer = new Transfer();
  #channels: readonly Channel[] = [];
  #liveness: Liveness;
  /** When a stock client was last sent anything. */
  #sentAt: number;
  #spokeAt: number;
  #silent = false;
  /** A room was told that this link lags, and may have held something back. */
  #hasLagged = false;
  protected isOpen = true;

  constructor(socket: ServerSocket, setup: LinkSetup, settings: RelaySettings, handler: LinkHandler) {
    super(socket, handler, new Meter(handler.tariff, setup.payer));
    const now = handler.clock.now();
    this.kind = NATIVE.has(socket.protocol) ? "native" : "stock";
    this.address = setup.address;
    this.#addressing = setup.addressing;
    this.#host = setup.host ?? null;
    this.#settings = settings;
    this.#lanes = this.#host === null ? null : new Lanes(socket, handler.clock);
    this.#outbox = new Outbox(this.#lanes ?? socket, handler.unsent);
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
   * @param name the channel's name in messages of the other end; without `addressing` the empty text
   */
  open(access: RoomAccess, name = "", echoing: Echoing = "after its answer"): Channel {
    const channel = new Channel(this, access, name, echoing);
    // of thousands of links: spread out, an array of one or two would have places for many more
    this.#channels = this.#channels.concat(channel);
    return channel;
  }

  /** Whether the other end does not read what it is sent. @param answers it says now and then that it reads */
  isLagging(answers: boolean): boolean {
    const isLagging = this.#lags(answers);
    this.#hasLagged ||= isLagging;
    return isLagging;
  }

  #lags(answers: boolean): boolean {
    if (this.socket.bufferedAmount > this.#settings.maxLag) return true;
    if (this.#silent || (this.kind === "native" && answers)) return this.#outbox.isUnanswered;
    return answers && this.#outbox.isUnechoed;
  }

  /** From now on somebody else pays for the time that this link takes. */
  paidBy(payer: string): void {
    this.meter.paidBy(payer);
  }

  send(packet: Packet, channel: { readonly name: string }): void {
    if (!this.isOpen) return;
    // [FLOW-2] the other end does not read
    if ((this.#lanes ?? this.socket).bufferedAmount > this.#settings.maxBuffered) {
      // not in the midst of what made it send
      return queueMicrotask(() => this.giveUp());
    }
    if (this.kind === "stock") this.#sentAt = this.handler.clock.now();
    const prefix = this.#addressing?.prefixOf(channel.name) ?? null;
    const isLong = packet.message.length > LONG_BYTES;
    // [LIVE-15] a message that comes in pieces needs no announcement
    if (isLong && this.kind === "native" && this.#lanes === null) this.socket.send(LONG, prefix);
    this.#outbox.send(packet, prefix);
    if (this.handler.unsent.isOver) this.handler.unsentIsOver();
  }

  /** The other end says that it has read so many bytes of what was sent in pieces. */
  hasRead(bytes: number): void {
    this.#lanes?.read(bytes);
  }

  recount(): void {
    if (this.isOpen) this.#outbox.recount();
  }

  giveUp(): void {
    this.close(Close.tooSlow, "too slow");
  }

  /** Ends one channel. The link goes on, if its other end can be told so. */
  closeChannel(channel: Channel, code: number, reason: string): void {
    if (!this.isOpen) return;
    if (this.#addressing === null) return this.close(code, reason);
    if (!this.#channels.includes(channel)) return;
    this.#leave(channel, code, this.handler.clock.now());
    this.#outbox.send(new Packet(this.#addressing.closed(channel.name, code, truncate(reason))), null);
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    const { isPaused } = this;
    this.end(code);
    if (code === Close.tooSlow || code === Close.timedOut) {
      // the other end does not read: whatever is queued for it would only take memory
      this.socket.close(code, reason);
      this.socket.terminate();
    } else {
      this.socket.close(code, truncate(reason));
      // else the relay would go on reading until the other end answers the close [COST-12]
      if (code === Close.tooManyMessages) this.socket.pause();
      else if (isPaused) this.socket.resume();
    }
  }

  /** Cuts the connection without a word. */
  terminate(): void {
    this.end(1006);
    this.socket.terminate();
  }

  /**
   * @param within ms until the next sweep
   * @param stalledMs how long the relay itself has not run before this one
   */
  sweep(now: number, within: number, stalledMs = 0): void {
    if (stalledMs > 0) this.#liveness = afterStall(this.#liveness, stalledMs);
    for (const channel of this.#channels) {
      if (!this.#isExpired(channel)) continue;
      // [LINK-8] the token is that of all its channels
      if (this.#host === null) channel.close(Close.tokenExpired, EXPIRED);
      else this.close(Close.tokenExpired, EXPIRED);
    }
    if (!this.isOpen) return;
    // to ask thousands of sockets how much they have carried takes long
    if (this.#liveness.pingedAt !== null && this.#transfer.goesOn(this.socket)) this.#alive(now);
    switch (nextStep(this.#liveness, now, within, this.#settings)) {
      case "wait":
        break;
      case "ping":
        this.#liveness = { ...this.#liveness, pingedAt: now };
        this.#transfer.goesOn(this.socket);
        this.socket.ping();
        break;
      case "dead":
        return this.close(Close.timedOut, "no sign of life");
    }
    if (!this.#silent && now - this.#spokeAt >= SILENT_MS) this.#setSilent(true);
    if (this.kind === "stock" && now - this.#sentAt >= KEEP_ALIVE_MS) this.#channels[0]?.send(KEEP_ALIVE);
    this.meter.sweep(now);
  }

  protected act(data: Uint8Array, isBinary: boolean): void {
    const now = this.handler.clock.now();
    if (!this.meter.says(data.length, now)) return this.close(Close.tooManyMessages, "too many messages");
    this.handler.probe.received(data.length);
    this.#alive(now);
    this.#spokeAt = now;
    if (this.#silent) this.#setSilent(false);
    this.#outbox.answered();
    this.drain();
    if (!isBinary) return this.close(Close.malformed, "text frame: messages are binary");
    const { sparedMs } = this.handler;
    // a plain view: a Buffer's slice would not copy
    const refusal = this.#read(new Uint8Array(data.buffer, data.byteOffset, data.length), now);
    const endedAt = this.handler.clock.now();
    const elapsedMs = endedAt - now;
    this.acted(elapsedMs);
    // charged before the link is closed: its user may come back, and say the same again [COST-2]
    const mayGoOn = !this.isOpen || this.meter.charge(elapsedMs, endedAt, this.handler.sparedMs - sparedMs);
    if (refusal !== null) refusal();
    else if (!mayGoOn) this.close(Close.tooManyMessages, "too much work");
  }

  /** Acts on a message. Returns what closes its channel, or the link, if it was refused. [WIRE-2] */
  #read(message: Uint8Array, now: number): (() => void) | null {
    let channel: Channel | undefined;
    try {
      const { channel: name, frame: bytes } = this.#addressing?.split(message) ?? { channel: "", frame: message };
      if (bytes === null) return null;
      if (name === this.#host?.name) {
        this.#host.take(decodeFrame(bytes), now);
        return null;
      }
      channel = this.#channelOf(name);
      // the channel was closed while this message was on its way
      if (channel === undefined) return null;
      const frame = decodeFrame(bytes);
      if (isLargeUpdate(frame) && this.meter.isFarOver(now)) {
        return () => this.close(Close.tooManyMessages, "too much work");
      }
      this.#hand(channel, frame, now);
      return null;
    } catch (error) {
      if (!(error instanceof FrameError)) return () => this.#fail(error);
      const { code, message: reason } = error;
      // [LINK-6] the rest of what was too large is still on its way when its channel is over
      if (error instanceof ChannelError) return () => this.#channelOf(String(error.channel))?.close(code, reason);
      return () => (channel === undefined ? this.close(code, reason) : channel.close(code, reason));
    }
  }

  #channelOf(name: string): Channel | undefined {
    return this.#channels.find((each) => each.name === name);
  }

  /** The other end has closed a channel. @param code 1000 is a leave */
  channelClosed(name: string, code: number): void {
    const channel = this.#channelOf(name);
    if (channel !== undefined) this.#leave(channel, code, this.handler.clock.now());
  }

  #hand(channel: Channel, frame: Frame, now: number): void {
    const question = questionIn(frame);
    if (question === 0) this.handler.frame(channel, frame, now);
    else this.#answer(channel, question, frame, now);
  }

  /** [WIRE-10] An unforeseen failure ends the connection whose message brought it about, and no other. */
  #fail(error: unknown): void {
    this.close(Close.internal, "the relay failed to act on this message");
    this.handler.failed(error);
  }

  /** Answers a question. A few bytes may ask for the whole document or the whole room, so the bytes of the answers are counted. [LIMIT-9] [COST-4] */
  #answer(channel: Channel, question: number, frame: Frame, now: number): void {
    const isFirst = channel.asksFirst(question);
    if (!isFirst && !this.meter.mayAsk(now)) return this.close(Close.tooManyMessages, "too many questions");
    const before = this.#outbox.sent;
    this.handler.frame(channel, frame, now);
    if (!isFirst) this.meter.wasAnswered(this.#outbox.sent - before, now);
  }

  /** Charges the link with the time that it took to let it in, or to act later on something that it had said. [COST-1] [COST-7] */
  charge(elapsedMs: number): void {
    this.took(elapsedMs, this.handler.clock.now());
  }

  cork(): void {
    this.socket.cork();
  }

  uncork(): void {
    this.socket.uncork();
  }

  protected took(elapsedMs: number, now: number): void {
    if (this.isOpen && !this.meter.charge(elapsedMs, now)) this.close(Close.tooManyMessages, "too much work");
  }

  protected get inPieces(): number {
    return this.#addressing?.held ?? 0;
  }

  /** [FLOW-12] The other end has begun messages, and has not ended them. */
  endUnfinished(): void {
    this.close(Close.overloaded, "too much of messages that are not whole");
    // their bytes are freed with the socket
    this.socket.terminate();
  }

  sign(bytes: number): void {
    this.unfinished.wasNone(bytes + CONTROL_HEAD_BYTES);
    // signs of life that nobody asked for are messages like any other [COST-5]
    if (this.#liveness.pingedAt === null) this.countMessage();
    if (this.isOpen) this.#alive(this.handler.clock.now());
  }

  /** Counts work that the other end has brought about as one more message. [LIMIT-1] */
  countMessage(bytes = 0): void {
    if (!this.isOpen || this.meter.says(bytes, this.handler.clock.now())) return;
    this.close(Close.tooManyMessages, "too many messages");
  }

  drain(): void {
    this.recount();
    // with hundreds of rooms it would take too long to look at each of them for each message
    if (!this.#hasLagged) return;
    this.#hasLagged = false;
    for (const channel of this.#channels) if (!channel.lagging) this.handler.drained(channel);
  }

  #setSilent(silent: boolean): void {
    this.#silent = silent;
    for (const channel of this.#channels) this.handler.silence(channel);
  }

  #alive(now: number): void {
    this.#liveness = aliveAt(now, this.#settings);
  }

  protected end(code: number): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#lanes?.drop(null);
    this.#outbox.close();
    this.unfinished.close();
    this.dropBacklog();
    const { clock, tariff, turns } = this.handler;
    const now = clock.now();
    tariff.processor.begin(now);
    for (const channel of this.#channels) this.#leave(channel, code, now);
    this.#host?.ended();
    this.handler.ended(this);
    // when the last member of a room leaves, its document is encoded, which may take long
    const endedAt = clock.now();
    turns.used(endedAt - now);
    if (endedAt - now >= WORTH_MS) this.meter.chargeEnd(endedAt - now, endedAt);
  }

  #leave(channel: Channel, code: number, now: number): void {
    this.#channels = this.#channels.filter((each) => each !== channel);
    if (this.#lanes !== null && this.#addressing !== null) this.#lanes.drop(this.#addressing.prefixOf(channel.name));
    this.handler.left(channel, code, now);
    this.#host?.left(channel.name);
  }

  /** [TIME-2] The end of a token is a date, by the wall clock of its issuer. [AUTH-4] */
  #isExpired({ access: { expiresAt } }: Channel): boolean {
    return expiresAt !== null && this.handler.clock.wall() > expiresAt + this.#settings.clockTolerance;
  }
}

const EXPIRED = "the token has expired";
