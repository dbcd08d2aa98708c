/** How the messages of a socket say which of its channels they are of; a stock client's socket has one channel, and needs none. */
export interface Addressing {
  /** Takes a message apart; a null frame: the rest of it comes with later messages. Throws `FrameError`. */
  split(message: Uint8Array): { readonly channel: string; readonly frame: Uint8Array | null };
  /** Bytes of messages that came in pieces, and are not whole yet. Default: none do. */
  readonly held?: number;
  /** What stands before each message of a channel. */
  prefixOf(channel: string): Uint8Array;
  /** What tells the other end that one of the channels is over, while the socket goes on. */
  closed(channel: string, code: number, reason: string): Uint8Array;
}
