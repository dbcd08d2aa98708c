/**
 * Where documents outlive the relay: a log of updates for each room, and now and then a snapshot of all that came before.
 * Updates are Yjs updates (version 1); the relay has checked them before it stores them.
 */

import type { PeopleStore } from "./people-store.ts";

/** How far the log of a room goes: what `append` returns, and `compact` takes. Only the store knows what it means. */
export type Position = string;

/** What `load` rejects with where a part of a document is missing or cannot be read: all other documents are well. */
export class DamagedDocumentError extends Error {}

/** What is stored of a room's document. */
export interface StoredDocument {
  /** All that was stored up to some moment, as one update; null: there was no compaction yet. */
  readonly snapshot: Uint8Array | null;
  /** What was appended since the snapshot, in order. */
  readonly updates: readonly Uint8Array[];
  /** Up to where the log was read. */
  readonly position: Position;
}

/**
 * A store of documents. All of its functions may be called for many rooms at a time, and for one room by several relays at
 * a time. A promise that rejects says that nothing was stored: the relay reports the error, and tries again.
 */
export interface DocumentStore {
  /** Where people outlive the relay, too. Default: nowhere; a store may keep documents alone. */
  readonly people?: PeopleStore;
  /** false: no other process can use it, so it is no store for relays on a bus. Default: one may. [BUS-25] */
  readonly isShared?: boolean;
  /**
   * Reads the document of a room.
   *
   * @param signal aborts when the relay needs the document no longer
   * @returns null: nothing was ever stored for this room
   */
  load(room: string, signal: AbortSignal): Promise<StoredDocument | null>;
  /**
   * Adds updates to the end of a room's log: all of them, or none. Resolves once they are kept.
   *
   * @returns the position behind the last of them
   */
  append(room: string, updates: readonly Uint8Array[]): Promise<Position>;
  /**
   * Puts a snapshot in the place of everything up to a position. What was appended after that position stays.
   *
   * @param snapshot all that `load` gave up to this position, as one update
   * @returns false: another compaction has been there meanwhile, and nothing was changed
   */
  compact(room: string, snapshot: Uint8Array, upTo: Position): Promise<boolean>;
  /**
   * Names the rooms that have a stored document, each once, in any order. A store may lack this function: then nobody can
   * list its rooms, and all else works. [STORE-24]
   */
  list?(): AsyncIterable<string>;
  /**
   * Deletes a room's document: its snapshot and its whole log, or nothing of them. What is appended afterwards begins a new
   * document. A compaction with a position from before the deletion changes nothing. A store may lack this function: then
   * nobody can delete its documents, and all else works. [STORE-24]
   *
   * @param unusedSince ms since the epoch: only if the document was last in use before then, as `touch` noted. Given only to
   * a store that has `touch` and `unused`
   * @returns false: nothing was stored for this room, or it was in use since
   */
  delete?(room: string, unusedSince?: number): Promise<boolean>;
  /**
   * Notes that documents are in use. The relay says so of each document that is opened, before it loads it, of those that
   * are open once an hour at least, and of one that is left. Rooms without a document are passed by, and stay without one.
   * A store may lack this function, as it may lack `unused`: then `documentTtl` cannot be set, and all else works. [STORE-44]
   *
   * @param at ms since the epoch
   */
  touch?(rooms: readonly string[], at: number): Promise<void>;
  /**
   * Names the rooms whose documents were last in use before a moment, in any order. A document of which that was never noted
   * counts as in use now, and that is noted. [STORE-44]
   *
   * @param before ms since the epoch
   * @param now ms since the epoch
   */
  unused?(before: number, now: number): AsyncIterable<string>;
  /** Frees what the store holds. Called once, after the last `append` has settled. */
  close?(): Promise<void>;
}
