/** All documents of a relay, also those of rooms that nobody is in, and what they take together. [DOC-10] */
import type { RelaySettings } from "../settings.ts";
import type { Broadcast } from "./document.ts";
import type { Pending } from "./pending.ts";
import { noRoom } from "./refusal.ts";
import { SharedDocument } from "./shared.ts";

/** The document of a room that nobody is in. */
export interface Kept {
  /** All of it, as one update. */
  readonly update: Uint8Array;
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

export type DocumentOptions = Pick<
  RelaySettings,
  "documentGc" | "maxDocuments" | "maxDocumentStructs" | "maxUpdateStructs" | "maxSubdocuments" | "maxPendingStructs"
>;

/** What a document takes besides its content, however short that is, about: bytes. Most of it is the Y.Doc of one that is open. */
const KEPT_BYTES = 600;
const OPEN_BYTES = 5_000;
/** Documents that there are may grow until all take so many times what new ones find room in. */
const GROWTH = 2;

export class Documents {
  readonly options: DocumentOptions;
  readonly #warn: (error: Error) => void;
  readonly #kept = new Map<string, Kept>();
  readonly #open = new Map<SharedDocument, number>();
  #bytes = 0;
  #hasWarned = false;

  /** @param warn told once when new documents find no room, until they do again; and when a document cannot be read */
  constructor(options: DocumentOptions, warn: (error: Error) => void) {
    this.options = options;
    this.#warn = warn;
  }

  get counts(): DocumentCounts {
    return { open: this.#open.size, kept: this.#kept.size, bytes: this.#bytes };
  }

  /** The document of a room that opens. */
  of(room: string, broadcast: Broadcast): SharedDocument {
    return new SharedDocument(room, this, broadcast);
  }

  kept(room: string): Kept | undefined {
    return this.#kept.get(room);
  }

  keep(room: string, kept: Kept): void {
    this.release(room);
    this.#kept.set(room, kept);
    this.#bytes += sizeOf(kept);
  }

  /** Its document is open, or gone. */
  release(room: string): void {
    const kept = this.#kept.get(room);
    if (kept === undefined) return;
    this.#kept.delete(room);
    this.#bytes -= sizeOf(kept);
  }

  /** @param contentBytes what the content of an open document takes now */
  resized(document: SharedDocument, contentBytes: number): void {
    const size = contentBytes + OPEN_BYTES;
    this.#bytes += size - (this.#open.get(document) ?? 0);
    this.#open.set(document, size);
    if (this.#bytes < this.options.maxDocuments) this.#hasWarned = false;
  }

  closed(document: SharedDocument): void {
    this.#bytes -= this.#open.get(document) ?? 0;
    this.#open.delete(document);
  }

  /** Whether documents that there are may grow. */
  get canGrow(): boolean {
    return this.#bytes < this.options.maxDocuments * GROWTH;
  }

  /** Throws `FrameError` when a document finds no room. */
  checkRoom(isNew: boolean): void {
    if (this.#bytes < this.options.maxDocuments || (!isNew && this.canGrow)) return;
    const { kept, open } = this.counts;
    if (!this.#hasWarned) {
      this.#hasWarned = true;
      const mebibytes = Math.round(this.#bytes / 2 ** 20);
      this.warn(`no room for new documents: ${open} open and ${kept} kept take ${mebibytes} MiB (maxDocuments)`);
    }
    throw noRoom(isNew ? "no room for new documents" : "no room for what is written to documents");
  }

  warn(message: string, cause?: unknown): void {
    this.#warn(new Error(message, { cause }));
  }
}

function sizeOf({ update, stateVector, pending }: Kept): number {
  return KEPT_BYTES + update.length + stateVector.length + (pending?.bytes ?? 0);
}
