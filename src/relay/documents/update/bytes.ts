/**
 * Reads the parts that Yjs updates are made of, strictly: what lib0 would read as NaN, as Infinity or beyond the end is
 * malformed here. Throws `FrameError`.
 */
import { FrameError } from "../../../wire/index.ts";

/** The longest that lib0 reads without losing digits. */
const MAX_INTEGER_BYTES = 8;

export class UpdateReader {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new FrameError("update is truncated");
    return byte;
  }

  uint(): number {
    let byte = this.byte();
    if (byte < 128) return byte;
    let value = byte & 127;
    let factor = 128;
    for (let length = 2; length <= MAX_INTEGER_BYTES; length++) {
      byte = this.byte();
      value += (byte & 127) * factor;
      if (byte >= 128) {
        factor *= 128;
        continue;
      }
      if (value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    throw new FrameError("update has a number out of range");
  }

  /** A signed integer of lib0, whose value does not matter. */
  skipInt(): void {
    for (let length = 1; length <= MAX_INTEGER_BYTES; length++) if (this.byte() < 128) return;
    throw new FrameError("update has a number out of range");
  }

  skip(length: number): void {
    if (length > this.bytes.length - this.at) throw new FrameError("update is truncated");
    this.at += length;
  }

  skipBytes(): void {
    this.skip(this.uint());
  }

  /** Checks a text and returns its length in UTF-16 units, which Yjs counts in. */
  skipText(): number {
    const length = this.uint();
    const from = this.at;
    this.skip(length);
    return utf16Length(this.bytes, from, this.at);
  }

  text(): string {
    const length = this.uint();
    const from = this.at;
    this.skip(length);
    utf16Length(this.bytes, from, this.at);
    // it is UTF-8, so that this decodes it as Yjs does, a byte order mark included
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + from, length).toString("utf8");
  }
}

/** Throws `FrameError` for what is no UTF-8, such as half of a surrogate pair: Yjs would throw, too. */
function utf16Length(bytes: Uint8Array, from: number, end: number): number {
  let units = 0;
  let at = from;
  while (at < end) {
    const lead = bytes[at++] ?? 0;
    units++;
    if (lead < 0x80) continue;
    let second = at < end ? (bytes[at] ?? 0) : 0;
    let more: number;
    if (lead >= 0xc2 && lead <= 0xdf) more = 1;
    else if (lead >= 0xe0 && lead <= 0xef) {
      more = 2;
      // overlong, and surrogates
      if ((lead === 0xe0 && second < 0xa0) || (lead === 0xed && second > 0x9f)) second = 0;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3;
      units++;
      // overlong, and above U+10FFFF
      if ((lead === 0xf0 && second < 0x90) || (lead === 0xf4 && second > 0x8f)) second = 0;
    } else more = 0;
    if (more === 0 || at + more > end || second >> 6 !== 2) throw new FrameError("update has a text that is no UTF-8");
    for (let i = 1; i < more; i++) {
      if ((bytes[at + i] ?? 0) >> 6 !== 2) throw new FrameError("update has a text that is no UTF-8");
    }
    at += more;
  }
  return units;
}
