/**
 * What the relay tells of the lobby where its document is not read: the people that are watched, and numbers. [WATCH-1]
 */
import type { JsonObject, Status, Unsubscribe } from "../../presence/index.ts";
import { readShardUser } from "../../lobby/layout.ts";
import type { UnionUser } from "../../lobby/union.ts";
import type { Control, CountsMessage } from "../../wire/index.ts";

/** Told of whom something else is known; with `isHeard` false, of whom something is known for the first time. */
export type OnPeople = (userIds: Iterable<string> | null, isHeard?: boolean) => void;

/** What is known of the people of a lobby, wherever from. */
export interface LobbyPeople<Meta> {
  /** What is read is a live relay's word. */
  readonly isVouched: boolean;
  /** Takes the awareness states of the lobby. Returns whether anybody may have come or gone by that. */
  vouch(states: Iterable<unknown>): boolean;
  userIds(): Set<string>;
  read(userId: string): UnionUser<Meta>;
  observe(listener: OnPeople): Unsubscribe;
}

export class ToldPeople<Meta = JsonObject> implements LobbyPeople<Meta> {
  isVouched = false;
  /** How many users have each status; undefined: it is not told. */
  statuses: Readonly<Partial<Record<Status, number>>> | undefined;
  /** How many users are in the fullest rooms, by name. */
  readonly fullest: Map<string, number> = new Map();
  userCount = 0;
  roomCount = 0;
  #isCounted = false;
  readonly #wantsCounts: boolean;
  readonly #send: (control: Control) => void;
  /** As the relay told of each last, of those that are watched. */
  readonly #users = new Map<string, unknown>();
  readonly #watched = new Set<string>();
  /** Those of whom the relay has told nothing since they are watched. */
  readonly #fresh = new Set<string>();
  /** Questions that are not answered. */
  #asked = 0;
  #listener: OnPeople = () => {};

  /** @param send says it, if there is a connection */
  constructor(wantsCounts: boolean, send: (control: Control) => void) {
    this.#wantsCounts = wantsCounts;
    this.#send = send;
  }

  /** The relay greets on a new connection: it knows nothing of what is wanted. */
  greeted(): void {
    this.#asked = 0;
    this.isVouched = !this.#wantsCounts && this.#watched.size === 0;
    if (!this.isVouched) this.#ask([...this.#watched], this.#wantsCounts);
  }

  /** Changes who is watched. */
  watch(added: readonly string[], dropped: readonly string[]): void {
    for (const userId of dropped) {
      for (const each of [this.#watched, this.#fresh, this.#users]) each.delete(userId);
    }
    for (const userId of added) {
      this.#watched.add(userId);
      this.#fresh.add(userId);
    }
    if (dropped.length > 0) this.#send({ kind: "unwatch", users: dropped });
    if (added.length > 0) this.#ask(added);
  }

  /** Whether the relay has yet to tell of a user. */
  awaits(userId: string): boolean {
    return this.#fresh.has(userId);
  }

  /** Takes what the relay says. Returns whether it was about this. */
  take(control: Control): boolean {
    if (control.kind === "counts") this.#count(control);
    else if (control.kind !== "people") return false;
    else {
      const [known, fresh]: [string[], string[]] = [[], []];
      for (const [userId, user] of control.users) {
        // the user is not watched any more
        if (!this.#watched.has(userId)) continue;
        if (user === null) this.#users.delete(userId);
        else this.#users.set(userId, user);
        (this.#fresh.delete(userId) ? fresh : known).push(userId);
      }
      if (control.done === true && --this.#asked === 0) {
        this.isVouched = true;
        this.#fresh.clear();
      }
      this.#listener(known);
      this.#listener(fresh, false);
    }
    return true;
  }

  /** Whether the numbers are others than when this was asked last. */
  takeNews(): boolean {
    const isNews = this.#isCounted;
    this.#isCounted = false;
    return isNews;
  }

  vouch(): boolean {
    return false;
  }

  userIds(): Set<string> {
    return new Set(this.#users.keys());
  }

  read(userId: string): UnionUser<Meta> {
    const value = this.#users.get(userId);
    if (value === undefined) return { info: undefined, claims: new Map(), lastSeen: 0 };
    return readTold<Meta>(userId, value);
  }

  observe(listener: OnPeople): Unsubscribe {
    this.#listener = listener;
    return () => {
      this.#listener = () => {};
    };
  }

  #ask(users: readonly string[], counts = false): void {
    this.#asked++;
    this.#send({ kind: "watch", users, ...(counts && { counts }) });
  }

  #count({ users, statuses, rooms, fullest, whole }: CountsMessage): void {
    this.statuses = Object.freeze(statuses);
    this.userCount = users;
    this.roomCount = rooms;
    if (whole === true) this.fullest.clear();
    for (const [room, count] of fullest) {
      if (count > 0) this.fullest.set(room, count);
      else this.fullest.delete(room);
    }
    this.#isCounted = true;
    this.#listener([]);
  }
}

/** What the relay told of a user. */
export function readTold<Meta>(userId: string, value: unknown): UnionUser<Meta> {
  const { user, claims, lastSeen } = readShardUser<Meta>(userId, value);
  return { info: user, claims: new Map(claims.map((claim) => [claim.session.id, claim])), lastSeen };
}
