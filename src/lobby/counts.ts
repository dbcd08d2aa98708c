/**
 * How many people are in a lobby, with which status, and how many in its fullest rooms: kept up to date user by user, so that
 * nobody is walked through to tell it. [WATCH-2]
 */
import type { Status, User } from "../presence/index.ts";

/** Numbers of a lobby. */
export interface Tally {
  /** How many users are present. */
  readonly users: number;
  /** How many of them have each status; 0 is not listed. */
  readonly statuses: Readonly<Partial<Record<Status, number>>>;
  /** How many rooms somebody is in. */
  readonly rooms: number;
  /** The fullest rooms with how many users each; in news of a tally, those that changed: 0 for one that is not among them now. */
  readonly fullest: readonly (readonly [room: string, users: number])[];
}

/** How many rooms are listed with their number of users. */
export const MAX_FULLEST = 100;
/** So many characters of their names together. */
const MAX_NAMES = 4_096;

type Counted = Pick<User, "status" | "rooms">;

export class Counts {
  readonly #tellsRooms: boolean;
  /** As each user was counted. */
  readonly #counted = new Map<string, Counted>();
  readonly #statuses = new Map<Status, number>();
  readonly #rooms = new Map<string, number>();
  /** Rooms by how many users they have; of one number, the room that has had it longest comes first. */
  readonly #byCount = new Map<number, Set<string>>();
  /** The fullest rooms as they were told last. */
  #told: ReadonlyMap<string, number> = new Map();
  #isChanged = false;
  #areRoomsChanged = false;

  /** @param tellsRooms whether it counts rooms [PRIV-2] */
  constructor(users: Iterable<User>, tellsRooms: boolean) {
    this.#tellsRooms = tellsRooms;
    for (const user of users) this.#first(user);
    for (const [room, count] of this.#rooms) this.#have(room, count);
    this.#told = this.#fullest();
  }

  /** Takes one of those who are here already: of a hundred thousand, where each step for each room of each of them tells. */
  #first(user: User): void {
    this.#counted.set(user.id, user);
    add(this.#statuses, user.status, 1);
    if (!this.#tellsRooms) return;
    const { rooms } = user;
    for (const room of rooms.length < 2 ? rooms : new Set(rooms)) add(this.#rooms, room, 1);
  }

  /** Takes a user as they are now; undefined: they are not here. */
  set(userId: string, user: Counted | undefined): void {
    const before = this.#counted.get(userId);
    if (user === undefined) this.#counted.delete(userId);
    else this.#counted.set(userId, user);
    if (before?.status !== user?.status) {
      this.#isChanged = true;
      if (before !== undefined) add(this.#statuses, before.status, -1);
      if (user !== undefined) add(this.#statuses, user.status, 1);
    }
    if (!this.#tellsRooms) return;
    const left = new Set(before?.rooms);
    for (const room of new Set(user?.rooms)) if (!left.delete(room)) this.#move(room, 1);
    for (const room of left) this.#move(room, -1);
  }

  /** All of it, as of the last news. */
  get whole(): Tally {
    return this.#tally([...this.#told]);
  }

  /** The numbers, with those of the fullest rooms that changed since this was asked last; null: nothing changed. */
  news(): Tally | null {
    if (!this.#isChanged) return null;
    this.#isChanged = false;
    const before = this.#told;
    if (this.#areRoomsChanged) this.#told = this.#fullest();
    this.#areRoomsChanged = false;
    const changed = [...this.#told].filter(([room, count]) => before.get(room) !== count);
    const gone = [...before.keys()].filter((room) => !this.#told.has(room));
    return this.#tally([...changed, ...gone.map((room) => [room, 0] as const)]);
  }

  #tally(fullest: Tally["fullest"]): Tally {
    const { size } = this.#counted;
    return { users: size, statuses: Object.fromEntries(this.#statuses), rooms: this.#rooms.size, fullest };
  }

  #move(room: string, by: 1 | -1): void {
    this.#isChanged = true;
    this.#areRoomsChanged = true;
    const before = this.#rooms.get(room) ?? 0;
    const same = this.#byCount.get(before);
    if (same?.delete(room) === true && same.size === 0) this.#byCount.delete(before);
    const count = add(this.#rooms, room, by);
    if (count > 0) this.#have(room, count);
  }

  #have(room: string, count: number): void {
    const others = this.#byCount.get(count);
    if (others === undefined) this.#byCount.set(count, new Set([room]));
    else others.add(room);
  }

  #fullest(): Map<string, number> {
    const found = new Map<string, number>();
    let characters = 0;
    for (const count of [...this.#byCount.keys()].toSorted((a, b) => b - a)) {
      for (const room of this.#byCount.get(count) ?? []) {
        characters += room.length;
        if (found.size === MAX_FULLEST || characters > MAX_NAMES) return found;
        found.set(room, count);
      }
    }
    return found;
  }
}

/** Returns the number as it is then; of what is 0 nothing is kept. */
function add<K>(counts: Map<K, number>, key: K, by: number): number {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
  return count;
}
