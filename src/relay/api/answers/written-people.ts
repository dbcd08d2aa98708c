/**
 * The people of a room as the bytes of an answer: made once, and used for as long as nothing about any of them changes. All that is
 * new with each answer is the time, which is the `lastSeen` of everybody who is here.
 */
import { createHash } from "node:crypto";
import type { User } from "../../../presence/index.ts";
import { type Counts, countsOf, digestOf, userJson } from "./people.ts";

/** Times have so many digits until the year 2286. */
const DIGITS = 13;
/** So many rooms, and bytes of them, are kept written: those that were asked about last. */
const MAX_ROOMS = 256;
const MAX_BYTES = 16 * 2 ** 20;

export class WrittenPeople {
  readonly counts: Counts;
  /** Changes when anything that is said of them does, but for the time of asking. */
  readonly digest: string;
  readonly #users: readonly User[];
  /** A list in JSON, as it was at some time. */
  readonly #bytes: Buffer;
  /** Where the times are in it. */
  readonly #places: readonly number[];

  constructor(users: Iterable<User>, now: number) {
    this.#users = [...users];
    this.counts = countsOf(this.#users);
    this.digest = createHash("sha1").update(this.#users.map(digestOf).join(" ")).digest("base64url");
    const texts = this.#users.map((user) => Buffer.from(userJson(user, now)));
    const parts = texts.flatMap((text, at) => (at === 0 ? [text] : [COMMA, text]));
    this.#bytes = Buffer.concat([OPEN, ...parts, CLOSE]);
    const places: number[] = [];
    let end = OPEN.length;
    for (const [at, { length }] of texts.entries()) {
      end += length;
      // the time is the last that is said of a user
      if ((this.#users[at]?.sessions.length ?? 0) > 0) places.push(end - 1 - DIGITS);
      end += COMMA.length;
    }
    this.#places = places;
  }

  get size(): number {
    return this.#bytes.length;
  }

  /** Whether it is of these, as they are now. */
  isOf(users: ReadonlyMap<string, User>): boolean {
    if (users.size !== this.#users.length) return false;
    let at = 0;
    for (const user of users.values()) if (user !== this.#users[at++]) return false;
    return true;
  }

  /** The list, between what stands before and behind it. */
  between(before: string, after: string, now: number): Uint8Array<ArrayBuffer> {
    const [start, end] = [Buffer.from(before), Buffer.from(after)];
    const bytes = Buffer.concat([start, this.#bytes, end]);
    const time = Buffer.from(String(now));
    for (const place of this.#places) bytes.set(time, start.length + place);
    return bytes;
  }
}

const [OPEN, CLOSE, COMMA] = [Buffer.from("["), Buffer.from("]"), Buffer.from(",")];

/** The people of the rooms that were asked about last. */
export class WrittenRooms {
  readonly #rooms = new Map<string, WrittenPeople>();
  #bytes = 0;

  of(room: string, users: ReadonlyMap<string, User>, now: number): WrittenPeople {
    const known = this.#rooms.get(room);
    if (known?.isOf(users) === true) return known;
    const written = new WrittenPeople(users.values(), now);
    this.#forget(room);
    this.#rooms.set(room, written);
    this.#bytes += written.size;
    for (const oldest of this.#rooms.keys()) {
      if (this.#rooms.size <= MAX_ROOMS && this.#bytes <= MAX_BYTES) break;
      this.#forget(oldest);
    }
    return written;
  }

  clear(): void {
    this.#rooms.clear();
    this.#bytes = 0;
  }

  #forget(room: string): void {
    this.#bytes -= this.#rooms.get(room)?.size ?? 0;
    this.#rooms.delete(room);
  }
}
