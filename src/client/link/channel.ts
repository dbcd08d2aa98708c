/** One room of a link: as a connection of its own would be, but it opens without a handshake, and shares the link's signs of life. */
import { ABNORMAL, type OpenRequest } from "../../wire/index.ts";
import { type BackoffTiming, type Failure, Reconnecting } from "./reconnecting.ts";

/** Who is told what becomes of a channel. */
export interface ChannelHandler {
  /** An attempt begins. */
  dialed(): void;
  /** The relay has let it in, and its first message follows. */
  opened(): void;
  message(bytes: Uint8Array): void;
  /** An open channel is gone: lost, ended, suspended, or refused. */
  down(): void;
  /**
   * An attempt failed or the channel was lost, and another attempt follows.
   *
   * @param trouble what is wrong, in words for the person who has to mend it; null: nothing unusual
   */
  failed(trouble: string | null): void;
  /** Whether to come back all the same after a close code that means "for good". */
  forgives(code: number, reason: string): boolean;
  /** The relay ended it for good, and no other attempt follows. */
  refused(code: number, reason: string): void;
}

export type ChannelRequest = Pick<OpenRequest, "room" | "keepsHistory">;

/** What a channel needs of its link. */
export interface ChannelLink {
  isHidden(): boolean;
  /** The channel is to be opened: now, or once the link is there. Throws what the WebSocket does for a bad address. */
  wants(channel: Channel): void;
  /** Asks the relay for a channel. Returns its number. */
  open(channel: Channel): number;
  /** The relay is told that the channel is over. */
  close(number: number): void;
  say(number: number, message: Uint8Array): void;
  /** Tells the relay that the page lives, though the channel has nothing else to say. */
  keepAlive(): void;
  /** Has the relay answer if it has said nothing for long. */
  doubt(): void;
  /** What is to be said of a failure; null: nothing yet. */
  troubleOf(failure: Failure): string | null;
}

export class Channel extends Reconnecting {
  readonly request: ChannelRequest;
  readonly handler: ChannelHandler;
  readonly #link: ChannelLink;
  /** Under which the relay knows it; null: it does not. */
  #number: number | null = null;

  constructor(request: ChannelRequest, handler: ChannelHandler, link: ChannelLink, timing: BackoffTiming) {
    super(timing);
    this.request = request;
    this.handler = handler;
    this.#link = link;
  }

  /** Sends, if it is open; what matters is sent again on the next `opened`. */
  send(message: Uint8Array): void {
    if (this.phase === "open" && this.#number !== null) this.#link.say(this.#number, message);
  }

  keepAlive(): void {
    if (this.phase === "open") this.#link.keepAlive();
  }

  doubt(): void {
    this.#link.doubt();
  }

  isHidden(): boolean {
    return this.#link.isHidden();
  }

  // what the link tells

  /** The link is being dialed, or there. */
  dialed(): void {
    if (this.phase === "connecting") this.handler.dialed();
  }

  /** The link is there. */
  linkOpened(): void {
    if (this.phase === "connecting") this.#number ??= this.#link.open(this);
  }

  linkFailed(trouble: string | null): void {
    if (this.phase === "connecting") this.handler.failed(trouble);
  }

  linkRefused(code: number, reason: string): void {
    if (this.phase === "connecting") this.refuse(code, reason);
  }

  /** The link is gone, and comes back with all that is wanted. */
  linkDown(): void {
    this.#number = null;
    if (this.phase !== "idle" && this.phase !== "refused") this.leave("connecting", ABNORMAL);
  }

  message(bytes: Uint8Array): void {
    if (this.phase === "connecting") {
      this.enter("open");
      this.handler.opened();
    }
    this.handler.message(bytes);
  }

  /** [LINK-5] The relay has closed it, or did not open it; the link goes on. */
  override closed(code: number, reason: string): void {
    this.#number = null;
    super.closed(code, reason);
  }

  // what becomes of it

  protected override dial(): void {
    this.enter("connecting");
    this.#link.wants(this);
  }

  protected override letGo(): void {
    if (this.#number !== null) this.#link.close(this.#number);
    this.#number = null;
  }

  protected override down(): void {
    this.handler.down();
  }

  protected override failed(failure: Failure): void {
    this.handler.failed(this.#link.troubleOf(failure));
  }

  protected override forgives(code: number, reason: string): boolean {
    return this.handler.forgives(code, reason);
  }

  protected override refused(code: number, reason: string): void {
    this.handler.refused(code, reason);
  }
}
