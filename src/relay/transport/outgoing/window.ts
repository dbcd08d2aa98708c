/**
 * How many bytes of long messages may be under way on a link at once. They delay everything that is sent after them, on whatever
 * channel, so the window is no larger than what the line carries in a moment. How much that is, it learns from the time until the
 * other end has read a piece. Pure: `now` comes in. [LINK-2]
 */

/** Pieces are at least this long, bytes: over a line of 2 Mbit/s such a piece takes 33 ms. */
const MIN_PIECE_BYTES = 8 * 1024;
const MAX_PIECE_BYTES = 64 * 1024;
/** Two pieces: one is read while the other is under way. */
const MIN_WINDOW_BYTES = 2 * MIN_PIECE_BYTES;
const MAX_WINDOW_BYTES = 4 * 1024 * 1024;
/** How much longer than the fastest piece a piece may take to be read before the window is made smaller, ms. */
const PATIENCE_MS = 40;

/** A piece that has yet to be read, by when it was sent. */
interface Sent {
  readonly at: number;
  bytes: number;
}

export class SendWindow {
  readonly #sent: Sent[] = [];
  #window = MIN_WINDOW_BYTES;
  #underWay = 0;
  /** How long the fastest piece took to be read, ms. */
  #leastMs = Infinity;
  /** When the window was made smaller last. */
  #shrunkAt = -Infinity;

  /** How long the next piece may be. */
  get pieceBytes(): number {
    return Math.min(MAX_PIECE_BYTES, Math.max(MIN_PIECE_BYTES, Math.floor(this.#window / 4)));
  }

  /** Whether another piece may be sent now. */
  get isOpen(): boolean {
    return this.#underWay < this.#window;
  }

  sent(bytes: number, now: number): void {
    this.#underWay += bytes;
    this.#sent.push({ at: now, bytes });
  }

  /** The other end has read so many bytes of pieces. If it says more than is true, it only delays its own messages. */
  read(bytes: number, now: number): void {
    let rest = bytes;
    let tookMs = 0;
    while (rest > 0) {
      const [first] = this.#sent;
      if (first === undefined) break;
      const part = Math.min(rest, first.bytes);
      first.bytes -= part;
      rest -= part;
      this.#underWay -= part;
      tookMs = now - first.at;
      if (first.bytes === 0) this.#sent.shift();
    }
    this.#leastMs = Math.min(this.#leastMs, tookMs);
    if (tookMs <= this.#leastMs + PATIENCE_MS) this.#window = Math.min(MAX_WINDOW_BYTES, this.#window + bytes - rest);
    else if (now - this.#shrunkAt > tookMs) {
      this.#shrunkAt = now;
      this.#window = Math.max(MIN_WINDOW_BYTES, Math.floor(this.#window / 2));
    }
  }
}
