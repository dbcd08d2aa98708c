/** The document of a lobby, which only the relay writes. */
import * as Y from "yjs";
import { syncStep2Frame, updateFrame } from "../../wire/index.ts";
import { encodeAsJson } from "./json.ts";
import { Packet } from "../ports/packet.ts";
import { answerOf, updatePackets } from "./answer.ts";
import { Answers } from "./answers.ts";
import type { Broadcast, RoomDocument } from "./document.ts";
import { type StateVector, readStateVector } from "./update/state-vector.ts";

/** How much more than a snapshot those who come may be sent for its age. */
const MAX_SINCE = 1 / 4;
/** A document that is smaller had better be encoded anew, bytes. */
const MIN_SNAPSHOT = 64 * 1024;
/** Some hundred people, whom a page takes in within a few milliseconds: how long a part of a lobby is at most, bytes. [LOBBY-18] */
const MAX_PART = 32 * 1024;

interface Snapshot {
  /** How large the document was, bytes. */
  readonly size: number;
  readonly stateVector: Uint8Array;
  /** The whole document, as it was then or is later, by what it was encoded with. */
  readonly whole: Map<(doc: Y.Doc) => Uint8Array, readonly Packet[]>;
  /** What was written since; null until somebody asks. */
  since: readonly Packet[] | null;
  sinceBytes: number;
}

/** A document that only the relay writes: clients' updates are ignored. [LOBBY-4] */
export class ReadOnlyDocument implements RoomDocument {
  readonly #doc: Y.Doc;
  readonly #onRead: () => void;
  readonly #others: () => Iterable<Y.Doc>;
  readonly #answers = new Answers<readonly Packet[]>();
  #isRead = false;
  readonly #onUpdate: (update: Uint8Array) => void;
  /** Encoding a large document takes long, and many come at once. */
  #snapshot: Snapshot | null = null;
  /** Documents of other relays as those are sent them who have nothing of them; until they change. */
  readonly #othersWhole = new WeakMap<Y.Doc, readonly Packet[]>();

  /**
   * @param onRead before it is read for the first time: what is in it may wait until then
   * @param others documents of other relays that its readers get with it; who changes them tells the readers
   */
  constructor(doc: Y.Doc, broadcast: Broadcast, onRead: () => void, others: () => Iterable<Y.Doc> = () => []) {
    this.#others = others;
    this.#doc = doc;
    this.#onRead = onRead;
    this.#onUpdate = (update) => {
      this.#age(update);
      broadcast(new Packet(updateFrame(update)), null);
    };
  }

  get hasContent(): boolean {
    return false;
  }

  get isReady(): boolean {
    return true;
  }

  get isUnsettled(): boolean {
    return false;
  }

  whenReady(run: () => void): void {
    run();
  }

  ask(): null {
    return null;
  }

  sync(stateVector: Uint8Array, isYjs = false): readonly Packet[] {
    const known = stateVector.slice();
    // first it is read in our way: Yjs might read on without an end
    readStateVector(known);
    const others = [...this.#others()].flatMap((doc) => this.#other(doc, known));
    // the answer comes last
    return [...others, ...this.#sync(known, isYjs)];
  }

  #other(doc: Y.Doc, stateVector: Uint8Array): readonly Packet[] {
    if (knowsAny(doc, readStateVector(stateVector))) {
      return updatePackets(Y.encodeStateAsUpdate(doc, stateVector.slice()), MAX_PART);
    }
    let whole = this.#othersWhole.get(doc);
    if (whole === undefined) {
      whole = updatePackets(Y.encodeStateAsUpdate(doc), MAX_PART);
      this.#othersWhole.set(doc, whole);
      doc.once("update", () => this.#othersWhole.delete(doc));
    }
    return whole;
  }

  #sync(stateVector: Uint8Array, isYjs: boolean): readonly Packet[] {
    this.#open();
    // first it is read in our way: Yjs might read on without an end
    if (knowsAny(this.#doc, readStateVector(stateVector))) {
      return this.#answers.get(stateVector, () =>
        answerOf([Y.encodeStateAsUpdate(this.#doc, stateVector.slice())], MAX_PART),
      );
    }
    const encode = isYjs ? encodeAsJson : Y.encodeStateAsUpdate;
    let whole = this.#snapshot?.whole.get(encode);
    if (whole === undefined) {
      const update = encode(this.#doc);
      if (update.length < MIN_SNAPSHOT) return [new Packet(syncStep2Frame(update))];
      whole = updatePackets(update, isYjs ? MAX_PART : undefined);
      this.#snapshot ??= this.#begin(update.length);
      this.#snapshot.whole.set(encode, whole);
    }
    // the answer comes last: one who took the snapshot for all of it would see people who have left since
    return [...whole, ...this.#since()];
  }

  #open(): void {
    if (this.#isRead) return;
    this.#isRead = true;
    this.#onRead();
    // there was nobody to be told before
    this.#doc.on("update", this.#onUpdate);
  }

  #begin(size: number): Snapshot {
    return { size, stateVector: Y.encodeStateVector(this.#doc), whole: new Map(), since: null, sinceBytes: 0 };
  }

  /** What was written since the snapshot, as one update: it is far quicker to take than those that were written. */
  #since(): readonly Packet[] {
    if (this.#snapshot === null) return answerOf([]);
    this.#snapshot.since ??= answerOf([Y.encodeStateAsUpdate(this.#doc, this.#snapshot.stateVector)], MAX_PART);
    return this.#snapshot.since;
  }

  /** What clients write is not taken. */
  apply(): void {}

  settle(): void {}

  secure(): void {}

  keepHistory(): void {}

  /** Lets answers go, and the snapshot once those who come had better be sent a new one. */
  #age(update: Uint8Array): void {
    this.#answers.clear();
    if (this.#snapshot === null) return;
    this.#snapshot.since = null;
    this.#snapshot.sinceBytes += update.length;
    if (this.#snapshot.sinceBytes > this.#snapshot.size * MAX_SINCE) this.#snapshot = null;
  }

  close(): void {
    this.#doc.off("update", this.#onUpdate);
  }
}

/** Whether one with this state vector has anything of the document. */
function knowsAny(doc: Y.Doc, known: StateVector): boolean {
  return [...doc.store.clients.keys()].some((client) => known.has(client));
}
