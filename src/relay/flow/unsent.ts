/**
 * All that the relay has sent and that waits for somebody to read it: one bound for all connections together. The
 * connection for which most of it waits is closed first. [FLOW-6]
 *
 * A large message to many is one buffer, so it counts once for as long as anybody has yet to be sent it. What is small
 * counts for each connection that it waits for.
 */
import { MemoryBudget } from "../util/budget.ts";
import type { Packet } from "../ports/packet.ts";

/** A connection as one that has something yet to read. */
export interface Debtor {
  /** Bytes that wait for it, also those that wait for others, too. */
  readonly unsent: number;
  /** Looks again how much waits for this one alone, and has it counted. */
  recount(): void;
  /** It is closed, and what waits for it is let go. */
  giveUp(): void;
}

/** From this size on, a message to many counts once, bytes. */
const SHARED_BYTES = 64 * 1024;
/** Once the bound is passed, room is made for more than the next message: down to this part of it. */
const MADE_ROOM = 7 / 8;

export class UnsentData {
  readonly #budget: MemoryBudget;
  /** Large messages, with how many connections they wait for. */
  readonly #shared = new Map<Packet, number>();

  /** @param max bytes; 0: any number */
  constructor(max: number) {
    this.#budget = new MemoryBudget(max);
  }

  /** Bytes that wait for anybody. */
  get bytes(): number {
    return this.#budget.used;
  }

  get isOver(): boolean {
    return this.#budget.isOver;
  }

  /**
   * Whether a message is counted once for all whom it waits for: then its sender must `hold` and `release` it. [FLOW-7]
   */
  isShared(packet: Packet): boolean {
    return packet.message.length >= SHARED_BYTES;
  }

  hold(packet: Packet): void {
    const holders = this.#shared.get(packet) ?? 0;
    if (holders === 0) this.#budget.add(packet.message.length);
    this.#shared.set(packet, holders + 1);
  }

  release(packet: Packet): void {
    const holders = this.#shared.get(packet) ?? 0;
    if (holders > 1) this.#shared.set(packet, holders - 1);
    else if (this.#shared.delete(packet)) this.#budget.release(packet.message.length);
  }

  /** More waits for one connection alone now, or less. @param bytes how much */
  changed(bytes: number): void {
    this.#budget.add(bytes);
  }

  /** Gives up those who keep most waiting, when it is too much. What has left meanwhile is only noticed here. */
  shed(debtors: Iterable<Debtor>): void {
    if (!this.isOver) return;
    const largestFirst: Debtor[] = [];
    for (const debtor of debtors) {
      debtor.recount();
      if (debtor.unsent > 0) largestFirst.push(debtor);
    }
    largestFirst.sort((a, b) => b.unsent - a.unsent);
    for (const debtor of largestFirst) {
      if (this.#budget.excess(MADE_ROOM) === 0) return;
      debtor.giveUp();
    }
  }
}
