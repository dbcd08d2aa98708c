/** How the page stands with the relay: the worse of how the lobby and the open document are. */
import type { Refusal, Room, RosterStatus } from "copresence";
import { useConnectionStatus, useRefusal } from "copresence/react";

/** What the page may not see: everything; who is online, though documents work; or the open document. */
export type Refused = "all" | "lobby" | "document";

export type Connection =
  | { readonly state: "connecting" | "live" | "stale" }
  | {
      readonly state: "refused";
      readonly what: Refused;
      readonly refusal: Refusal;
    };

/** A roster: its status, and why the relay refused it for good. */
interface Place {
  readonly status: RosterStatus;
  readonly refusal: Refusal | null;
}

export function connectionOf(lobby: Place, document: Place): Connection {
  if (document.refusal !== null) {
    const same = lobby.refusal?.code === document.refusal.code;
    return { state: "refused", what: same ? "all" : "document", refusal: document.refusal };
  }
  if (lobby.status === "stale" || document.status === "stale") return { state: "stale" };
  if (document.status === "connecting") return { state: "connecting" };
  if (lobby.refusal !== null) return { state: "refused", what: "lobby", refusal: lobby.refusal };
  return { state: lobby.status === "connecting" ? "connecting" : "live" };
}

export function useConnection(room: Room | null): Connection {
  const lobby = { status: useConnectionStatus(), refusal: useRefusal() };
  const document = { status: useConnectionStatus(room), refusal: useRefusal(room) };
  return connectionOf(lobby, document);
}
