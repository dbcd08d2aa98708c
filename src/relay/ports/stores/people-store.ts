/**
 * Where what is known of people outlives the relay: who left and when they were last seen, and the status that they chose.
 *
 * Each relay writes records of its own, under an id that is new with each start, so that several relays may use one store
 * and none overwrites what another knows. Who reads them takes of each person the newest: of the time, and of the choice.
 */
import type { ManualChoice, UserInfo } from "../../../presence/index.ts";

/** What one relay knows of one person in one lobby. */
export interface PersonRecord {
  /** The lobby's room: `@lobby`, `@lobby/acme`. */
  readonly lobby: string;
  /** With the id of the user, and name, colour and avatar as others saw them last. At most some KiB as JSON. */
  readonly user: UserInfo;
  /** The newest choice of status that the relay heard of; null: none. */
  readonly choice: ManualChoice | null;
  /** When the person was last seen, ms since the epoch; null: they are here, and are seen for as long as the relay lives. */
  readonly lastSeen: number | null;
}

/** A record as it is read: somebody who is here was last seen when their relay last saved anything. */
export interface StoredPerson extends PersonRecord {
  readonly lastSeen: number;
}

/** What a relay saves at a time. */
export interface PeopleCheckpoint {
  /** The relay that writes. */
  readonly relay: string;
  /** Now, ms since the epoch: all whom this relay has as here are alive. */
  readonly at: number;
  /** Records that take the place of those that this relay had of the same persons in the same lobbies. */
  readonly changed: readonly PersonRecord[];
  /** Persons whose records of this relay go. */
  readonly forgotten: readonly { readonly lobby: string; readonly userId: string }[];
}

/**
 * A store of people. A promise that rejects says that nothing was stored: the relay reports the error, and tries again.
 * Ids and lobbies may hold any characters.
 */
export interface PeopleStore {
  /** Names the records that `load` found damaged, and left out. Default: none ever is. [PEOPLE-9] */
  readonly damaged?: ReadonlySet<string>;
  /**
   * Reads all records of all relays, in any order, some at a time.
   *
   * @param since leaves out those who were last seen earlier, ms since the epoch
   * @param signal aborts when the relay stops
   */
  load(since: number, signal: AbortSignal): AsyncIterable<readonly StoredPerson[]>;
  /** Takes a checkpoint: all of it, or nothing. */
  save(checkpoint: PeopleCheckpoint): Promise<void>;
  /** Drops all records of those who were last seen before this time, ms since the epoch, and relays that have none left. */
  forget(before: number): Promise<void>;
}
