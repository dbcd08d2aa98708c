/** The document of a lobby, which only the relay writes. */
import * as Y from "yjs";
import { EMPTY_UPDATE, updateFrame } from "../../wire/index.ts";
import { Packet } from "../ports/packet.ts";
import { answerOf, updatePackets } from "./answer.ts";
import { Answers } from "./answers.ts";
import type { Broadcast, RoomDocument } from "./document.ts";
import { type ForAll, MAX_PART, Snapshots } from "./read-only/snapshots.ts";
import { type StateVector, readStateVector } from "./update/state-vector.ts";

const UNTIMED: ForAll = { now: () => 0, took: () => {} };

/** A document that only the relay writes: clients' updates are ignored. [LOBBY-4] */
export class ReadOnlyDocument implements RoomDocument {
  readonly #doc: Y.Doc;
  readonly #onRead: () => void;
  readonly #others: () => Iterable<Y.Doc>;
  readonly #forAll: ForAll;
  readonly #answers = new Answers<readonly Packet[]>();
  #isRead = false;
  readonly #onUpdate: (update: Uint8Array) => void;
  readonly #own: Snapshots;
  /** Of the documents of other relays. [LOBBY-23] */
  readonly #ofOthers = new WeakMap<Y.Doc, Snapshots>();

  /**
   * @param onRead before it is read for the first time: what is in it may wait until then
   * @param others documents of other relays that its readers get with it; who changes them tells the readers
   */
  constructor(
    doc: Y.Doc,
    broadcast: Broadcast,
    onRead: () => void,
    others: () => Iterable<Y.Doc> = () => [],
    forAll: ForAll = UNTIMED,
  ) {
    this.#others = others;
    this.#forAll = forAll;
    this.#doc = doc;
    // the answer comes last
    this.#own = new Snapshots(doc, (update, maxBytes) => answerOf([update], maxBytes), forAll);
    this.#onRead = onRead;
    this.#onUpdate = (update) => {
      this.#answers.clear();
      this.#own.age(update);
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
    const others = [...this.#others()].flatMap((doc) => this.#other(doc, known, isYjs));
    return [...others, ...this.#sync(known, isYjs)];
  }

  #other(doc: Y.Doc, stateVector: Uint8Array, isYjs: boolean): readonly Packet[] {
    if (knowsAny(doc, readStateVector(stateVector))) {
      return updatesOf(Y.encodeStateAsUpdate(doc, stateVector.slice()));
    }
    let snapshots = this.#ofOthers.get(doc);
    if (snapshots === undefined) {
      const made = new Snapshots(doc, updatesOf, this.#forAll);
      // it ends with the document
      doc.on("update", (update: Uint8Array) => made.age(update));
      this.#ofOthers.set(doc, made);
      snapshots = made;
    }
    return snapshots.packets(isYjs);
  }

  #sync(stateVector: Uint8Array, isYjs: boolean): readonly Packet[] {
    this.#open();
    // first it is read in our way: Yjs might read on without an end
    if (!knowsAny(this.#doc, readStateVector(stateVector))) return this.#own.packets(isYjs);
    return this.#answers.get(stateVector, () =>
      answerOf([Y.encodeStateAsUpdate(this.#doc, stateVector.slice())], MAX_PART),
    );
  }

  #open(): void {
    if (this.#isRead) return;
    this.#isRead = true;
    const startedAt = this.#forAll.now();
    this.#onRead();
    this.#forAll.took(this.#forAll.now() - startedAt);
    // there was nobody to be told before
    this.#doc.on("update", this.#onUpdate);
  }

  /** What clients write is not taken. */
  apply(): void {}

  settle(): void {}

  secure(): void {}

  keepHistory(): void {}

  close(): void {
    this.#doc.off("update", this.#onUpdate);
  }
}

/** Whether one with this state vector has anything of the document. */
function knowsAny(doc: Y.Doc, known: StateVector): boolean {
  return [...doc.store.clients.keys()].some((client) => known.has(client));
}

/** Where nothing is to be told, no messages. */
function updatesOf(update: Uint8Array, maxBytes = MAX_PART): readonly Packet[] {
  return update.length === EMPTY_UPDATE.length ? [] : updatePackets(update, maxBytes);
}
