/** Puts messages together again that other relays have sent in parts. Pure but for the parts that it holds. [BUS-41] */
import { FrameError, readRest, readUint, reader } from "../../../wire/index.ts";
import { keyOf } from "../../../util/key.ts";
import type { Message } from "../message.ts";

/** Parts take no more than this together, bytes: of more, the message that began longest ago is given up, and is as good as lost. */
const MAX_BYTES = 128 * 2 ** 20;
/** What a part takes besides its bytes, about. */
const PART_OVERHEAD = 200;
/** A message of which no part has come for so long is given up, ms. */
const STALE_MS = 15_000;

/** A message of which some parts have come. */
interface Partial {
  readonly number: number;
  readonly count: number;
  readonly parts: Uint8Array[];
  bytes: number;
  /** When the last part came, monotonic ms. */
  heardAt: number;
}

export class Assembler {
  /** By topic, relay and room: the one that began longest ago first. */
  readonly #partials = new Map<string, Partial>();
  #bytes = 0;

  /** What the parts take that wait for others, about: bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes a part. Returns the bytes of the whole message with the last one, and null before that, or if a part is missing. Throws
   * `FrameError`.
   *
   * @param now monotonic ms
   */
  take(topic: string, { relay, room, seq, body }: Message, now: number): Uint8Array | null {
    const from = reader(body);
    const [index, count] = [readUint(from), readUint(from)];
    const bytes = readRest(from).slice();
    if (index >= count || bytes.length === 0) throw new FrameError("a part of a message that is none");
    const key = keyOf(topic, relay, room);
    const known = this.#partials.get(key);
    if (known !== undefined && known.number === seq && index < known.parts.length) return null; // it came twice
    const partial = index === 0 ? this.#begin(key, seq, count, now) : known;
    if (partial === undefined) return null;
    if (partial.number !== seq || partial.count !== count || partial.parts.length !== index) {
      this.#forget(key);
      return null;
    }
    partial.parts.push(bytes);
    partial.heardAt = now;
    const taken = bytes.length + PART_OVERHEAD;
    partial.bytes += taken;
    this.#bytes += taken;
    for (const first of this.#partials.keys()) {
      if (this.#bytes <= MAX_BYTES) break;
      this.#forget(first);
    }
    if (partial.parts.length < count || this.#partials.get(key) !== partial) return null;
    this.#forget(key);
    return Buffer.concat(partial.parts);
  }

  /** Gives up those whose relays have stopped in the midst of them. */
  sweep(now: number): void {
    for (const [key, { heardAt }] of this.#partials) if (now - heardAt > STALE_MS) this.#forget(key);
  }

  #begin(key: string, number: number, count: number, now: number): Partial {
    this.#forget(key);
    const partial = { number, count, parts: [], bytes: 0, heardAt: now };
    this.#partials.set(key, partial);
    return partial;
  }

  #forget(key: string): void {
    this.#bytes -= this.#partials.get(key)?.bytes ?? 0;
    this.#partials.delete(key);
  }
}
