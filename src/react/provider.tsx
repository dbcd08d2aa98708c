import { type JSX, type ReactNode, createContext, useContext } from "react";
import type { Presence } from "../client/index.ts";
import type { Meta, RoomMeta } from "./register.ts";

const PresenceContext = createContext<Presence<Meta, RoomMeta> | null | undefined>(undefined);

export interface PresenceProviderProps {
  /** From `createPresence`; null for as long as there is none, as on the server. */
  readonly presence: Presence<Meta, RoomMeta> | null;
  readonly children?: ReactNode;
}

/** Makes a client available to the hooks below it. The provider does not destroy the client: its creator does. */
export function PresenceProvider({ presence, children }: PresenceProviderProps): JSX.Element {
  return <PresenceContext.Provider value={presence}>{children}</PresenceContext.Provider>;
}

/**
 * The client; null while the provider has none.
 *
 * @throws outside of a `PresenceProvider`
 */
export function usePresence(): Presence<Meta, RoomMeta> | null {
  const presence = useContext(PresenceContext);
  if (presence === undefined) throw new Error("copresence hooks need a <PresenceProvider> above them");
  return presence;
}
