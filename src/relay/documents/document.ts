/** What a room needs of its document, and a document of its room. */
import type { FrameError } from "../../wire/index.ts";
import type { Packet } from "../ports/packet.ts";

export interface RoomDocument {
  /** Whether clients have written anything to it. */
  readonly hasContent: boolean;
  /** Whether it is in memory. Until then nothing but `whenReady`, `keepHistory` and `close` may be called. [STORE-1] */
  readonly isReady: boolean;
  /** Whether updates wait for `settle`. */
  readonly isUnsettled: boolean;
  /** Calls back once it is ready, at once if it is; never, if it is closed before. */
  whenReady(run: () => void): void;
  /** The sync step 1 that a newcomer is asked, if anything that it has would be taken. */
  ask(): Uint8Array | null;
  /**
   * What answers a client's sync step 1. Throws `FrameError`.
   *
   * @param isYjs whether it is known to read it with Yjs, not with another implementation
   */
  sync(stateVector: Uint8Array, isYjs?: boolean): readonly Packet[];
  /**
   * Takes an update of a client, or nothing of it. Throws `FrameError`. Others are told at once, or with `settle`.
   *
   * @param from whose it is: who is not told of it
   */
  apply(update: Uint8Array, from: unknown): void;
  /** Takes all updates that wait, and has everybody told of them. */
  settle(): void;
  /**
   * Stores updates that another relay has taken, and may never store itself. [BUS-13]
   *
   * @param isNews whether listeners are told that the document was changed: that other relay may not have told them
   */
  secure(updates: readonly Uint8Array[], isNews: boolean): void;
  /** Keeps what is deleted from now on, for clients that go back in its history. [DOC-11] */
  keepHistory(): void;
  /** Ends it with its room. */
  close(): void;
}

/** Tells everybody who reads the document but `except`, who wrote it. */
export type Broadcast = (packet: Packet, except: unknown) => void;

/** What is told of a document that clients write. */
export interface DocumentHost {
  /** Something was written: everybody who reads it is to be told but `author`; null: everybody. */
  sendUpdate(packet: Packet, author: unknown): void;
  /** What another relay has sent was taken, as far as it was new. That relay stores it, unless it is lost before. [BUS-13] */
  taken(update: Uint8Array, relay: unknown): void;
  /** An update waits: `settle` is to be called soon. */
  scheduleFlush(): void;
  /** An update of an author that seemed right cannot be taken. */
  refuse(author: unknown, error: FrameError): void;
  /** It took so long to take an update of an author that had waited, ms. */
  charge(author: unknown, ms: number): void;
}
