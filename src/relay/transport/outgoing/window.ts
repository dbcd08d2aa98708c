/**
 * How much of what is long may be under way on a link at once. What is under way delays all that is sent after it, on
 * whatever channel; so no more is than the line carries in a moment, which is learnt from how long its reading takes. Pure:
 * `now` comes in. [LINK-2]
 */

/** As small as pieces get, bytes: over a line of 2 Mbit/s one takes 33 ms. */
const MIN_PIECE_BYTES = 8 * 1024;
const MAX_PIECE_BYTES = 64 * 1024;
/** Two pieces: one is read while the other is under way. */
const MIN_WINDOW_BYTES = 2 * MIN_PIECE_BYTES;
const MAX_WINDOW_BYTES = 4 * 1024 * 1024;
/** How much longer than the least a piece may take to be read before less is sent at once, ms. */
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
  /** The least time that a piece took to be read. */
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

  /** The other end has read so many bytes of pieces. One that says too much gains nothing but delays of its own. */
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
