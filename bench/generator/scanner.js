// @ts-check
/**
 * Finds WebSocket frames in the bytes of a socket, doing as little as it can: a frame is handed over as a range of the
 * buffer that it was read into, and of a frame that nobody wants to read more than its beginning is copied or kept.
 */

/** How much of a frame is there at least when a reader that only counts is called: the WebSocket header and some more. */
const HEAD_BYTES = 10 + 64;

/**
 * @typedef {object} FrameHandler
 * @property {boolean} whole  Whether it reads frames to their end; if not, it is handed each frame's beginning only.
 * @property {(opcode: number, bytes: Uint8Array, start: number, end: number, length: number) => void} frame
 *   The payload, or its beginning, is `bytes` from `start` to `end`; the whole payload has `length` bytes.
 */

export class FrameScanner {
  /** @type {FrameHandler} */
  #handler;
  /** Bytes of the current frame that nobody wants to see. */
  #skip = 0;
  #carry = Buffer.alloc(0);
  #carried = 0;

  /** @param {FrameHandler} handler */
  constructor(handler) {
    this.#handler = handler;
  }

  /**
   * @param {Buffer} chunk
   * @param {number} length  how much of the chunk counts
   * @param {number} from  where to begin
   */
  feed(chunk, length, from = 0) {
    let at = from;
    while (at < length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, length - at);
        this.#skip -= skipped;
        at += skipped;
      } else if (this.#carried > 0) {
        at += this.#complete(chunk, at, length);
      } else {
        const wanted = this.#wanted(chunk, at, length);
        if (wanted === 0 || at + wanted > length) return this.#keep(chunk, at, length);
        at += this.#hand(chunk, at, at + wanted);
      }
    }
  }

  /**
   * How many bytes of the frame at `at` have to be there, or 0 while even its header is not.
   *
   * @param {Buffer} bytes
   * @param {number} at
   * @param {number} end
   */
  #wanted(bytes, at, end) {
    const total = frameLength(bytes, at, end);
    return total === 0 || this.#handler.whole ? total : Math.min(total, HEAD_BYTES);
  }

  /**
   * @param {Buffer} bytes
   * @param {number} at
   * @param {number} end  where what was wanted of it ends
   * @returns how much of `bytes` is done with
   */
  #hand(bytes, at, end) {
    const header = headerLength(bytes[at + 1] ?? 0);
    const total = frameLength(bytes, at, end);
    this.#skip = total - (end - at);
    this.#handler.frame((bytes[at] ?? 0) & 0x0f, bytes, at + header, end, total - header);
    return end - at;
  }

  /**
   * @param {Buffer} chunk
   * @param {number} at
   * @param {number} end
   */
  #keep(chunk, at, end) {
    this.#grow(end - at);
    chunk.copy(this.#carry, 0, at, end);
    this.#carried = end - at;
  }

  /**
   * Adds to a frame whose beginning came in an earlier chunk.
   *
   * @param {Buffer} chunk
   * @param {number} at
   * @param {number} end
   * @returns how much of the chunk it took
   */
  #complete(chunk, at, end) {
    const wanted = this.#wanted(this.#carry, 0, this.#carried);
    const target = wanted === 0 ? this.#carried + 1 : wanted;
    // nothing is left to take when the handler wants less than it did when the frame began
    const taken = Math.max(0, Math.min(target - this.#carried, end - at));
    this.#grow(target);
    chunk.copy(this.#carry, this.#carried, at, at + taken);
    this.#carried += taken;
    if (wanted > 0 && this.#carried >= wanted) {
      const kept = this.#carried;
      this.#carried = 0;
      this.#hand(this.#carry, 0, kept);
    }
    return taken;
  }

  /** @param {number} size */
  #grow(size) {
    if (this.#carry.length >= size) return;
    const larger = Buffer.allocUnsafe(Math.max(size, 2 * this.#carry.length, 256));
    this.#carry.copy(larger, 0, 0, this.#carried);
    this.#carry = larger;
  }
}

/** @param {number} second  the second byte of a frame */
function headerLength(second) {
  const code = second & 0x7f;
  return code < 126 ? 2 : code === 126 ? 4 : 10;
}

/**
 * The length of a frame with its header, or 0 while the header is not there. A server's frames have no mask.
 *
 * @param {Buffer} bytes
 * @param {number} at
 * @param {number} end
 */
function frameLength(bytes, at, end) {
  if (end - at < 2) return 0;
  const second = bytes[at + 1] ?? 0;
  const header = headerLength(second);
  if (end - at < header) return 0;
  if (header === 2) return 2 + (second & 0x7f);
  return header === 4 ? 4 + bytes.readUInt16BE(at + 2) : 10 + Number(bytes.readBigUInt64BE(at + 2));
}
