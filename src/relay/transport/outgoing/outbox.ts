/** Data that was sent over one socket and that the other end has yet to read. */
import { isAwareness } from "../../../wire/index.ts";
import { Packet } from "../../ports/packet.ts";
import type { ServerSocket } from "../../ports/socket.ts";
import type { UnsentData } from "../../flow/unsent.ts";

/**
 * How much may be sent to a page before it says that it reads. A frozen page reads nothing, and its browser takes no more than 128 KiB
 * for it. Past that, pings would wait behind data that nobody reads, and the page would be taken for dead. [FLOW-4]
 */
const WINDOW_BYTES = 96 * 1024;

/** What it takes to remember that a message waits which others wait for, too, about: bytes. */
const HELD_BYTES = 200;

/** Most connections hold no large message, and a set for each would take memory. Nothing is ever added to this one. */
const NONE_HELD: Set<Packet> = new Set();

/** What is needed of the socket. */
export interface Outlet extends Pick<ServerSocket, "bufferedAmount" | "keepsPackets" | "send"> {
  /** Whether a message is sent piece by piece, as it is read: what waits of it is no copy. Default: none is. */
  isPaced?(packet: Packet): boolean;
}

export class Outbox {
  readonly #socket: Outlet;
  readonly #unsent: UnsentData;
  /** Bytes that were sent since the other end last spoke. `#unechoed` counts those of them that a stock client sends back. */
  #unanswered = 0;
  #sent = 0;
  #unechoed = 0;
  /** Bytes that wait for this socket alone, as they were counted last. `#owedShared` counts those that wait for others as well. */
  #owed = 0;
  #owedShared = 0;
  #held: Set<Packet> = NONE_HELD;

  constructor(socket: Outlet, unsent: UnsentData) {
    this.#socket = socket;
    this.#unsent = unsent;
  }

  /** Bytes that were ever sent, or wait to be. */
  get sent(): number {
    return this.#sent;
  }

  /** Bytes that wait, also those that wait for other sockets, too. */
  get unsent(): number {
    return this.#owed + this.#owedShared;
  }

  /** Whether the other end has yet to say that it has read what it was sent last. */
  get isUnanswered(): boolean {
    return this.#unanswered > WINDOW_BYTES;
  }

  /** Whether a stock client has yet to say back what it was sent last. [FLOW-8] */
  get isUnechoed(): boolean {
    return this.#unechoed > WINDOW_BYTES;
  }

  /** The other end spoke: it reads. */
  answered(): void {
    this.#unanswered = this.#unechoed = 0;
  }

  /** @param prefix what comes before the message, to say which channel it is of */
  send(packet: Packet, prefix: Uint8Array | null): void {
    this.#sent += packet.message.length;
    const isPaced = this.#socket.isPaced?.(packet) === true;
    // a message that is sent piece by piece does not run ahead of its reader
    if (!isPaced) this.#unanswered += packet.message.length;
    if (isAwareness(packet.message)) this.#unechoed += packet.message.length;
    const isShared = isPaced || (this.#socket.keepsPackets && this.#unsent.isShared(packet));
    if (isShared && !this.#held.has(packet)) {
      this.#sendShared(packet, prefix);
    } else this.#socket.send(packet, prefix);
    this.recount();
  }

  recount(): void {
    this.#owes(Math.max(0, this.#socket.bufferedAmount - this.#owedShared));
  }

  /** The socket is over: nothing waits any more. */
  close(): void {
    for (const packet of this.#held) this.#letGo(packet);
    this.#owes(0);
  }

  #owes(owed: number): void {
    if (owed === this.#owed) return;
    this.#unsent.changed(owed - this.#owed);
    this.#owed = owed;
  }

  #sendShared(packet: Packet, prefix: Uint8Array | null): void {
    this.#unsent.hold(packet);
    this.#unsent.changed(HELD_BYTES);
    this.#owedShared += packet.message.length;
    if (this.#held === NONE_HELD) this.#held = new Set();
    this.#held.add(packet);
    this.#socket.send(packet, prefix, () => this.#letGo(packet));
  }

  #letGo(packet: Packet): void {
    if (!this.#held.delete(packet)) return;
    this.#unsent.release(packet);
    this.#unsent.changed(-HELD_BYTES);
    this.#owedShared -= packet.message.length;
  }
}
