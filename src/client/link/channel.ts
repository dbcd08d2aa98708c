/** One room of a link: as a connection of its own would be, but it opens without a handshake, and shares the link's signs of life. */
import { type OpenRequest, controlFrame, isFinal } from "../../wire/index.ts";
import { monotonic } from "../browser/clock.ts";
import { Backoff, type BackoffTiming } from "./backoff.ts";
import type { ConnectionHandler, Failure } from "./handler.ts";

/** Who is told what becomes of a channel. */
export interface ChannelHandler extends ConnectionHandler {
  /** What is at the other end of the link is no relay of ours. */
  notOurs(): void;
}

export type ChannelRequest = Pick<OpenRequest, "room" | "keepsHistory">;

/** What a channel needs of its link. */
export interface ChannelLink {
  /** Whether its WebSocket is there, or about to be. */
  readonly phase: "open" | "connecting" | "down";
  /** When the relay last said anything, monotonic ms. */
  readonly heardAt: number;
  isHidden(): boolean;
  /** The channel is to be opened: now, or once the link is there. Throws what the WebSocket does for a bad address. */
  wants(channel: Channel): void;
  /** Asks the relay for a channel. Returns its number. */
  open(channel: Channel): number;
  /** The relay is told that the channel is over. */
  close(number: number): void;
  send(number: number, message: Uint8Array): void;
  /** Tells the relay that the page lives, though the channel has nothing else to say. */
  keepAlive(): void;
  /** Has the relay answer if it has said nothing for long. */
  doubt(): void;
  /** Sends what a relay that is there answers soon. */
  probe(number: number, message: Uint8Array): void;
}

type State =
  /** Not wanted, or refused. */
  | { readonly phase: "idle" | "refused" }
  | { readonly phase: "waiting"; readonly timer: ReturnType<typeof setTimeout> }
  /** `number`: asked for; null: the link is not there. */
  | { readonly phase: "connecting"; readonly number: number | null }
  /** `since`: monotonic ms. */
  | { readonly phase: "open"; readonly number: number; readonly since: number };

const PING = /* @__PURE__ */ controlFrame({ kind: "ping" });

export class Channel {
  readonly request: ChannelRequest;
  readonly handler: ChannelHandler;
  readonly #link: ChannelLink;
  readonly #backoff: Backoff;
  #state: State = { phase: "idle" };

  constructor(request: ChannelRequest, handler: ChannelHandler, link: ChannelLink, timing: BackoffTiming) {
    this.request = request;
    this.handler = handler;
    this.#link = link;
    this.#backoff = new Backoff(timing);
  }

  get phase(): State["phase"] {
    const { phase } = this.#state;
    return phase === "connecting" && this.#link.phase === "down" ? "waiting" : phase;
  }

  /** Under which the relay knows it; null: it does not. */
  get number(): number | null {
    return "number" in this.#state ? this.#state.number : null;
  }

  get heardAt(): number {
    return this.#link.heardAt;
  }

  /** Opens it now, unless it is open or about to be. */
  connect(): void {
    if (this.#state.phase === "connecting" || this.#state.phase === "open") return;
    this.#enter({ phase: "connecting", number: null });
    this.#link.wants(this);
  }

  /** Closes it, and it stays closed until `connect`. */
  disconnect(): void {
    const { number } = this;
    if (number !== null) this.#link.close(number);
    this.#backoff.attempts = 0;
    this.#leave({ phase: "idle" });
  }

  /** Sends, if it is open; what matters is sent again on the next `opened`. */
  send(message: Uint8Array): void {
    if (this.#state.phase === "open") this.#link.send(this.#state.number, message);
  }

  keepAlive(): void {
    if (this.#state.phase === "open") this.#link.keepAlive();
  }

  doubt(): void {
    this.#link.doubt();
  }

  /** Makes sure that the relay is there: its answer comes over this channel. */
  probe(): void {
    if (this.#state.phase === "open") this.#link.probe(this.#state.number, PING);
  }

  // what the link tells

  /** The page or the network is back: a channel that waits does not. */
  woke(): void {
    if (this.#state.phase !== "waiting") return;
    this.#backoff.attempts = 0;
    this.connect();
  }

  /** The link is being dialed, or there. */
  dialed(): void {
    if (this.#state.phase === "connecting") this.handler.dialed();
  }

  /** The link is there. */
  linkOpened(): void {
    if (this.#state.phase !== "connecting" || this.#state.number !== null) return;
    this.#enter({ phase: "connecting", number: this.#link.open(this) });
  }

  linkFailed(failure: Failure): void {
    if (this.#state.phase === "connecting") this.handler.failed(failure);
  }

  linkRefused(code: number, reason: string): void {
    if (this.#state.phase !== "connecting") return;
    this.#enter({ phase: "refused" });
    this.handler.refused(code, reason);
  }

  /** The link is gone, and comes back with all that is wanted. */
  linkDown(): void {
    if (this.#state.phase !== "idle" && this.#state.phase !== "refused")
      this.#leave({ phase: "connecting", number: null });
  }

  message(bytes: Uint8Array): void {
    const state = this.#state;
    if (state.phase === "connecting" && state.number !== null) {
      this.#enter({ phase: "open", number: state.number, since: monotonic() });
      this.handler.opened();
    }
    this.handler.message(bytes);
  }

  /** [LINK-5] The relay has closed it, or did not open it; the link goes on. */
  closed(code: number, reason: string): void {
    const state = this.#state;
    if (isFinal(code) && !this.handler.forgives(code, reason)) {
      this.#leave({ phase: "refused" });
      return this.handler.refused(code, reason);
    }
    const wasSettled = state.phase === "open" && this.#backoff.lasted(monotonic() - state.since);
    const waitMs = this.#backoff.next();
    // the timers of a hidden page are not to be relied on: it tries once without one
    const isFirst = this.#backoff.attempts === 1 && this.#link.isHidden();
    const timer = setTimeout(() => this.connect(), isFirst ? 0 : waitMs);
    this.#leave({ phase: "waiting", timer });
    this.handler.failed({ code, reason, wasSettled, wasDialed: true });
  }

  #leave(next: State): void {
    const wasOpen = this.#state.phase === "open";
    this.#enter(next);
    if (wasOpen) this.handler.down();
  }

  #enter(next: State): void {
    if (this.#state.phase === "waiting") clearTimeout(this.#state.timer);
    this.#state = next;
  }
}
