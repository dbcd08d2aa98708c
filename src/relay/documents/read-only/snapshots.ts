/**
 * A document as those are sent it who have nothing of it: a snapshot, and what was written since. Encoding a large document takes
 * long, and many come at once.
 */
import * as Y from "yjs";
import { Packet } from "../../ports/packet.ts";
import { updatePackets } from "../answer.ts";
import { encodeAsJson } from "./json.ts";

/** How much more than a snapshot those who come may be sent for its age. */
const MAX_SINCE = 1 / 4;
/** A document that is smaller had better be encoded anew, bytes. */
const MIN_SNAPSHOT = 64 * 1024;
/** Some hundred people, whom a page takes in within a few milliseconds: how long a part of a lobby is at most, bytes. [LOBBY-18] */
export const MAX_PART: number = 32 * 1024;

type Encode = (doc: Y.Doc) => Uint8Array;

/** Times what is made once for all who come: the first of them is not charged with it. [COST-13] */
export interface ForAll {
  now(): number;
  took(ms: number): void;
}

interface Snapshot {
  /** How large the document was, bytes. */
  readonly size: number;
  readonly stateVector: Uint8Array;
  /** The whole document, as it was then or is later, by what it was encoded with. */
  readonly whole: Map<Encode, readonly Packet[]>;
  /** What was written since; null until somebody asks. */
  since: readonly Packet[] | null;
  sinceBytes: number;
}

export class Snapshots {
  readonly #doc: Y.Doc;
  readonly #last: (update: Uint8Array, maxBytes?: number) => readonly Packet[];
  readonly #forAll: ForAll;
  #snapshot: Snapshot | null = null;

  /** @param last makes messages of what is sent last, each at most so long */
  constructor(doc: Y.Doc, last: (update: Uint8Array, maxBytes?: number) => readonly Packet[], forAll: ForAll) {
    this.#doc = doc;
    this.#last = last;
    this.#forAll = forAll;
  }

  /** All of the document as it is now. @param isYjs it is for a client that reads it with Yjs */
  packets(isYjs: boolean): readonly Packet[] {
    const encode = isYjs ? encodeAsJson : Y.encodeStateAsUpdate;
    let whole = this.#snapshot?.whole.get(encode);
    if (whole === undefined) {
      const startedAt = this.#forAll.now();
      const update = encode(this.#doc);
      if (update.length < MIN_SNAPSHOT) return this.#last(update);
      whole = updatePackets(update, isYjs ? MAX_PART : undefined, true);
      this.#snapshot ??= this.#begin(update.length);
      this.#snapshot.whole.set(encode, whole);
      this.#forAll.took(this.#forAll.now() - startedAt);
    }
    // one who took the snapshot for all of it would see people who have left since
    return [...whole, ...this.#since(this.#snapshot)];
  }

  /** Something was written: lets the snapshot go once those who come had better be sent a new one. */
  age(update: Uint8Array): void {
    if (this.#snapshot === null) return;
    this.#snapshot.since = null;
    this.#snapshot.sinceBytes += update.length;
    if (this.#snapshot.sinceBytes > this.#snapshot.size * MAX_SINCE) this.#snapshot = null;
  }

  #begin(size: number): Snapshot {
    return { size, stateVector: Y.encodeStateVector(this.#doc), whole: new Map(), since: null, sinceBytes: 0 };
  }

  /** What was written since the snapshot, as one update: it is far quicker to take than those that were written. */
  #since(snapshot: Snapshot | null): readonly Packet[] {
    if (snapshot === null) return [];
    snapshot.since ??= this.#last(Y.encodeStateAsUpdate(this.#doc, snapshot.stateVector), MAX_PART);
    return snapshot.since;
  }
}
