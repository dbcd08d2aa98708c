/**
 * All that is known of one client id in a room, in one place: it is here (`live`, or `orphaned` while its lost connection
 * may return), it has `departed` not long ago, or its user is still `expected` back under it.
 */
import type { Claim } from "../presence/index.ts";
import { keyOf } from "../util/key.ts";
import type { Fields, Mark, StateBytes } from "../wire/index.ts";
import type { Author } from "./author.ts";

/** A client id that is here. The register writes it; `visible`, `mark` and `publication` are the room's. */
export interface PresentEntry {
  /** `live`: its author is connected. `orphaned`: its author's connection was lost, and may return within the grace. */
  phase: "live" | "orphaned";
  readonly id: number;
  readonly room: string;
  /** The author's own clock, as last heard. */
  clock: number;
  /** The state as its author wrote it: the author's patches apply to this one. */
  authoredState: StateBytes;
  /** The state as observers get it: with the relay's word on who it is from, and when. */
  publishedState: StateBytes;
  /** What both take, about: bytes. */
  weight: number;
  /** What the published state says of its user and session. */
  claim: Claim;
  /** The lobby that it counts in. */
  readonly lobby: string;
  /** The address that it was first said from. */
  readonly address: string;
  /** Who may set or remove it; null while it is orphaned, and for the relay's own state. */
  owner: Author | null;
  /** Who the relay knows its author as; null where nobody was asked. */
  user: string | null;
  /** When its connection last gave a sign of life, monotonic ms. */
  lastSeen: number;
  /** Times of its state that lay ahead of the relay's clock; null: none did. */
  corrected: CorrectedTimes | null;
  /** Its author is a stock client, which minds the clock that it is sent its own state with. */
  isStock: boolean;
  /** Another relay speaks for it: who it is to users and lobbies is counted there. */
  isRemote: boolean;
  /** When its session last began to speak through a connection, by the relays' clocks: of two the higher counts. [BUS-9] */
  heldAt: number;
  /** What another relay says of it, while one speaks for it. */
  remote: RemoteDetails | null;
  /** Observers may see it. */
  visible: boolean;
  /** What native observers are told of its connection. */
  mark: Mark;
  /** What observers were told of the id; null: nothing yet. */
  publication: Publication | null;
}

/** Two relays that let a session speak in the same ms are told apart by the rest of the number. */
export const TIES = 4_096;

/** When a session began to speak through a connection, as relays compare it. @param date ms since the epoch [BUS-9] */
export function heldAtOf(date: number): number {
  return date * TIES;
}

/** What the relay that holds an author's connection says of it besides its state. */
export interface RemoteDetails {
  /** The clock that observers are told: that relay alone gives it out. [BUS-6] */
  readonly clock: number;
  readonly mark: Mark;
}

/** Times as an author said them, and as the relay has them instead. ms since the epoch; -1: there is none. */
export interface CorrectedTimes {
  readonly saidAt: number;
  readonly at: number;
  readonly saidSince: number;
  readonly since: number;
}

/** What observers were told of a client id, and what they have yet to hear. It outlives a leave, as an observer's memory does. */
export interface Publication {
  readonly id: number;
  /** The entry that is here under the id; null: it has left. */
  entry: PresentEntry | null;
  /** It has left because its session speaks through another relay now. */
  isElsewhere: boolean;
  /** The last clock that anybody was sent. */
  clock: number;
  /** Observers have been told of its state and not of its end. */
  shown: boolean;
  /** When its state was last sent to all, monotonic ms. */
  sentAt: number;
  /** What all observers have not heard yet. */
  pending: "changed" | "removed" | null;
  /** What native observers were told; null: nothing. */
  native: NativePublication | null;
}

export interface NativePublication {
  /** The short name that the id goes by. */
  readonly name: number;
  /** The fields as all native observers have them; null where they do not. */
  fields: Fields | null;
  /** Some may have them, though not all. */
  isHeardOf: boolean;
}

/** A client id that left, remembered so that an echo of it on its way does not bring a ghost back. */
export interface DepartedEntry {
  readonly phase: "departed";
  readonly id: number;
  readonly clock: number;
  /** The record of the author that took the state back; null: the author's connection was lost. */
  readonly by: AuthorRecord | null;
  /** Who may come back under the id, of one whose connection was lost; null where nobody was asked. */
  readonly user: string | null;
  /** The address that it was first said from. */
  readonly address: string;
  /** Monotonic ms. */
  readonly at: number;
  readonly publication: Publication | null;
}

/** A client id that left long ago, kept for its user: a stock client that was away for hours returns with the id that it had. */
export interface ExpectedEntry {
  readonly phase: "expected";
  readonly id: number;
  readonly user: string;
}

export type Entry = PresentEntry | DepartedEntry | ExpectedEntry;

/** What the register remembers of one author; apart from the connection itself, which it would keep in memory. */
export interface AuthorRecord {
  /** The ids that the author owns; mostly one. */
  owned: PresentEntry[];
  /** How many ids that were the author's have left and are still remembered. */
  departed: number;
  /** The author has heard what others say, and says it back. */
  echoes: boolean;
  /** Sessions that newer connections have taken over from this one, by their keys; null: none. */
  superseded: Set<string> | null;
}

export function isPresent(entry: Entry | undefined): entry is PresentEntry {
  return entry !== undefined && (entry.phase === "live" || entry.phase === "orphaned");
}

/** What tells sessions apart: a user's session in one lobby is another than the one of the same id in another lobby. */
export function sessionKey({ user, session }: Claim, lobby: string): string {
  return keyOf(lobby, user.id, session.id);
}
