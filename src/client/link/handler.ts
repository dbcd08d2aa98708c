/** What becomes of a connection: of the one WebSocket of a client, or of a channel in it. */

/** How an attempt to connect, or a connection, came to its end. */
export interface Failure {
  /** The close code. */
  readonly code: number;
  /** Why, if that is known. */
  readonly reason: string;
  /** The connection had lasted for so long that it counts as one that worked. */
  readonly wasSettled: boolean;
  /** The relay was dialed; false: there was nothing to dial it with. */
  readonly wasDialed: boolean;
}

/** Who is told what becomes of a connection that comes back. */
export interface ConnectionHandler {
  /** An attempt begins. */
  dialed(): void;
  /** The connection is open. Of a channel: the relay has let it in, and its first message follows. */
  opened(): void;
  message(bytes: Uint8Array): void;
  /** An open connection is gone: lost, ended, suspended, or refused. */
  down(): void;
  /** An attempt failed or a connection was lost, and another attempt follows. */
  failed(failure: Failure): void;
  /** Whether to come back all the same after a close code that means "for good". */
  forgives(code: number, reason: string): boolean;
  /** The relay ended it for good (4400–4499), or the address cannot be dialed (1006), and no other attempt follows. */
  refused(code: number, reason: string): void;
}
