import { type DependencyList, useEffect, useRef, useState } from "react";
import type { Presence } from "../client/index.ts";
import type { Meta, RoomMeta } from "./register.ts";

type Client = Presence<Meta, RoomMeta>;

interface Owned {
  readonly client: Client;
  readonly deps: DependencyList;
  /** Set while it is about to be destroyed. */
  ending?: ReturnType<typeof setTimeout>;
}

/**
 * Makes a client when the component is mounted, and destroys it when the component is gone. Give what it returns to
 * `PresenceProvider`. Nothing is made while a page is rendered on a server.
 *
 * @param create makes the client, `() => createPresence(url, { user })`; null for none, as long as nobody is signed in
 * @param deps when one of them changes, the client is destroyed and made anew. Give what says who the user is. Default: it
 * is made once
 * @returns null at first, on a server, and without `create`
 */
export function usePresenceClient(create: (() => Client) | null, deps: DependencyList = []): Client | null {
  const owned = useRef<Owned | null>(null);
  const [client, setClient] = useState<Client | null>(null);
  const isWanted = create !== null;

  useEffect(() => {
    const before = owned.current;
    if (before !== null && isWanted && sameDeps(before.deps, deps)) {
      // [REACT-5] mounted again in the same turn, as StrictMode does
      clearTimeout(before.ending);
    } else {
      end(before);
      owned.current = create && { client: create(), deps };
      setClient(owned.current?.client ?? null);
    }
    return () => {
      const current = owned.current;
      if (current === null) return;
      current.ending = setTimeout(() => {
        end(current);
        // what is shown again later (React's Activity) makes another
        if (owned.current !== current) return;
        owned.current = null;
        setClient(null);
      }, 0);
    };
    // oxlint-disable-next-line react/exhaustive-deps -- the caller says when the client is another; `create` is new each time
  }, [isWanted, ...deps]);

  return isWanted ? client : null;
}

function end(owned: Owned | null): void {
  if (owned === null) return;
  clearTimeout(owned.ending);
  owned.client.destroy();
}

function sameDeps(a: DependencyList, b: DependencyList): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}
