/** Who is in which room, kept up to date user by user. */
import { type JsonObject, type User, compareTexts } from "../../presence/index.ts";
import { byName } from "./roster.ts";
import { SortedList } from "./sorted.ts";

/** A room that somebody is in. */
export interface RoomSummary<Meta = JsonObject> {
  readonly name: string;
  readonly users: readonly User<Meta>[];
  /** How many users. */
  readonly count: number;
}

interface Entry<Meta> {
  readonly users: SortedList<User<Meta>>;
  /** As it was listed last; undefined: it was not. */
  summary: RoomSummary<Meta> | undefined;
}

const NOBODY: readonly never[] = Object.freeze([]);

export class RoomIndex<Meta> {
  readonly #entries = new Map<string, Entry<Meta>>();
  readonly #list = new SortedList<RoomSummary<Meta>>((a, b) => compareTexts(a.name, b.name));
  /** Rooms of which something changed since they were listed. */
  readonly #changed = new Set<string>();

  /** The rooms that somebody is in, by name; the same array, and the same summaries, for as long as nothing changed. */
  get rooms(): readonly RoomSummary<Meta>[] {
    for (const name of this.#changed) {
      const entry = this.#entries.get(name);
      if (entry === undefined) continue;
      const before = entry.summary;
      entry.summary = summaryOf(name, entry);
      this.#list.change(name, before, entry.summary);
      if (entry.users.size === 0) this.#entries.delete(name);
    }
    this.#changed.clear();
    return this.#list.items;
  }

  /** Who is in a room, by name. */
  usersIn(room: string): readonly User<Meta>[] {
    return this.#entries.get(room)?.users.items ?? NOBODY;
  }

  countIn(room: string): number {
    return this.#entries.get(room)?.users.size ?? 0;
  }

  /** Takes the change of one user: undefined where the user is not here. */
  change(userId: string, before: User<Meta> | undefined, after: User<Meta> | undefined): void {
    const [left, entered] = [new Set(roomsOf(before)), roomsOf(after)];
    for (const room of entered) {
      const stays = left.delete(room);
      this.#change(room, userId, stays ? before : undefined, after);
    }
    for (const room of left) this.#change(room, userId, before, undefined);
  }

  #change(room: string, userId: string, before: User<Meta> | undefined, after: User<Meta> | undefined): void {
    let entry = this.#entries.get(room);
    if (entry === undefined) {
      entry = { users: new SortedList<User<Meta>>(byName), summary: undefined };
      this.#entries.set(room, entry);
    }
    entry.users.change(userId, before, after);
    // nobody has listed it: nobody is to be told that it is empty
    if (entry.users.size === 0 && entry.summary === undefined) {
      this.#entries.delete(room);
      this.#changed.delete(room);
    } else this.#changed.add(room);
  }
}

function summaryOf<Meta>(name: string, { users, summary }: Entry<Meta>): RoomSummary<Meta> | undefined {
  const { items, size } = users;
  if (size === 0) return undefined;
  return summary?.users === items ? summary : Object.freeze({ name, users: items, count: size });
}

/** One who is not seen is in no room. */
function roomsOf(user: User<unknown> | undefined): readonly string[] {
  return user === undefined || user.status === "offline" ? NOBODY : user.rooms;
}
