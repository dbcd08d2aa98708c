/**
 * A WebSocket that comes back: a token to open it with, a time limit for connecting, a probe for a connection that may be dead
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
} from "../../wire/index.ts";
import { monotonic } from "../browser/clock.ts";
import { type BackoffTiming, Reconnecting } from "./reconnecting.ts";

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

export interface SocketTiming extends BackoffTiming {
  /** Back-off of the first retry, ms; it doubles with each. Default 100. */
  readonly backoffMs: number;
  /** Longest back-off, ms. Default 2 500. */
  readonly maxBackoffMs: number;
  /** How long connecting may take, and then the relay's first word, ms. Default 5 000. */
  readonly connectTimeoutMs: number;
  /** How long a connection may take to show life after the page woke, ms. Default 2 000. */
  readonly probeTimeoutMs: number;
  /**
   * How long it may take to answer a renewal, of which each quiet connection sends one every 15 s, ms. Default 6 500: a relay tells
   * others after 28 s that a client has left of which it hears nothing, and until then there is time for an attempt at another relay
   * that fails, and one that does not.
   */
  readonly renewalTimeoutMs: number;
}

export const defaultSocketTiming: SocketTiming = {
  backoffMs: 100,
  maxBackoffMs: 2_500,
  connectTimeoutMs: 5_000,
  probeTimeoutMs: 2_000,
  renewalTimeoutMs: 6_500,
};

/** What was sent, and has not left after so long, has to wait, ms. */
const SETTLE_MS = 250;
/** A timer that is later than this was held up with the page, and what has arrived may still wait to be heard, ms. */
const LATE_MS = 1_000;

const PING = /* @__PURE__ */ envelope(LINK_CHANNEL, /* @__PURE__ */ controlFrame({ kind: "ping" }));

/** What is said of one that is given up. */
const SILENT = "it does not answer";

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

export abstract class ReconnectingSocket extends Reconnecting {
  readonly #options: SocketOptions;
  readonly #timing: SocketTiming;
  #socket: WebSocketLike | undefined;
  /** When an answer of the relay is due that is awaited, monotonic ms. */
  #due = 0;
  /** Looks how much of what was sent has to wait. */
  #waitingTimer: ReturnType<typeof setTimeout> | undefined;
  /** When the relay last said anything, monotonic ms. */
  heardAt = 0;
  /** Bytes that came since anything was sent. */
  protected receivedSinceSent = 0;
  /** What the WebSocket said of its error, if it says anything. */
  #error = "";

  constructor(options: SocketOptions, timing: SocketTiming) {
    super(timing);
    this.#options = options;
    this.#timing = timing;
  }

  /** An attempt begins. */
  protected abstract dialed(): void;
  /** The connection is open. */
  protected abstract opened(): void;
  protected abstract message(data: Uint8Array): void;

  isHidden(): boolean {
    return this.#options.isHidden();
  }

  /** Closes without a leave, until `wake`; if it is connected or means to be. [LIVE-11] */
  suspend(): void {
    if (this.phase !== "idle" && this.phase !== "refused") this.leave("suspended", GOING_AWAY);
  }

  /** Sends, if it is open; what matters is sent again on the next `opened`. */
  send(frame: Uint8Array): void {
    if (this.phase !== "open") return;
    this.receivedSinceSent = 0;
    this.#socket?.send(frame);
  }

  /**
   * Something says that the network may have changed: does not wait, and does not believe an old connection, which is given up if
   * it does not answer soon. [ACT-4] [LIVE-13]
   */
  override wake(): void {
    this.#expectAnswer(PING, this.#timing.probeTimeoutMs);
    super.wake();
  }

  /**
   * [LIVE-12] Tells the relay that the page lives, with a frame that it answers, and gives the connection up if it does not
   * answer in time. Returns whether the frame was sent: not while another answer is awaited.
   */
  ask(frame: Uint8Array): boolean {
    if (this.phase !== "open" || this.timer !== undefined) return false;
    this.#expectAnswer(frame, this.#timing.renewalTimeoutMs);
    return true;
  }

  /**
   * Gives an open connection up unless anything comes in time.
   *
   * @param frame what the relay answers; null: nothing is sent, since the relay speaks first
   * @param mayBeLate whether a timer that fires far too late asks again. Then the page was held up, and the answer may have
   * come without being heard yet. False once that has happened: the timers of a throttled page are always late, and it
   * would ask for ever.
   */
  #expectAnswer(frame: Uint8Array | null, timeoutMs: number, mayBeLate = true): void {
    const socket = this.#socket;
    if (socket === undefined || this.phase !== "open") return;
    if (frame !== null) socket.send(frame);
    const now = monotonic();
    const due = now + timeoutMs;
    // an answer that is awaited sooner stays so; but a timer that is overdue is held up, and would only ask again
    if (this.timer !== undefined && this.#due <= due && this.#due > now) return;
    clearTimeout(this.timer);
    this.#due = due;
    // browsers say of all that they were just given that it has not left, also where it need not wait
    let waitingBytes = 0;
    clearTimeout(this.#waitingTimer);
    this.#waitingTimer = setTimeout(() => (waitingBytes = socket.bufferedAmount ?? 0), SETTLE_MS);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const isLate = monotonic() > due + LATE_MS;
      // what leaves after it had to wait, be it slowly, is a sign of life too [LIVE-16]
      const isLeaving = (socket.bufferedAmount ?? 0) < waitingBytes;
      if (isLeaving || (isLate && mayBeLate)) this.#expectAnswer(frame, timeoutMs, !isLate);
      else this.lost(ABNORMAL, SILENT);
    }, timeoutMs);
  }

  protected override dial(): void {
    const { WebSocket, tokens } = this.#options;
    if (WebSocket === null) return;
    const token = tokens.get();
    if (typeof token === "string") return this.#open(WebSocket, token);
    // the token is not there yet: it is waited for again, and after 30 s its function is asked anew [TOKEN-9]
    const timer = this.wait(this.#timing.connectTimeoutMs, () => {
      this.tellFailure({ code: ABNORMAL, reason: "there is no token yet", wasSettled: false, wasDialed: false });
      this.dial();
    });
    void token.then(
      (text) => this.timer === timer && this.#openLater(WebSocket, text),
      () => this.timer === timer && this.retry(),
    );
  }

  /** The token came later: of an address that the WebSocket does not take no caller is left to be told. [LIVE-20] */
  #openLater(WebSocket: WebSocketConstructor, token: string): void {
    try {
      this.#open(WebSocket, token);
    } catch (error) {
      this.refuse(ABNORMAL, String(error));
    }
  }

  #open(WebSocket: WebSocketConstructor, token: string): void {
    const protocols = [LINK_SUBPROTOCOL];
    // [TOKEN-1]
    if (token !== "") protocols.push(AUTH_PREFIX + token);
    const socket = new WebSocket(this.#options.url(), protocols);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#error = "";
    this.enter(
      "connecting",
      setTimeout(() => this.lost(ABNORMAL, SILENT), this.#timing.connectTimeoutMs),
    );
    socket.onopen = () => {
      this.#options.tokens.shown();
      this.enter("open");
      // [LIVE-14] the relay speaks first
      this.#expectAnswer(null, this.#timing.connectTimeoutMs);
      this.opened();
    };
    socket.onmessage = (event: { readonly data: ArrayBuffer }) => {
      this.heardAt = monotonic();
      this.receivedSinceSent += event.data.byteLength;
      clearTimeout(this.timer);
      this.timer = undefined;
      this.message(new Uint8Array(event.data));
    };
    socket.onclose = ({ code, reason }: { readonly code: number; readonly reason: string }) => {
      this.closed(code, reason || this.#error);
    };
    // "close" follows, and says what is to be done; browsers say nothing of the error, others do
    socket.onerror = ({ message }: { readonly message?: unknown }) => {
      if (typeof message === "string") this.#error = message;
    };
    this.dialed();
  }

  /** Nothing that the socket still does is heard. */
  protected override letGo(code: number): void {
    const socket = this.#socket;
    clearTimeout(this.#waitingTimer);
    if (socket === undefined) return;
    this.#socket = undefined;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.onerror = () => {};
    // browsers let a page close with 1000 or 3000–4999 only
    if (code === NORMAL) socket.close(code);
    else socket.close();
    if (code === ABNORMAL) socket.terminate?.();
  }
}
