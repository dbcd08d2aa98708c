/**
 * What the relay tells of the lobby where its document is not read: the people that are watched, and numbers. [WATCH-1]
 */
import type { JsonObject, Unsubscribe } from "../../presence/index.ts";
import { readShardUser } from "../../lobby/layout.ts";
import type { UnionUser } from "../../lobby/union.ts";
import type { Control, CountsMessage, PeopleMessage } from "../../wire/index.ts";

/**
 * Told of whom something else is known.
 *
 * @param isHeard false: something is known of these for the first time. Default: true
 * @param isNews the numbers are others than before. Default: false
 */
export type OnPeople = (userIds: Iterable<string> | null, isHeard?: boolean, isNews?: boolean) => void;

/** What is known of the people of a lobby, wherever from. */
export interface LobbyPeople<Meta> {
  /** What is read is a live relay's word. */
  readonly isVouched: boolean;
  /** Takes the awareness states of the lobby. Returns whether anybody may have come or gone by that. */
  vouch(states: Iterable<unknown>): boolean;
  userIds(): Set<string>;
  read(userId: string): UnionUser<Meta>;
  observe(listener: OnPeople): Unsubscribe;

  // where the lobby's document is not read

  /** The numbers of the lobby; undefined: they are not told. */
  readonly numbers?: CountsMessage | undefined;
  /** How many users are in the fullest rooms, by name. */
  readonly fullest?: ReadonlyMap<string, number>;
  /** Watches these from now on, and no others. Returns who is watched no more. */
  watch?(userIds: ReadonlySet<string>): readonly string[];
  /** Whether the relay has yet to tell of a user who is watched. */
  awaits?(userId: string): boolean;
}

export interface ToldPeople<Meta> extends LobbyPeople<Meta> {
  /** The relay greets on a new connection: it knows nothing of what is wanted. */
  greeted(): void;
  /** Takes what the relay says. Returns whether it was about this. */
  take(control: Control): boolean;
}

/** @param send says it, if there is a connection */
export function createToldPeople<Meta = JsonObject>(
  wantsCounts: boolean,
  send: (control: Control) => void,
): ToldPeople<Meta> {
  let isVouched = false;
  let numbers: CountsMessage | undefined;
  const fullest = new Map<string, number>();
  /** As the relay told of each last, of those that are watched. */
  const users = new Map<string, unknown>();
  let watched: ReadonlySet<string> = new Set();
  /** Those of whom the relay has told nothing since they are watched. */
  const fresh = new Set<string>();
  /** Questions that are not answered. */
  let asked = 0;
  let tell: OnPeople = () => {};

  function ask(userIds: readonly string[], counts = false): void {
    asked++;
    send({ kind: "watch", users: userIds, ...(counts && { counts }) });
  }

  function takePeople(control: PeopleMessage): void {
    const [known, first]: [string[], string[]] = [[], []];
    for (const [userId, user] of control.users) {
      // the user is not watched any more
      if (!watched.has(userId)) continue;
      if (user === null) users.delete(userId);
      else users.set(userId, user);
      (fresh.delete(userId) ? first : known).push(userId);
    }
    if (control.done === true && --asked === 0) {
      isVouched = true;
      fresh.clear();
    }
    tell(known);
    tell(first, false);
  }

  function takeCounts(control: CountsMessage): void {
    numbers = control;
    if (control.whole === true) fullest.clear();
    for (const [room, count] of control.fullest) {
      if (count > 0) fullest.set(room, count);
      else fullest.delete(room);
    }
    tell([], true, true);
  }

  return {
    get isVouched() {
      return isVouched;
    },
    get numbers() {
      return numbers;
    },
    fullest,
    greeted() {
      asked = 0;
      isVouched = !wantsCounts && watched.size === 0;
      if (!isVouched) ask([...watched], wantsCounts);
    },
    watch(userIds) {
      const added = [...userIds].filter((userId) => !watched.has(userId));
      const dropped = [...watched].filter((userId) => !userIds.has(userId));
      watched = userIds;
      for (const userId of added) fresh.add(userId);
      for (const userId of dropped) for (const each of [fresh, users]) each.delete(userId);
      if (dropped.length > 0) send({ kind: "unwatch", users: dropped });
      if (added.length > 0) ask(added);
      return dropped;
    },
    awaits: (userId) => fresh.has(userId),
    take(control) {
      if (control.kind === "counts") takeCounts(control);
      else if (control.kind === "people") takePeople(control);
      else return false;
      return true;
    },
    vouch: () => false,
    userIds: () => new Set(users.keys()),
    read(userId) {
      const value = users.get(userId);
      return value === undefined ? { info: undefined, claims: new Map(), lastSeen: 0 } : readTold<Meta>(userId, value);
    },
    observe(listener) {
      tell = listener;
      return () => {
        tell = () => {};
      };
    },
  };
}

/** What the relay told of a user. */
export function readTold<Meta>(userId: string, value: unknown): UnionUser<Meta> {
  const { user, claims, lastSeen } = readShardUser<Meta>(userId, value);
  return { info: user, claims: new Map(claims.map((claim) => [claim.session.id, claim])), lastSeen };
}
