/**
 * The one connection of a client: a WebSocket that comes back, with a channel for each room. Its signs of life, its token
 * and its back-off are those of all of them.
 */
import {
  type Control,
  EnvelopeReader,
  FrameError,
  type Hello,
  KEEP_ALIVE_FRAME,
  LINK_CHANNEL,
  NORMAL,
  NOT_AUTHENTICATED,
  WHOLE,
  controlFrame,
  decodeRelayFrame,
  envelope,
  envelopesOf,
} from "../../wire/index.ts";
import { Emitter, type Unsubscribe, report } from "../../presence/index.ts";
import { monotonic } from "../browser/clock.ts";
import { Channel, type ChannelHandler, type ChannelLink, type ChannelRequest } from "./channel.ts";
import type { Failure } from "./reconnecting.ts";
import { ReconnectingSocket, type SocketOptions, type SocketTiming } from "./socket.ts";
import { notOurs, troubleOf } from "./trouble.ts";

/** [LINK-10] How the one connection to the relay fares; an object of its own whenever something changed. */
export interface ConnectionState {
  /** `connecting`: it is dialed, or waits to be dialed again. `closed`: it is not wanted, or refused for good. */
  readonly status: "connecting" | "connected" | "closed";
  /** How the last connection, or attempt at one, ended; null: none has yet. Kept when the next one succeeds. */
  readonly lastError: { readonly code: number; readonly reason: string } | null;
  /** From a word to the relay's answer, ms: measured when the connection opens, and about every 15 s. Null: not yet. */
  readonly latencyMs: number | null;
}

/** The client's one connection to the relay. */
export interface Connection extends ConnectionState {
  /** The same object for as long as nothing changed. */
  getSnapshot(): ConnectionState;
  /** Calls back when anything of it changed. */
  subscribe(listener: () => void): Unsubscribe;
}

export interface LinkOptions extends SocketOptions {
  /** The relay says something of the whole link. */
  readonly onControl: (control: Control) => void;
}

/** Each room says every 15 s, in its own time, that the page lives: one keep-alive in so long is enough for all, ms. */
const KEEP_ALIVE_MS = 10_000;
/** How much to read before the relay is told that somebody reads, where it is not told of each piece. [FLOW-4] */
const ANSWER_BYTES = 32 * 1024;
/** A message of more than this goes out in pieces of this size. */
const SENT_PIECE_BYTES = 64 * 1024;
/** One that sends, and has heard nothing for so long, asks whether it is heard. */
const QUIET_MS = 5_000;

/** As many messages may go at once as would take so long at half of what the relay takes: as many as it takes in two seconds, ms. */
const BURST_MS = 4_000;

const KEEP_ALIVE = /* @__PURE__ */ envelope(LINK_CHANNEL, KEEP_ALIVE_FRAME);

export class Link extends ReconnectingSocket implements ChannelLink, Connection {
  readonly #options: LinkOptions;
  readonly #timing: SocketTiming;
  /** In the order in which they were made. */
  readonly #channels = new Set<Channel>();
  readonly #byNumber = new Map<number, Channel>();
  readonly #emitter = new Emitter<{ change: null }>();
  #reader = new EnvelopeReader();
  #next = LINK_CHANNEL + 1;
  #state: ConnectionState = { status: "closed", lastError: null, latencyMs: null };
  /** When the relay was last told that the page lives, monotonic ms. */
  #keptAliveAt = -Infinity;
  /** When each keep-alive was sent that the relay has not answered yet, monotonic ms. */
  #unansweredSince: number[] = [];
  /** Something on this connection was of a relay of ours. */
  #isOurs = false;
  /** A relay of ours has greeted before: the address is right. */
  #hasGreeted = false;
  /** The relay at the other end takes a change of the session once for all rooms. [LINK-16] */
  takesSession = false;
  /** How long one message of a room takes at half of the rate that the relay takes, ms. */
  #messageMs = 0;
  /** Until when what was sent in rooms would take at that, monotonic ms. */
  #busyUntil = 0;

  constructor(options: LinkOptions, timing: SocketTiming) {
    super(options, timing);
    this.#options = options;
    this.#timing = timing;
  }

  get status(): ConnectionState["status"] {
    return this.#state.status;
  }

  get lastError(): ConnectionState["lastError"] {
    return this.#state.lastError;
  }

  get latencyMs(): number | null {
    return this.#state.latencyMs;
  }

  readonly getSnapshot = (): ConnectionState => this.#state;

  readonly subscribe = (listener: () => void): Unsubscribe => this.#emitter.on("change", listener);

  /** Its WebSocket is there, or about to be. */
  get isUp(): boolean {
    return this.phase === "open" || this.phase === "connecting";
  }

  /** A channel for a room. It opens with `connect`, and is let go of with `drop`. */
  channel(request: ChannelRequest, handler: ChannelHandler): Channel {
    const channel = new Channel(request, handler, this, this.#timing);
    this.#channels.add(channel);
    return channel;
  }

  drop(channel: Channel): void {
    channel.disconnect();
    this.#channels.delete(channel);
  }

  wants(channel: Channel): void {
    if (!this.isUp) return this.connect();
    channel.dialed();
    if (this.phase === "open") channel.linkOpened();
  }

  /** [LINK-3] No handshake: the room is live one round trip later. */
  open(channel: Channel): number {
    const number = this.#next++;
    this.#byNumber.set(number, channel);
    this.tell({ kind: "open", channel: number, ...channel.request });
    return number;
  }

  close(number: number): void {
    this.#forget(number);
    this.tell({ kind: "close", channel: number, code: NORMAL, reason: "" });
  }

  say(number: number, message: Uint8Array): void {
    for (const piece of envelopesOf(number, message, SENT_PIECE_BYTES)) this.send(piece);
  }

  /** Says something of the whole link, if there is a connection. */
  tell(control: Control): void {
    this.send(envelope(LINK_CHANNEL, controlFrame(control)));
  }

  /** [LINK-7] One word says for all rooms that the page lives. */
  keepAlive(): void {
    const now = monotonic();
    if (now - this.#keptAliveAt < KEEP_ALIVE_MS) return;
    this.#keptAliveAt = now;
    this.#expectAnswer();
  }

  doubt(): void {
    if (monotonic() - this.heardAt >= QUIET_MS) this.#expectAnswer();
  }

  /** The relay has greeted in some room. */
  greeted({ session, messageRate }: Hello): void {
    // 0 is any number
    this.#messageMs = 2_000 / (messageRate || Infinity);
    this.#hasGreeted = true;
    this.takesSession = session === true;
    this.#options.tokens.accepted();
  }

  /**
   * Whether the relay takes another message of a room now. Half of what it takes is left for all else that is said, and at once as
   * many may go as it takes in two seconds. [MSG-9]
   */
  takesMessage(): boolean {
    const now = monotonic();
    const from = Math.max(this.#busyUntil, now);
    if (from - now > BURST_MS) return false;
    this.#busyUntil = from + this.#messageMs;
    return true;
  }

  troubleOf(failure: Failure): string | null {
    return troubleOf(this.#address, failure, this.#hasGreeted);
  }

  /** The network may have changed, or time may have passed unnoticed: makes sure of the connection now. */
  override wake(): void {
    super.wake();
    this.#each((channel) => channel.wake());
  }

  destroy(): void {
    this.#each((channel) => this.drop(channel));
    this.disconnect();
    this.#update();
    this.#emitter.clear();
  }

  // what becomes of the WebSocket

  protected override dialed(): void {
    this.#update();
    this.#each((channel) => channel.dialed());
  }

  protected override opened(): void {
    this.#reader = new EnvelopeReader();
    this.#next = LINK_CHANNEL + 1;
    this.#byNumber.clear();
    this.#unansweredSince = [];
    this.#busyUntil = 0;
    this.#isOurs = false;
    this.takesSession = false;
    // the next word of a room counts: rooms keep their times, and the one after it may be 15 s later
    this.#keptAliveAt = -Infinity;
    this.#update();
    this.#each((channel) => channel.linkOpened());
    this.#sendKeepAlive();
  }

  protected override down(): void {
    this.#update();
    this.#each((channel) => channel.linkDown());
  }

  protected override failed(failure: Failure): void {
    const { code, reason } = failure;
    this.#update({ lastError: { code, reason } });
    const trouble = this.troubleOf(failure);
    this.#each((channel) => channel.linkFailed(trouble));
  }

  /** [TOKEN-6] Keys rotate, and a function may have a better token. */
  protected override forgives(code: number): boolean {
    return code === NOT_AUTHENTICATED && this.#options.tokens.rejected();
  }

  protected override refused(code: number, reason: string): void {
    this.#update({ lastError: { code, reason } });
    this.#each((channel) => channel.linkRefused(code, reason));
  }

  protected override message(data: Uint8Array): void {
    try {
      const { channel, part, message, bytes } = this.#reader.read(data);
      // [LINK-2] the relay sends no more of a long message than is read in time, so that nothing else waits behind it
      if (part !== WHOLE) this.tell({ kind: "read", bytes });
      else if (this.receivedSinceSent > ANSWER_BYTES) this.#sendKeepAlive();
      if (message === null) return;
      if (channel === LINK_CHANNEL) return this.#own(message);
      const known = this.#byNumber.get(channel);
      // undefined: the channel was closed while this message was on its way
      if (known === undefined) return;
      this.#isOurs = true;
      known.message(message);
    } catch (error) {
      if (this.#isOurs) return ignored(error);
      // [CLIENT-12] what speaks so is no relay of ours: it knows nothing of links
      const trouble = notOurs(this.#address);
      this.#each((channel) => channel.linkFailed(trouble));
    }
  }

  /** What the relay says of the link itself. */
  #own(message: Uint8Array): void {
    const frame = decodeRelayFrame(message);
    if (frame.type !== "control" && frame.type !== "awareness") throw new FrameError("unexpected message");
    this.#isOurs = true;
    if (frame.type === "awareness") return this.#answered();
    const { control } = frame;
    if (control.kind !== "refused" && control.kind !== "close") return this.#options.onControl(control);
    const closed = this.#byNumber.get(control.channel);
    this.#forget(control.channel);
    closed?.closed(control.code, control.reason);
  }

  #forget(number: number): void {
    this.#byNumber.delete(number);
    this.#reader.forget(number);
  }

  /** The relay answered a keep-alive. */
  #answered(): void {
    const at = this.#unansweredSince.shift();
    if (at !== undefined) this.#update({ latencyMs: Math.round(monotonic() - at) });
  }

  /** Sends a keep-alive, and gives the connection up if the relay does not answer it. */
  #expectAnswer(): void {
    if (this.ask(KEEP_ALIVE)) this.#unansweredSince.push(monotonic());
  }

  /** Sends a keep-alive, and goes on whether or not the relay answers it. */
  #sendKeepAlive(): void {
    this.#unansweredSince.push(monotonic());
    this.send(KEEP_ALIVE);
  }

  #each(act: (channel: Channel) => void): void {
    // a copy: rooms come and go meanwhile
    for (const channel of Array.from(this.#channels)) act(channel);
  }

  /** Of the relay, without parameters. */
  get #address(): string {
    const url = this.#options.url();
    return /^\w+:\/\/[^/?#]*/.exec(url)?.[0] ?? url;
  }

  #update(change: Partial<ConnectionState> = {}): void {
    const isConnecting = this.phase === "connecting" || this.phase === "waiting";
    const status = this.phase === "open" ? "connected" : isConnecting ? "connecting" : "closed";
    const next = { ...this.#state, ...change, status } as const;
    const { lastError, latencyMs } = this.#state;
    if (status === this.status && next.latencyMs === latencyMs && next.lastError === lastError) return;
    this.#state = next;
    this.#emitter.emit("change", null);
  }
}

/** A newer relay may say things that this client does not know: they are not for it. */
export function ignored(error: unknown): void {
  if (error instanceof FrameError) console.warn(`copresence: ignored a message: ${error.message}`);
  else report(error);
}
