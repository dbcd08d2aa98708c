/**
 * How the page stands with the relay. The client says `connecting`, `live` and `stale` as state, and a final refusal as an
 * event: it is kept here, for whoever asks later.
 */
import type { Room, Roster, RosterEvents } from "copresence";
import { useLobby, usePresence } from "copresence/react";
import { useSyncExternalStore } from "react";
import { useRosterStatus } from "./useRosterStatus.ts";

export type Refusal = RosterEvents["refused"];

/** What the page may not see: everything; who is online, though documents work; or the open document. */
export type Refused = "all" | "lobby" | "document";

export type Connection =
  | { readonly state: "connecting" | "live" | "stale" }
  | {
      readonly state: "refused";
      readonly what: Refused;
      readonly refusal: Refusal;
    };

interface Watched {
  refusal: Refusal | null;
  readonly listeners: Set<() => void>;
}

type AnyRoster = Pick<Roster<unknown>, "on">;

const watched = new WeakMap<AnyRoster, Watched>();

/** From now on, keeps what the relay refuses a roster with, until that roster is live again. */
export function watchRefusal(roster: AnyRoster): Watched {
  const known = watched.get(roster);
  if (known !== undefined) return known;
  const entry: Watched = { refusal: null, listeners: new Set() };
  watched.set(roster, entry);
  const become = (refusal: Refusal | null) => {
    entry.refusal = refusal;
    for (const listener of entry.listeners) listener();
  };
  roster.on("refused", become);
  roster.on("status", (status) => {
    if (status === "live") become(null);
  });
  return entry;
}

const never = () => () => {};

/** Why the relay will not have us at a room or lobby, or null while nothing speaks against it. */
export function useRefusal(roster: AnyRoster | undefined): Refusal | null {
  const entry = roster && watchRefusal(roster);
  const subscribe = (listener: () => void) => {
    entry?.listeners.add(listener);
    return () => void entry?.listeners.delete(listener);
  };
  return useSyncExternalStore(entry ? subscribe : never, () => entry?.refusal ?? null);
}

/** How the lobby alone is. */
export function useLobbyState(): Connection["state"] {
  const presence = usePresence();
  const status = useLobby((lobby) => lobby.status);
  return useRefusal(presence?.lobby) === null ? status : "refused";
}

/** The worse of how the lobby and the open document are. */
export function useConnection(room: Room | null): Connection {
  const presence = usePresence();
  const lobby: string = useLobby(({ status }) => status);
  const document: string = useRosterStatus(room);
  const lobbyRefusal = useRefusal(presence?.lobby);
  const documentRefusal = useRefusal(room?.roster);
  if (documentRefusal !== null) {
    const same = lobbyRefusal?.code === documentRefusal.code;
    return { state: "refused", what: same ? "all" : "document", refusal: documentRefusal };
  }
  if (lobby === "stale" || document === "stale") return { state: "stale" };
  if (document === "connecting") return { state: "connecting" };
  if (lobbyRefusal !== null) return { state: "refused", what: "lobby", refusal: lobbyRefusal };
  return { state: lobby === "connecting" ? "connecting" : "live" };
}
