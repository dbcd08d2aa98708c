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
