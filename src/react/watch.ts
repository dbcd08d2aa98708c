import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { Roster, User, Watch } from "../client/index.ts";
import { usePresence } from "./provider.tsx";
import type { Meta } from "./register.ts";
import { type UsersSource, useRoster, useUsers } from "./roster.ts";

/**
 * Watches these people for as long as the component is mounted, also where the lobby is not read: a contact list. Give it to
 * `useUsers`, `useUser`, `useUserIds` or `useCount`.
 *
 * @param userIds may be a new array at each render
 * @returns null at first, on the server, and while the provider has no client
 * @throws as `presence.watch`, from an effect
 */
export function useWatch(userIds: readonly string[]): Watch<Meta> | null {
  const presence = usePresence();
  const [watch, setWatch] = useState<Watch<Meta> | null>(null);
  const key = JSON.stringify(userIds);
  const ids = useMemo(() => JSON.parse(key) as string[], [key]);
  const latest = useRef(ids);

  useEffect(() => {
    latest.current = ids;
    watch?.set(ids);
  }, [watch, ids]);

  useEffect(() => {
    if (presence === null) return;
    const made = presence.watch(latest.current);
    setWatch(made);
    return () => {
      setWatch(null);
      made.stop();
    };
  }, [presence]);

  return watch;
}

/**
 * The ids of everyone in a room (or, without a source, in the lobby), by name: the component renders again when somebody comes
 * or goes or the order changes, and not when somebody only changes. With `useUser` in each row of it, a long list costs what
 * changes in it. [REACT-7]
 */
export function useUserIds<M = Meta>(source?: UsersSource<M>): readonly string[] {
  return useUsers<readonly string[], M>(source, idsOf);
}

/** One user of a room (or, without a source, of the lobby), or of whom is remembered that they left; else null. [REACT-7] */
export function useUser<M = Meta>(userId: string, source?: UsersSource<M>): User<M> | null {
  const read = useCallback((roster: Roster<M>) => roster.get(userId) ?? null, [userId]);
  return useRosterValue<M, User<M> | null>(source, read, null);
}

/** How many users are in a room or, without a source, in the lobby (also where only numbers of it are read). [REACT-7] */
export function useCount<M = Meta>(source?: UsersSource<M>): number {
  return useRosterValue<M, number>(source, countOf, 0);
}

/** Something of a roster that costs no look at everybody. @param read the same function for as long as it reads the same */
function useRosterValue<M, T>(source: UsersSource<M> | undefined, read: (roster: Roster<M>) => T, empty: T): T {
  const roster = useRoster(source);
  const subscribe = useCallback((listener: () => void) => roster?.subscribe(listener) ?? (() => {}), [roster]);
  return useSyncExternalStore(
    subscribe,
    () => (roster === null ? empty : read(roster)),
    () => empty,
  );
}

const idsOf = (users: readonly User<unknown>[]): readonly string[] => users.map(({ id }) => id);
const countOf = ({ count }: Roster<unknown>): number => count;
