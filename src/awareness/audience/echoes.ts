/**
 * What stock clients say back. Each sends every state that it hears to the server again, so nearly all that comes in from
 * a large room is what went out shortly before, but for the client's own state. That is known by comparing bytes, in a
 * small part of the time that it takes to read them.
 */
import { Buffer } from "node:buffer";
import { type EncodedEntries, countEntries } from "../../wire/index.ts";

/** A message of fewer states is read as fast. */
const MIN_STATES = 8;
/** How many messages are kept: those that may still be on their way back. */
const MAX_KEPT = 8;

/** A message that stock clients were sent. */
interface SentMessage {
  readonly ids: readonly number[];
  readonly offsets: readonly number[];
  readonly bytes: Buffer;
}

export class Echoes {
  /** The newest first. */
  #sent: readonly SentMessage[] = [];

  /** Stock clients were sent this. */
  told(ids: readonly number[], { payload, offsets }: EncodedEntries): void {
    if (ids.length < MIN_STATES) return;
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
    this.#sent = [{ ids, offsets, bytes }, ...this.#sent.slice(0, MAX_KEPT - 1)];
  }

  /**
   * Whether an awareness update says back, word for word, what was told of others. Throws `FrameError`.
   *
   * @param own the id of the client that says it
   */
  has(update: Uint8Array, own: number): boolean {
    if (this.#sent.length === 0) return false;
    const { count, from } = countEntries(update);
    if (count < MIN_STATES - 1) return false;
    return this.#sent.some((sent) => {
      const left = sent.ids.length - count;
      if (left !== 0 && left !== 1) return false;
      const place = sent.ids.indexOf(own);
      if (place < 0) return left === 0 && sent.bytes.equals(update);
      return left === 1 && isWithout(place, sent, update, from);
    });
  }

  forget(): void {
    this.#sent = [];
  }
}

/** Whether an update, whose entries begin at `start`, is what was told without the state at that place. */
function isWithout(place: number, { bytes, offsets }: SentMessage, update: Uint8Array, start: number): boolean {
  const [first = 0] = offsets;
  const { [place]: from = 0, [place + 1]: to = 0 } = offsets;
  const middle = start + from - first;
  if (update.length !== middle + bytes.length - to) return false;
  return (
    bytes.compare(update, start, middle, first, from) === 0 && bytes.compare(update, middle, update.length, to) === 0
  );
}
