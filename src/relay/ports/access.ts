import type { Stamp } from "../../awareness/index.ts";

/** What a connection may do in its room, and as whom. */
export interface RoomAccess {
  /** Who the relay knows it to be; null: nobody was asked, and what it claims counts. */
  readonly user: Stamp | null;
  /** The lobby that it counts in. */
  readonly lobby: string;
  /** It is told who is there; in a lobby, by its document. */
  readonly observe: boolean;
  /** What it says of itself is taken. */
  readonly presence: boolean;
  /** It is sent the document. */
  readonly read: boolean;
  /** What it changes about the document is taken. */
  readonly write: boolean;
  /** It may be an agent of somebody else's: a server of the application says so. */
  readonly isServer?: true;
  /** When it ends, ms since the epoch. */
  readonly expiresAt: number | null;
}
