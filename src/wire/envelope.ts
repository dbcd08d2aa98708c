/**
 * The envelope of a link: one WebSocket that leads to many rooms. Each WebSocket message begins with a head that says which
 * channel it is of; channel 0 is the link itself. A long message is sent in pieces, so that other messages can go between
 * them: of other channels, and short ones of the same channel.
 */
import * as encoding from "lib0/encoding";
import { FrameError, readRest, readUint, reader } from "./bytes.ts";
import { TOO_LARGE } from "./close.ts";

/** The subprotocol by which a client says that this WebSocket is a link. What is in a channel is as on a socket of `PATCH_SUBPROTOCOL`. */
export const LINK_SUBPROTOCOL = "copresence.v3";
/** The path at which a client of ours asks for a link. */
export const LINK_PATH = "/@link";
/** The channel of what is said to the other end of the link itself. */
export const LINK_CHANNEL = 0;
/** The first number that no channel may have: a head is then never longer than five bytes. */
export const MAX_CHANNEL: number = 2 ** 31;

/** What an envelope holds: a whole message, a piece of one of which more follow, or its last piece. */
export type Part = typeof WHOLE | typeof PIECE | typeof LAST_PIECE;
export const WHOLE = 0;
export const PIECE = 1;
export const LAST_PIECE = 2;
const PARTS = 4;

/** What stands before a message of a channel, or before a piece of one. */
export function envelopeHead(channel: number, part: Part = WHOLE): Uint8Array {
  return encoding.encode((encoder) => encoding.writeVarUint(encoder, PARTS * channel + part));
}

/** The same for another part, given that for a whole message. */
export function headOfPart(head: Uint8Array, part: Part): Uint8Array {
  const other = head.slice();
  other[0] = (other[0] ?? 0) + part;
  return other;
}

/** A message of a channel, in an envelope. [LINK-1] */
export function envelope(channel: number, message: Uint8Array, part: Part = WHOLE): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, PARTS * channel + part);
    encoding.writeUint8Array(encoder, message);
  });
}

/** The envelopes of a message: one, or several with a piece each. [LINK-2] */
export function* envelopesOf(channel: number, message: Uint8Array, pieceBytes: number): Generator<Uint8Array> {
  if (message.length <= pieceBytes) return yield envelope(channel, message);
  let from = 0;
  for (; message.length - from > pieceBytes; from += pieceBytes) {
    yield envelope(channel, message.subarray(from, from + pieceBytes), PIECE);
  }
  yield envelope(channel, message.subarray(from), LAST_PIECE);
}

/** Takes an envelope apart, and no more: what it holds may be a piece. Throws a `FrameError` for what is no envelope. */
export function openEnvelope(data: Uint8Array): {
  readonly channel: number;
  readonly part: number;
  readonly content: Uint8Array;
} {
  const from = reader(data);
  const head = readUint(from);
  return { channel: Math.floor(head / PARTS), part: head % PARTS, content: readRest(from) };
}

/** What came in an envelope. */
export interface Enveloped {
  readonly channel: number;
  readonly part: Part;
  /** The whole message; null: more pieces of it follow. */
  readonly message: Uint8Array | null;
  /** How many bytes of it came in this envelope. */
  readonly bytes: number;
}

/** A message of a channel that is too large: the channel is at fault, and not the link. */
export class ChannelError extends FrameError {
  readonly channel: number;

  constructor(channel: number, message: string) {
    super(message, TOO_LARGE);
    this.channel = channel;
  }
}

/** A message of which the end is still to come: the first `length` of these bytes. */
interface Unfinished {
  bytes: Uint8Array;
  length: number;
}

/** Reads the envelopes of one link, and puts the pieces of each channel's message together. */
export class EnvelopeReader {
  readonly #isKept: (channel: number, bytes: number) => boolean;
  /** null: no message has come in pieces yet. */
  #unfinished: Map<number, Unfinished> | null = null;
  /** Bytes of messages that are not whole. */
  held = 0;

  /**
   * @param isKept whether a piece of a channel's message is kept, given how many bytes of messages that are not whole there
   * would be with it, over all channels; it may throw. Default: all are
   */
  constructor(isKept: (channel: number, bytes: number) => boolean = () => true) {
    this.#isKept = isKept;
  }

  /** Throws a `FrameError` for what is no envelope, and what `isKept` throws. */
  read(data: Uint8Array): Enveloped {
    const { channel, part, content } = openEnvelope(data);
    if (channel >= MAX_CHANNEL) throw new FrameError("there is no such channel");
    switch (part) {
      case WHOLE:
        return { channel, part, message: content, bytes: content.length };
      case PIECE:
      case LAST_PIECE: {
        const message = this.#take(channel, content, part === LAST_PIECE);
        return { channel, part, message, bytes: content.length };
      }
      default:
        throw new FrameError("unknown kind of envelope");
    }
  }

  /** Drops what came so far of a channel's message. */
  forget(channel: number): void {
    this.held -= this.#unfinished?.get(channel)?.length ?? 0;
    this.#unfinished?.delete(channel);
  }

  #take(channel: number, piece: Uint8Array, isLast: boolean): Uint8Array | null {
    if (!this.#isKept(channel, this.held + piece.length)) return null;
    const unfinished = (this.#unfinished ??= new Map());
    const message = unfinished.get(channel) ?? { bytes: new Uint8Array(), length: 0 };
    append(message, piece);
    this.held += piece.length;
    unfinished.set(channel, message);
    if (!isLast) return null;
    this.forget(channel);
    return message.bytes.slice(0, message.length);
  }
}

/**
 * A reader that throws a `ChannelError` for a message that is too large.
 *
 * @param maxBytes how many bytes of messages that are not whole are kept, over all channels
 * @param isOpen whether there is such a channel: of the others no piece is kept
 */
export function boundedReader(maxBytes: number, isOpen: (channel: number) => boolean = () => true): EnvelopeReader {
  const reading = new EnvelopeReader((channel, bytes) => {
    if (!isOpen(channel)) return false;
    if (bytes <= maxBytes) return true;
    reading.forget(channel);
    throw new ChannelError(channel, "message too large");
  });
  return reading;
}

/** Copies a piece, however small, so that it costs its bytes and no more. */
function append(message: Unfinished, piece: Uint8Array): void {
  const { bytes, length } = message;
  message.length += piece.length;
  if (message.length > bytes.length) {
    message.bytes = new Uint8Array(Math.max(message.length, 2 * bytes.length));
    message.bytes.set(bytes);
  }
  message.bytes.set(piece, length);
}
