/** What is measured while the relay works. Its functions are called on the hot path: they are cheap, and never throw. */
export interface Probe {
  /**
   * A room has told its members what changed.
   *
   * @param tookMs how long that took
   * @param waitedMs how long the oldest of the changes had waited for it
   */
  flushed(room: string, tookMs: number, waitedMs: number): void;
  /** A message came in, of so many bytes. */
  received(bytes: number): void;
}

/** Measures nothing. */
export const noProbe: Probe = { flushed() {}, received() {} };
