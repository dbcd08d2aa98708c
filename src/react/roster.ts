import { useCallback } from "react";
import type {
  Lobby,
  LobbySnapshot,
  Refusal,
  Room,
  Roster,
  RosterSnapshot,
  RosterStatus,
  User,
} from "../client/index.ts";
import { usePresence } from "./provider.tsx";
import type { Meta } from "./register.ts";
import { type Equal, useSelected } from "./select.ts";

/** Where users come from: a room, any roster, or null for nobody (a room that is not joined yet). */
export type UsersSource<M> = Room<M> | Roster<M> | null;

const NOTHING: LobbySnapshot<never> = Object.freeze({
  status: "connecting",
  refusal: null,
  synced: false,
  users: Object.freeze([]),
  self: null,
  recent: Object.freeze([]),
  rooms: Object.freeze([]),
});

/** A source's roster; the lobby where no source is named. */
export function useRoster<M>(source: UsersSource<M> | undefined): Roster<M> | null {
  const presence = usePresence();
  if (source === undefined) return (presence?.lobby ?? null) as Roster<M> | null;
  if (source === null) return null;
  return "roster" in source ? source.roster : source;
}

/** The lobby, or what `selector` takes of it. */
export function useLobby(): LobbySnapshot<Meta>;
export function useLobby<T>(selector: (lobby: LobbySnapshot<Meta>) => T, equal?: Equal<T>): T;
export function useLobby<T>(selector?: (lobby: LobbySnapshot<Meta>) => T, equal?: Equal<T>): T | LobbySnapshot<Meta> {
  const lobby: Lobby<Meta> | null = usePresence()?.lobby ?? null;
  return useSelected<LobbySnapshot<Meta>, T | LobbySnapshot<Meta>>(
    lobby,
    NOTHING,
    selector ?? identity,
    equal as Equal<T | LobbySnapshot<Meta>> | undefined,
  );
}

/**
 * Everyone in a room (or, without a source, in the lobby), or what `selector` takes of them.
 *
 * @param equal when two selections are the same; default: the same value, or the same members
 */
export function useUsers<M = Meta>(source?: UsersSource<M>): readonly User<M>[];
export function useUsers<T, M = Meta>(
  source: UsersSource<M> | undefined,
  selector: (users: readonly User<M>[]) => T,
  equal?: Equal<T>,
): T;
export function useUsers<T, M = Meta>(
  source?: UsersSource<M>,
  selector?: (users: readonly User<M>[]) => T,
  equal?: Equal<T>,
): T | readonly User<M>[] {
  return useRosterSelection<M, readonly User<M>[], T>(source, usersOf, selector, equal);
}

/** As `useUsers`, without oneself. */
export function useOthers<M = Meta>(source?: UsersSource<M>): readonly User<M>[];
export function useOthers<T, M = Meta>(
  source: UsersSource<M> | undefined,
  selector: (users: readonly User<M>[]) => T,
  equal?: Equal<T>,
): T;
export function useOthers<T, M = Meta>(
  source?: UsersSource<M>,
  selector?: (users: readonly User<M>[]) => T,
  equal?: Equal<T>,
): T | readonly User<M>[] {
  return useRosterSelection<M, readonly User<M>[], T>(source, othersOf, selector, equal);
}

/** Oneself as others in the room see one; null until it is known. */
export function useSelf<M = Meta>(source?: UsersSource<M>): User<M> | null;
export function useSelf<T, M = Meta>(
  source: UsersSource<M> | undefined,
  selector: (self: User<M> | null) => T,
  equal?: Equal<T>,
): T;
export function useSelf<T, M = Meta>(
  source?: UsersSource<M>,
  selector?: (self: User<M> | null) => T,
  equal?: Equal<T>,
): T | User<M> | null {
  return useRosterSelection<M, User<M> | null, T>(source, selfOf, selector, equal);
}

/**
 * How far a room's roster (or, without a source, the lobby's) can be believed: `connecting`, `live`, `stale`, `refused`.
 * [REACT-6]
 */
export function useConnectionStatus<M = Meta>(source?: UsersSource<M>): RosterStatus {
  return useRosterSelection<M, RosterStatus, RosterStatus>(source, statusOf, undefined, undefined);
}

/** Why the relay refused a room (or, without a source, the lobby) for good; null while it did not. [REACT-6] */
export function useRefusal<M = Meta>(source?: UsersSource<M>): Refusal | null {
  return useRosterSelection<M, Refusal | null, Refusal | null>(source, refusalOf, undefined, undefined);
}

function useRosterSelection<M, V, T>(
  source: UsersSource<M> | undefined,
  view: (snapshot: RosterSnapshot<M>) => V,
  selector: ((value: V) => T) | undefined,
  equal: Equal<T> | undefined,
): T | V {
  const select = useCallback(
    (snapshot: RosterSnapshot<M>): T | V => {
      const value = view(snapshot);
      return selector === undefined ? value : selector(value);
    },
    [view, selector],
  );
  return useSelected(useRoster(source), NOTHING as RosterSnapshot<M>, select, equal as Equal<T | V> | undefined);
}

const identity = <T>(value: T): T => value;
const usersOf = <M>(snapshot: RosterSnapshot<M>): readonly User<M>[] => snapshot.users;
const othersOf = <M>(snapshot: RosterSnapshot<M>): readonly User<M>[] => snapshot.users.filter((user) => !user.self);
const selfOf = <M>(snapshot: RosterSnapshot<M>): User<M> | null => snapshot.self;
const statusOf = (snapshot: RosterSnapshot<unknown>): RosterStatus => snapshot.status;
const refusalOf = (snapshot: RosterSnapshot<unknown>): Refusal | null => snapshot.refusal;
