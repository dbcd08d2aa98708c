/**
 * Messages that go out over a link of many rooms. A short message goes at once. A long one goes piece by piece, in turns with the long
 * messages of other rooms, so that the document of one room does not hold up the cursors of another. [LINK-2]
 */
import { LAST_PIECE, PIECE, headOfPart, isDocument } from "../../../wire/index.ts";
import type { Clock } from "../../ports/clock.ts";
import { Packet } from "../../ports/packet.ts";
import type { Outlet } from "./outbox.ts";
import { SendWindow } from "./window.ts";

/** A message with a document goes in pieces from this size on, bytes. */
const LONG_DOCUMENT_BYTES = 8 * 1024;
/** Any other message does from this size on: shorter ones are in nobody's way for long. */
const LONG_BYTES = 64 * 1024;

/** A message that waits, and how much of it has been sent. */
interface Waiting {
  readonly packet: Packet;
  readonly onLeft: (() => void) | undefined;
  from: number;
}

/** The messages of one channel that wait, in their order. */
interface Lane {
  readonly prefix: Uint8Array;
  readonly messages: Waiting[];
  /** How many of them hold no document. */
  others: number;
}

export class Lanes implements Outlet {
  readonly #socket: Outlet;
  readonly #clock: Pick<Clock, "now">;
  /** null: nothing has been sent in pieces yet, as to most of thousands of links. */
  #window: SendWindow | null = null;
  /** The lanes in which messages wait: the first is next. */
  #lanes: Lane[] = [];
  #waitingBytes = 0;

  constructor(socket: Outlet, clock: Pick<Clock, "now">) {
    this.#socket = socket;
    this.#clock = clock;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount + this.#waitingBytes;
  }

  get keepsPackets(): boolean {
    return this.#socket.keepsPackets;
  }

  isPaced({ message }: Packet): boolean {
    return message.length > (isDocument(message) ? LONG_DOCUMENT_BYTES : LONG_BYTES);
  }

  send(packet: Packet, prefix: Uint8Array | null = null, onLeft?: () => void): void {
    if (prefix === null) return this.#socket.send(packet, prefix, onLeft);
    const isOther = !isDocument(packet.message);
    const lane = this.#lanes.find((each) => each.prefix === prefix || sameHead(each.prefix, prefix));
    // a channel's presence may overtake its document, but neither overtakes itself, nor a document its presence
    const isFree = lane === undefined || (isOther && lane.others === 0);
    if (isFree && !this.isPaced(packet)) {
      return this.#socket.send(packet, prefix, onLeft);
    }
    this.#wait(lane ?? this.#laneOf(prefix), { packet, onLeft, from: 0 }, isOther);
    this.#goOn();
  }

  /** The other end has read so many bytes of pieces. */
  read(bytes: number): void {
    if (this.#window === null) return;
    this.#window.read(bytes, this.#clock.now());
    this.#goOn();
  }

  /** The socket or one channel is over: messages that wait are not sent any more. @param prefix of the channel; null: of all */
  drop(prefix: Uint8Array | null): void {
    const dropped = this.#lanes.filter((lane) => prefix === null || sameHead(lane.prefix, prefix));
    this.#lanes = this.#lanes.filter((lane) => !dropped.includes(lane));
    for (const { messages } of dropped) {
      for (const { packet, from, onLeft } of messages) {
        this.#waitingBytes -= packet.message.length - from;
        onLeft?.();
      }
    }
  }

  #laneOf(prefix: Uint8Array): Lane {
    const lane: Lane = { prefix, messages: [], others: 0 };
    this.#lanes.push(lane);
    return lane;
  }

  #wait(lane: Lane, message: Waiting, isOther: boolean): void {
    lane.messages.push(message);
    if (isOther) lane.others++;
    this.#waitingBytes += message.packet.message.length;
  }

  #goOn(): void {
    const window = (this.#window ??= new SendWindow());
    while (window.isOpen) {
      const lane = this.#lanes.shift();
      const [message] = lane?.messages ?? [];
      if (lane === undefined || message === undefined) return;
      if (this.#sendPiece(lane, message, window)) {
        lane.messages.shift();
        if (!isDocument(message.packet.message)) lane.others--;
      }
      // the other channels come first now
      if (lane.messages.length > 0) this.#lanes.push(lane);
    }
  }

  /** Returns whether that was the last of the message. */
  #sendPiece({ prefix }: Lane, message: Waiting, window: SendWindow): boolean {
    const { packet, from, onLeft } = message;
    const whole = packet.message;
    const end = Math.min(whole.length, from + window.pieceBytes);
    const isLast = end === whole.length;
    message.from = end;
    this.#waitingBytes -= end - from;
    // [FLOW-7] a socket that copies what it is given (TLS) has its own copy from now on: the shared message need not be counted for it
    const whenLeft = isLast && this.#socket.keepsPackets ? onLeft : undefined;
    if (from === 0 && isLast) this.#socket.send(packet, prefix, whenLeft);
    else {
      window.sent(end - from, this.#clock.now());
      const piece = new Packet(whole.subarray(from, end));
      this.#socket.send(piece, headOfPart(prefix, isLast ? LAST_PIECE : PIECE), whenLeft);
    }
    if (isLast && whenLeft === undefined) onLeft?.();
    return isLast;
  }
}

function sameHead(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
