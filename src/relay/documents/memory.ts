/**
 * What documents take in memory, also those of rooms that nobody is in, and whether there is room for more. No document is ever
 * dropped. [DOC-10]
 */
import type { Pending } from "./pending.ts";
import { noRoom } from "./update/refusal.ts";

/** The document of a room that nobody is in. */
export interface Kept {
  /** The document as one update. */
  readonly update: Uint8Array;
  /** Updates that were taken since, where they could not be made one with `update`; most often none. [DOC-12] */
  readonly rest: readonly Uint8Array[];
  readonly stateVector: Uint8Array;
  readonly pending: Pending | null;
  readonly keepsHistory: boolean;
}

export interface DocumentCounts {
  /** Documents that somebody writes, or reads a part of: in memory as Yjs has them. */
  readonly open: number;
  /** Documents of which only the encoding is kept, of rooms that nobody is in. */
  readonly kept: number;
  /** What all of them take, about: bytes. */
  readonly bytes: number;
}

/** What a document takes besides its content, however short that is, about: bytes. Most of it is the Y.Doc of an open document. */
const KEPT_BYTES = 600;
const OPEN_BYTES = 5_000;
/** Documents that are there may grow until all of them take so many times what new documents find room in. [DOC-25] */
const GROWTH = 2;

export class DocumentMemory {
  readonly #maxBytes: number;
  readonly #onFull: (message: string) => void;
  readonly #kept = new Map<string, Kept>();
  /** What open documents take, by their rooms, bytes. */
  readonly #open = new Map<string, number>();
  #bytes = 0;
  #hasWarned = false;

  /**
   * @param maxBytes past it no new document finds room
   * @param onFull told once when new documents find no room, until they do again [DOC-20]
   */
  constructor(maxBytes: number, onFull: (message: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onFull = onFull;
  }

  get counts(): DocumentCounts {
    return { open: this.#open.size, kept: this.#kept.size, bytes: this.#bytes };
  }

  /** The document of a room that nobody is in; undefined: there is none in memory. */
  kept(room: string): Kept | undefined {
    return this.#kept.get(room);
  }

  /** Nobody is in a room any more: its document is kept so. */
  keep(room: string, kept: Kept): void {
    this.release(room);
    this.#kept.set(room, kept);
    this.#bytes += sizeOf(kept);
  }

  /** The document that was kept of a room is open now, or gone. */
  release(room: string): void {
    const kept = this.#kept.get(room);
    if (kept === undefined) return;
    this.#kept.delete(room);
    this.#bytes -= sizeOf(kept);
  }

  /** The document of a room is open. @param contentBytes what its content takes now */
  resized(room: string, contentBytes: number): void {
    const size = contentBytes + OPEN_BYTES;
    this.#bytes += size - (this.#open.get(room) ?? 0);
    this.#open.set(room, size);
    if (this.#bytes < this.#maxBytes) this.#hasWarned = false;
  }

  /** The document of a room is open no more. */
  closed(room: string): void {
    this.#bytes -= this.#open.get(room) ?? 0;
    this.#open.delete(room);
  }

  /** What the content of a document takes, about, bytes; undefined: the document is not in memory. */
  sizeOf(room: string): number | undefined {
    const open = this.#open.get(room);
    if (open !== undefined) return open - OPEN_BYTES;
    return this.#kept.get(room)?.update.length;
  }

  /** Whether documents that are there may grow. */
  get canGrow(): boolean {
    return this.#bytes < this.#maxBytes * GROWTH;
  }

  /** Throws `FrameError` when a document finds no room. [DOC-10] [DOC-20] [DOC-25] */
  checkRoom(isNew: boolean): void {
    if (this.#bytes < this.#maxBytes || (!isNew && this.canGrow)) return;
    const { kept, open } = this.counts;
    if (!this.#hasWarned) {
      this.#hasWarned = true;
      const mebibytes = Math.round(this.#bytes / 2 ** 20);
      this.#onFull(`no room for new documents: ${open} open and ${kept} kept take ${mebibytes} MiB (maxDocuments)`);
    }
    throw noRoom(isNew ? "no room for new documents" : "no room for what is written to documents");
  }
}

function sizeOf({ update, rest, stateVector, pending }: Kept): number {
  const restBytes = rest.reduce((sum, { length }) => sum + length, 0);
  return KEPT_BYTES + update.length + restBytes + stateVector.length + (pending?.bytes ?? 0);
}
