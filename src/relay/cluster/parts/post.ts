/**
 * What this relay sends to others, as fast as the bus takes it. A message that is too long for a bus goes in parts. What is said of
 * the same room meanwhile goes behind it, since it may build on that; other rooms have their turns. [BUS-41]
 */
import * as encoding from "lib0/encoding";
import { encodeMessage } from "../message.ts";

/** A message that is longer goes in parts of this length, bytes. */
export const PART_BYTES: number = 256 * 2 ** 10;
/** So many parts may be with the bus that it has not taken: what comes then waits. */
const WINDOW_PARTS = 2;
/** So much may wait for its turn, bytes: past that what the relay would say is dropped, and heals as any gap does. */
const MAX_WAITING = 64 * 2 ** 20;

export interface PostSetup {
  /** The id of this relay. */
  readonly relay: string;
  /** The length of a part, bytes. */
  readonly partBytes: number;
  /** Hands something to the bus. Where it returns a promise, this resolves once the bus has taken it. */
  publish(topic: string, bytes: Uint8Array): void | Promise<void>;
  onError(error: unknown): void;
}

interface Letter {
  readonly topic: string;
  readonly room: string;
  readonly bytes: Uint8Array;
  /** Of one that goes in parts, its number; null: it goes as it is. */
  readonly number: number | null;
  /** How many parts of it have gone. */
  sent: number;
}

export class Post {
  readonly #setup: PostSetup;
  /** What waits, by room: the room whose turn it is comes first. */
  readonly #waiting = new Map<string, Letter[]>();
  #waitingBytes = 0;
  /** What the bus has not taken yet. */
  #underWay = 0;
  #count = 0;
  #dropped = 0;

  constructor(setup: PostSetup) {
    this.#setup = setup;
  }

  /** How many messages were dropped: too much waited, or the bus was lost. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Sends a message, or has it wait for its turn. @param room that it is about; empty: none */
  send(topic: string, room: string, bytes: Uint8Array): void {
    const { partBytes } = this.#setup;
    // what is about no room builds on nothing
    const key = room === "" ? topic : room;
    const isLong = bytes.length > partBytes;
    const queue = this.#waiting.get(key);
    if (queue === undefined && !isLong && this.#hasRoomFor(bytes.length)) return this.#hand(topic, bytes);
    // one that is longer than all that may wait goes, too, if nothing else waits
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes.length > MAX_WAITING) {
      this.#dropped++;
      return;
    }
    this.#waitingBytes += bytes.length;
    const letter = { topic, room, bytes, number: isLong ? ++this.#count : null, sent: 0 };
    if (queue === undefined) this.#waiting.set(key, [letter]);
    else queue.push(letter);
    this.#sendNext();
  }

  /** Drops all that waits: nobody hears it, and who missed it asks for all. */
  clear(): void {
    for (const queue of this.#waiting.values()) this.#dropped += queue.length;
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }

  #hasRoomFor(length: number): boolean {
    return this.#underWay === 0 || this.#underWay + length <= WINDOW_PARTS * this.#setup.partBytes;
  }

  /** Sends what waits, a part of each room in turn, as long as the bus has room for it. */
  #sendNext(): void {
    for (const [key, queue] of this.#waiting) {
      const [letter] = queue;
      if (letter === undefined) throw new TypeError("unreachable: an empty queue is taken out");
      const { topic, bytes, number } = letter;
      const { partBytes } = this.#setup;
      if (!this.#hasRoomFor(Math.min(bytes.length, partBytes))) return;
      const part = number === null ? bytes : this.#part(letter, number);
      letter.sent++;
      // it is its turn again behind the others
      this.#waiting.delete(key);
      if (letter.sent * partBytes >= bytes.length) {
        queue.shift();
        this.#waitingBytes -= bytes.length;
      }
      if (queue.length > 0) this.#waiting.set(key, queue);
      this.#hand(topic, part);
    }
  }

  #part({ room, bytes, sent }: Letter, number: number): Uint8Array {
    const { relay, partBytes } = this.#setup;
    const body = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, sent);
      encoding.writeVarUint(encoder, Math.ceil(bytes.length / partBytes));
      encoding.writeUint8Array(encoder, bytes.subarray(sent * partBytes, (sent + 1) * partBytes));
    });
    return encodeMessage({ kind: "part", relay, room, seq: number, body });
  }

  #hand(topic: string, bytes: Uint8Array): void {
    try {
      const taken = this.#setup.publish(topic, bytes);
      if (taken === undefined) return;
      this.#underWay += bytes.length;
      const settle = (): void => {
        this.#underWay -= bytes.length;
        this.#sendNext();
      };
      taken.then(settle, (error: unknown) => {
        settle();
        this.#setup.onError(error);
      });
    } catch (error) {
      this.#setup.onError(error);
    }
  }
}
