/** What a server may say as it disconnects a user, and what it is answered. */

/** How a user is disconnected. */
export interface DisconnectOptions {
  /**
   * The close code. After 4400 to 4499 a client does not come back by itself; after any other it does, and is refused for as
   * long as `forMs` says. Default 4403.
   */
  readonly code?: number;
  /** Said to the clients; at most 123 bytes of it. Default: that a server disconnected them. */
  readonly reason?: string;
  /** For so long the user is refused, even with a good token, ms. Default 0: the user may come back at once. */
  readonly forMs?: number;
  /** The lobby that the user is meant in: `acme` for `@lobby/acme`. Default: all. */
  readonly lobby?: string;
}

export interface Disconnected {
  /** How many connections to rooms were closed on this relay; those on other relays are closed, too, and not counted. */
  readonly connections: number;
  /** Until when the user is refused, ms since the epoch; null: the user is not. */
  readonly until: number | null;
}
