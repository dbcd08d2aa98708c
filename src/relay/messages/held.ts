/**
 * One-off messages for those who do not read fast enough: they wait here, in one log for all members of a room, until the member has
 * read what it was sent. What is dropped, since too much waits or for too long, the member is told the number of. [MSG-8]
 */
import type { Member } from "../ports/member.ts";
import { type Packet, control } from "../ports/packet.ts";
import type { MemoryBudget } from "../util/budget.ts";

/** Most bytes that wait in one room, for all of its members together. */
export const MAX_HELD_BYTES: number = 2 ** 20;
/** What it takes to keep one frame with messages, besides its bytes, about. */
const HELD_OVERHEAD = 300;
/** A message that is older is news no more, ms. */
export const MAX_HELD_MS = 30_000;

/** Messages in one frame. */
export interface Sent {
  readonly packet: Packet;
  readonly count: number;
  /** Whether a member gets it. */
  readonly isFor: (member: Member) => boolean;
}

interface Held extends Sent {
  readonly at: number;
}

/** How far a member has come. */
interface Behind {
  /** The number of the first message in the log that the member has yet to be sent. */
  next: number;
  /** How many messages were dropped before that one, which the member has yet to be told. */
  missed: number;
}

export class HeldMessages {
  /** Counts what all rooms hold. */
  readonly #memory: MemoryBudget;
  readonly #behind = new Map<Member, Behind>();
  #log: Held[] = [];
  /** The number of the first message in the log: each has a number of its own. */
  #first = 0;
  #bytes = 0;

  constructor(memory: MemoryBudget) {
    this.#memory = memory;
  }

  /** Sends messages to those of the members who read, and keeps them for the others. */
  send(sent: Sent, members: Iterable<Member>, now: number): void {
    for (const member of members) {
      if (!sent.isFor(member) || this.#behind.has(member)) continue;
      if (member.lagging) this.#behind.set(member, { next: this.#first + this.#log.length, missed: 0 });
      else member.send(sent.packet);
    }
    if (this.#behind.size > 0) this.#keep({ ...sent, at: now });
  }

  /** A member has read what it was sent: it is sent what waits for it, as far as it goes on reading. */
  catchUp(member: Member, now: number): void {
    const behind = this.#behind.get(member);
    if (behind === undefined) return;
    this.sweep(now);
    while (!member.lagging) {
      if (behind.missed > 0) member.send(control({ kind: "missed", count: behind.missed }));
      behind.missed = 0;
      const held = this.#log[behind.next - this.#first];
      if (held === undefined) return this.left(member);
      behind.next++;
      if (held.isFor(member)) member.send(held.packet);
    }
  }

  /** A member is gone. */
  left(member: Member): void {
    if (this.#behind.delete(member) && this.#behind.size === 0) this.clear();
  }

  /** Drops what is too old. */
  sweep(now: number): void {
    while (now - (this.#log[0]?.at ?? now) > MAX_HELD_MS) this.#dropFirst();
  }

  /** Nobody is to be sent anything any more. */
  clear(): void {
    this.#behind.clear();
    this.#memory.release(this.#bytes);
    this.#first += this.#log.length;
    this.#log = [];
    this.#bytes = 0;
  }

  #keep(held: Held): void {
    const bytes = bytesOf(held);
    this.#log.push(held);
    this.#bytes += bytes;
    this.#memory.add(bytes);
    while (this.#log.length > 0 && (this.#bytes > MAX_HELD_BYTES || this.#memory.isOver)) this.#dropFirst();
  }

  #dropFirst(): void {
    const held = this.#log.shift();
    if (held === undefined) return;
    const bytes = bytesOf(held);
    this.#bytes -= bytes;
    this.#memory.release(bytes);
    for (const [member, behind] of this.#behind) {
      if (behind.next > this.#first) continue;
      behind.next = this.#first + 1;
      if (held.isFor(member)) behind.missed += held.count;
    }
    this.#first++;
  }
}

/** What it takes to keep it. */
function bytesOf({ packet }: Sent): number {
  return packet.message.length + HELD_OVERHEAD;
}
