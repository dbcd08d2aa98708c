/** What a register may refuse. */
import type { Author } from "./author.ts";

export interface RegisterLimits {
  /** Largest state, bytes. */
  readonly maxState: number;
  /** Most ids that one connection may own; a relay any number. */
  readonly maxStates: number;
  /** Largest metadata of a session, bytes. */
  readonly maxMeta: number;
}

/**
 * Throws a `FrameError` if these users may not be brought into the lobby by this author.
 *
 * `newIds` is how many client ids come with them that were not here.
 */
export type AdmitUsers = (author: Author, lobby: string, sessions: SessionsByUser, newIds: number) => void;

/** By the id of a user, the ids of sessions. */
export type SessionsByUser = ReadonlyMap<string, ReadonlySet<string>>;
