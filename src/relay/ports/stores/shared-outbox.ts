/**
 * What the relays on one bus share to send webhooks as one: an outbox that one of them at a time may use, the sender; and what
 * all of them have to tell the sender.
 */
import type { Outbox } from "./outbox.ts";

/** Who sends. */
export interface Claim {
  /** The term of the sender, as it named the term when it became that; null: nobody sends. */
  readonly term: string | null;
  /** Changes when all relays are to tell the sender everything anew. */
  readonly epoch: string;
  /** Nobody was the sender before this call, and now the caller is. */
  readonly isNew: boolean;
}

/** Something that was told to the sender. */
export interface ToldReport {
  readonly id: string;
  readonly text: string;
}

/** Its functions reject while it cannot be reached. */
export interface SharedOutbox {
  /**
   * Makes a relay the sender if nobody is, or keeps it the sender if its term is the current one.
   *
   * @param term no other relay, and no other time as the sender, has the same
   * @param forMs so long the relay stays the sender without another call
   * @param mayBegin whether to become the sender where the last term was not ended by `release`
   */
  claim(term: string, forMs: number, mayBegin: boolean): Promise<Claim>;
  /** Ends a term, so that another relay may be the sender at once. Nothing happens if it is not the current one. */
  release(term: string): Promise<void>;
  /** Has all relays tell the sender everything anew. */
  askAll(): Promise<void>;
  /** Tells the sender something, in this order, also one that is the sender only later. */
  tell(texts: readonly string[]): Promise<void>;
  /** What was told and is not forgotten, the oldest first. Waits for something to be told. */
  told(limit: number, waitMs: number): Promise<readonly ToldReport[]>;
  forget(ids: readonly string[]): Promise<void>;
  /** The outbox, as it is used in one term: each write rejects, and changes nothing, once the term is over. */
  outboxOf(term: string): Outbox;
  /** Frees what is held. Called once, after everything else has settled. */
  close(): Promise<void>;
}
