/**
 * Where webhooks are kept until their receivers have taken them: a queue of messages for each receiver, and notes on what
 * receivers were told so far. All of it is text.
 */

/** A message in the queue of one receiver. */
export interface KeptMessage {
  /** Its place in the queue: messages go in the order of these numbers. */
  readonly number: number;
  readonly text: string;
}

export type OutboxChange =
  /** A message joins the end of a receiver's queue: its number is above all that were in the queue before. */
  | { readonly type: "queue"; readonly receiver: string; readonly number: number; readonly text: string }
  /** A message leaves the queue; nothing happens if it is not there. */
  | { readonly type: "remove"; readonly receiver: string; readonly number: number }
  /** A note is written, in the place of an older one of the same name; null takes the note away. */
  | { readonly type: "note"; readonly name: string; readonly text: string | null };

/** An outbox. Its functions are called one after the other or side by side; what is written is there for all later calls. */
export interface Outbox {
  /** Whether what is written outlives the process. */
  readonly isDurable: boolean;
  /** Makes all changes, or none. Resolves once they are kept; a promise that rejects says that none was made for sure. */
  write(changes: readonly OutboxChange[]): Promise<void>;
  /** The messages of a receiver with a number above `after`, in order, at most `limit` of them. */
  messages(receiver: string, after: number, limit: number): Promise<readonly KeptMessage[]>;
  /** The receivers that have a queue with something in it. */
  receivers(): Promise<readonly string[]>;
  /** All notes, by name, in any order. */
  notes(): Promise<ReadonlyMap<string, string>>;
  /** Frees what the outbox holds. Called once, after everything else has settled. */
  close(): Promise<void>;
}
