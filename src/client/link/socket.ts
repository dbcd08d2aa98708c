/**
 * A WebSocket that comes back: jittered back-off, a time limit for connecting, a probe for a connection that may be dead
 * without anybody having been told.
 */
import {
  ABNORMAL,
  AUTH_PREFIX,
  GOING_AWAY,
  LINK_CHANNEL,
  LINK_SUBPROTOCOL,
  NORMAL,
  controlFrame,
  envelope,
  isFinal,
} from "../../wire/index.ts";
import { monotonic } from "../browser/clock.ts";
import { Backoff } from "./backoff.ts";
import type { ConnectionHandler } from "./handler.ts";

/** What is needed of a WebSocket: the browser's class and that of `ws` both have it. */
export interface WebSocketLike {
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  /** Bytes that were sent and have not left. */
  readonly bufferedAmount?: number;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** That of `ws`: does not wait for the other end to agree. */
  terminate?(): void;
}
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike;

/** Where the token comes from that a connection is opened with. */
export interface TokenGiver {
  /** Empty: there is none. */
  get(): string | Promise<string>;
  /** The relay has seen it. */
  shown(): void;
  /** The relay has taken it. */
  accepted(): void;
  /** The relay has not taken it. Returns whether there may be a better one. */
  rejected(): boolean;
}

export interface SocketTiming {
  /** Back-off of the first retry, ms; it doubles with each. Default 100. */
  readonly backoffMs: number;
  /** Longest back-off, ms. Default 2 500. */
  readonly maxBackoffMs: number;
  /** How long connecting may take, and then the relay's first word, ms. Default 5 000. */
  readonly connectTimeoutMs: number;
  /** How long a connection may take to show life after the page woke, ms. Default 2 000. */
  readonly probeTimeoutMs: number;
  /** How long it may take to answer a renewal, of which each quiet connection sends one every 15 s, ms. Default 10 000. */
  readonly renewalTimeoutMs: number;
}

export const defaultSocketTiming: SocketTiming = {
  backoffMs: 100,
  maxBackoffMs: 2_500,
  connectTimeoutMs: 5_000,
  probeTimeoutMs: 2_000,
  renewalTimeoutMs: 10_000,
};

/** A timer that is later than this was held up with the page, and what has arrived may still wait to be heard, ms. */
const LATE_MS = 1_000;

const PING = /* @__PURE__ */ envelope(LINK_CHANNEL, /* @__PURE__ */ controlFrame({ kind: "ping" }));

/** What is said of one that is given up. */
const SILENT = "it does not answer";

type Timer = ReturnType<typeof setTimeout>;
/** `timer`: what ends the phase, if time does. */
type State =
  | { readonly phase: "idle" | "suspended" | "refused"; readonly timer?: undefined }
  | { readonly phase: "waiting"; readonly timer: Timer }
  | { readonly phase: "connecting"; readonly socket: WebSocketLike; readonly timer: Timer }
  | Open;

interface Open {
  readonly phase: "open";
  readonly socket: WebSocketLike;
  /** Monotonic ms. */
  readonly since: number;
  /** An answer of the relay is awaited, and the connection given up when this fires. */
  timer?: Timer | undefined;
  /** When that is, monotonic ms. */
  due: number;
}

/** Where to connect to, and with what. */
export interface SocketOptions {
  /** Asked anew for each attempt. */
  readonly url: () => string;
  /** null: it never connects. */
  readonly WebSocket: WebSocketConstructor | null;
  readonly tokens: TokenGiver;
  /** Whether the page is hidden: a browser may let its timers wait for a minute. */
  readonly isHidden: () => boolean;
}

export class ReconnectingSocket {
  readonly #options: SocketOptions;
  readonly #timing: SocketTiming;
  readonly #handler: ConnectionHandler;
  #state: State = { phase: "idle" };
  readonly #backoff: Backoff;
  /** When the relay last said anything, monotonic ms. */
  heardAt = 0;
  /** Bytes that came since anything was sent. */
  receivedSinceSent = 0;
  /** What the WebSocket said of its error, if it says anything. */
  #error = "";

  constructor(options: SocketOptions, timing: SocketTiming, handler: ConnectionHandler) {
    this.#options = options;
    this.#timing = timing;
    this.#handler = handler;
    this.#backoff = new Backoff(timing);
  }

  get phase(): State["phase"] {
    return this.#state.phase;
  }

  /** For how long the relay has said nothing, ms. */
  get quietMs(): number {
    return monotonic() - this.heardAt;
  }

  /** Connects now, unless it is connected or about to be. */
  connect(): void {
    if (this.#options.WebSocket !== null && this.phase !== "connecting" && this.phase !== "open") this.#dial();
  }

  /** Closes, and stays closed until `connect`. */
  disconnect(): void {
    this.#backoff.attempts = 0;
    this.#leave({ phase: "idle" }, NORMAL);
  }

  /** Closes without a leave, until `wake`; if it is connected or means to be. [LIVE-11] */
  suspend(): void {
    if (this.phase === "idle" || this.phase === "refused") return;
    this.#backoff.attempts = 0;
    this.#leave({ phase: "suspended" }, GOING_AWAY);
  }

  /** Ends it as if the relay had closed it for good. */
  refuse(code: number, reason: string): void {
    this.#leave({ phase: "refused" }, NORMAL);
    this.#handler.refused(code, reason);
  }

  /** Sends, if it is open; what matters is sent again on the next `opened`. */
  send(frame: Uint8Array): void {
    if (this.#state.phase !== "open") return;
    this.receivedSinceSent = 0;
    this.#state.socket.send(frame);
  }

  /** Something says that the network may have changed: do not wait, and do not believe an old connection. [ACT-4] */
  wake(): void {
    const { phase } = this.#state;
    this.probe(PING);
    // [LIVE-17] an attempt that waits is made now
    if (phase !== "suspended" && phase !== "waiting") return;
    this.#backoff.attempts = 0;
    this.connect();
  }

  /** [LIVE-13] Sends what the relay answers, and gives the connection up if it does not answer soon. */
  probe(frame: Uint8Array): void {
    const state = this.#state;
    if (state.phase === "open") this.#expectAnswer(state, frame, this.#timing.probeTimeoutMs);
  }

  /**
   * [LIVE-12] Tells the relay that the page lives, with a frame that it answers, and gives the connection up if it does not
   * answer in time. Returns whether the frame was sent: not while another answer is awaited.
   */
  keepAlive(frame: Uint8Array): boolean {
    const state = this.#state;
    if (state.phase !== "open" || state.timer !== undefined) return false;
    this.#expectAnswer(state, frame, this.#timing.renewalTimeoutMs);
    return true;
  }

  /**
   * Gives the connection up unless anything comes in time.
   *
   * @param frame what the relay answers; null: nothing is sent, since the relay speaks first
   * @param mayBeLate whether a timer that fires far too late asks again. Then the page was held up, and the answer may have
   * come without being heard yet. False once that has happened: the timers of a throttled page are always late, and it
   * would ask for ever.
   */
  #expectAnswer(state: Open, frame: Uint8Array | null, timeoutMs: number, mayBeLate = true): void {
    const { socket } = state;
    if (frame !== null) socket.send(frame);
    const unsent = socket.bufferedAmount ?? 0;
    const now = monotonic();
    const due = now + timeoutMs;
    // an answer that is awaited sooner stays so; but a timer that is overdue is held up, and would only ask again
    if (state.timer !== undefined && state.due <= due && state.due > now) return;
    clearTimeout(state.timer);
    state.due = due;
    state.timer = setTimeout(() => {
      state.timer = undefined;
      const isLate = monotonic() > due + LATE_MS;
      // what leaves, be it slowly, is a sign of life too [LIVE-16]
      const isLeaving = (socket.bufferedAmount ?? 0) < unsent;
      if (isLeaving || (isLate && mayBeLate)) this.#expectAnswer(state, frame, timeoutMs, !isLate);
      else this.#lost(ABNORMAL, SILENT);
    }, timeoutMs);
  }

  #dial(): void {
    const token = this.#options.tokens.get();
    if (typeof token === "string") return this.#open(token);
    // the token is not there yet: it is waited for again, and after 30 s its function is asked anew [TOKEN-9]
    const state = this.#wait(this.#timing.connectTimeoutMs, () => {
      this.#handler.failed({ code: ABNORMAL, reason: "there is no token yet", wasSettled: false, wasDialed: false });
      this.#dial();
    });
    void token.then(
      (text) => this.#state === state && this.#openLater(text),
      () => this.#state === state && this.#retry(),
    );
  }

  /** The token came later: the WebSocket's error for an address that it does not take has no caller left to catch it. [LIVE-20] */
  #openLater(token: string): void {
    try {
      this.#open(token);
    } catch (error) {
      this.refuse(ABNORMAL, String(error));
    }
  }

  #open(token: string): void {
    if (this.#options.WebSocket === null) return;
    const protocols = [LINK_SUBPROTOCOL];
    // [TOKEN-1]
    if (token !== "") protocols.push(AUTH_PREFIX + token);
    const socket = new this.#options.WebSocket(this.#options.url(), protocols);
    socket.binaryType = "arraybuffer";
    const timer = setTimeout(() => this.#lost(ABNORMAL, SILENT), this.#timing.connectTimeoutMs);
    this.#error = "";
    this.#enter({ phase: "connecting", socket, timer });
    socket.onopen = () => {
      this.#options.tokens.shown();
      const state: Open = { phase: "open", socket, since: monotonic(), due: 0 };
      this.#enter(state);
      // [LIVE-14] the relay speaks first
      this.#expectAnswer(state, null, this.#timing.connectTimeoutMs);
      this.#handler.opened();
    };
    socket.onmessage = (event: { readonly data: ArrayBuffer }) => {
      this.heardAt = monotonic();
      this.receivedSinceSent += event.data.byteLength;
      const state = this.#state;
      if (state.phase === "open") {
        clearTimeout(state.timer);
        state.timer = undefined;
      }
      this.#handler.message(new Uint8Array(event.data));
    };
    socket.onclose = ({ code, reason }: { readonly code: number; readonly reason: string }) => {
      if (isFinal(code) && !this.#handler.forgives(code, reason)) this.refuse(code, reason);
      else this.#lost(code, reason || this.#error);
    };
    // "close" follows, and says what is to be done; browsers say nothing of the error, others do
    socket.onerror = ({ message }: { readonly message?: unknown }) => {
      if (typeof message === "string") this.#error = message;
    };
    this.#handler.dialed();
  }

  /** The connection, or the attempt at one, is over, whether or not the socket knows. */
  #lost(code: number, reason: string): void {
    const before = this.#state;
    const wasOpen = before.phase === "open";
    const wasSettled = wasOpen && this.#backoff.lasted(monotonic() - before.since);
    const state = this.#retry();
    this.#handler.failed({ code, reason, wasSettled, wasDialed: true });
    // the timers of a hidden page may wait for longer than others wait for it: it tries once without one [LIVE-18]
    if (wasOpen && this.#backoff.attempts === 1 && this.#options.isHidden() && this.#state === state) this.connect();
  }

  #retry(): State {
    return this.#wait(this.#backoff.next(), () => this.#dial());
  }

  #wait(ms: number, then: () => void): State {
    const state: State = { phase: "waiting", timer: setTimeout(then, ms) };
    this.#leave(state, ABNORMAL);
    return state;
  }

  /** Goes on without the socket that there is, if there is one. */
  #leave(next: State, code: number): void {
    const before = this.#state;
    this.#enter(next);
    if ("socket" in before) discard(before.socket, code);
    if (before.phase === "open") this.#handler.down();
  }

  #enter(next: State): void {
    clearTimeout(this.#state.timer);
    this.#state = next;
  }
}

/** Lets go of a socket: nothing that it still does is heard. */
function discard(socket: WebSocketLike, code: number): void {
  socket.onopen = null;
  socket.onmessage = null;
  socket.onclose = null;
  socket.onerror = () => {};
  // browsers let a page close with 1000 or 3000–4999 only
  if (code === NORMAL) socket.close(code);
  else socket.close();
  if (code === ABNORMAL) socket.terminate?.();
}
