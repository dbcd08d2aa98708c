/**
 * A Y.Doc, and beside it the last encoding of it that is known to be good, with what was taken since: whatever becomes of
 * the Y.Doc, it can be made again. [DOC-19]
 */
import * as Y from "yjs";
import { FrameError } from "../../../wire/index.ts";
import { partsOf } from "../update/allowance.ts";
import { DeletedRanges } from "./deleted.ts";
import { encodeSince } from "./encode.ts";
import { integrate } from "./integrate.ts";
import { UpdateLog } from "./log.ts";
import { WatchedClients } from "./watched.ts";
import { type Plan, begin, plan } from "../update/plan.ts";
import { type StateVector, statesIn } from "../update/state-vector.ts";
import { type Deletion, type Update, readUpdate } from "../update/update.ts";

/** What was taken is encoded together with the rest once it is more than this, or than half of the rest, bytes. */
const MIN_LOG = 16 * 1024;
/** What was accepted once is not refused again. */
const ANY = { maxUpdateStructs: Infinity, maxSubdocuments: Infinity };
const EMPTY: StateVector = new Map();

/** What Yjs made of an update that was taken, for all others who have the document. */
export interface TakenUpdate {
  readonly update: Uint8Array;
  /** Yjs made it itself, when it tidied up what was written: its author does not have it either. */
  readonly isOurs: boolean;
}

/** A whole document, in parts that are to be applied one after the other. */
export interface Encoded {
  /** Null: there is nothing. */
  readonly update: Uint8Array | null;
  /** What was taken since, where it could not be made one with `update`; most often none. */
  readonly rest: readonly Uint8Array[];
  /** Why it could not. */
  readonly error: unknown;
}

export class LiveDocument {
  #doc: Y.Doc;
  #base: Uint8Array | null;
  #log = new UpdateLog();
  #maxLog: number;
  #isCollecting: boolean;
  /** Of each client, the next clock that is not known. */
  #states: Map<number, number>;
  /** What it is made of, as of the last encoding; and with what came since, of which Yjs may have made less. */
  #parts: number;
  #isExact = true;
  /** What Yjs said of the changes that it is making. */
  #taken: TakenUpdate[] = [];
  /** Null until somebody asks. */
  #deleted: DeletedRanges | null = null;
  /** What it was begun with and builds on something that is missing: the document is without that. */
  readonly blocked: readonly Uint8Array[];

  /**
   * Throws when Yjs cannot read it.
   *
   * @param base what to begin with
   * @param rest what was taken since the base, one after the other
   * @param isCollecting whether what was deleted may be forgotten
   */
  constructor(base: Uint8Array | null, rest: readonly Uint8Array[], isCollecting: boolean) {
    this.#isCollecting = isCollecting;
    this.#base = base;
    this.#states = new Map();
    this.#parts = 0;
    for (const update of base === null ? rest : [base, ...rest]) {
      const content = readUpdate(update, ANY);
      for (const [client, clock] of statesIn(content)) this.#states.set(client, Math.max(clock, this.stateOf(client)));
      this.#parts += partsOf(content.counts);
    }
    for (const update of rest) this.#log.push(update);
    this.#isExact = rest.length === 0;
    this.#maxLog = maxLogFor(base);
    this.#doc = this.#make();
    this.blocked = this.#setAside();
  }

  get states(): StateVector {
    return this.#states;
  }

  /** How many insertions, deletions and values it is made of: at most, since Yjs joins what belongs together. */
  get parts(): number {
    return this.#parts;
  }

  /** Nobody wrote since they were counted. */
  get isExact(): boolean {
    return this.#isExact;
  }

  get subdocuments(): number {
    return this.#doc.subdocs.size;
  }

  /** What is kept of it besides the Y.Doc, bytes. */
  get bytes(): number {
    return (this.#base?.length ?? 0) + this.#log.length;
  }

  stateOf = (client: number): number => this.#states.get(client) ?? 0;

  /** Keeps what is deleted from now on, for those who go back in its history. [DOC-11] */
  keepHistory(): void {
    this.#isCollecting = false;
    this.#doc.gc = false;
  }

  /**
   * Takes what was planned, or nothing of it. Returns what others have to be told. Throws `FrameError`. [DOC-5]
   *
   * @param hasTypes whether there are types among the pieces
   * @param parts how much the document grows by
   */
  take(
    { pieces, reached }: Plan,
    deletions: readonly Deletion[],
    hasTypes: boolean,
    parts: number,
  ): readonly TakenUpdate[] {
    if (pieces.length === 0 && deletions.length === 0) return [];
    this.#taken = [];
    try {
      integrate(this.#doc, pieces, deletions, hasTypes);
      this.#check(reached);
    } catch (error) {
      this.restore();
      throw error instanceof FrameError ? error : new FrameError("invalid document update");
    }
    const told = this.#taken;
    this.#taken = [];
    for (const [client, clock] of reached) this.#states.set(client, clock);
    for (const { update } of told) this.#log.push(update);
    this.#isExact = false;
    this.#parts += parts;
    if (this.#log.length > this.#maxLog) this.compact();
    return told;
  }

  /** What one with this state vector has not of it, as an update. Throws when it cannot be encoded. */
  encodeSince(known: StateVector): Uint8Array {
    const { store } = this.#doc;
    this.#deleted ??= new DeletedRanges(store);
    return encodeSince(store, this.#states, known, this.#deleted.encode());
  }

  /** Makes the Y.Doc again, of what is known to be good. */
  restore(): void {
    this.#deleted = null;
    this.#taken = [];
    const broken = this.#doc;
    this.#doc = this.#make();
    try {
      broken.destroy();
    } catch {
      // what it could not do to its end is of no more interest
    }
  }

  /** Encodes it anew, if it can be and a newcomer could read it; else what was known to be good stays. */
  compact(): void {
    try {
      const encoded = this.encodeSince(EMPTY);
      const content = readUpdate(encoded, ANY);
      if (!isWhole(content)) throw new FrameError("incomplete");
      this.#rebase(encoded, content);
    } catch {
      // not with each update again
      this.#maxLog = this.#log.length * 2;
    }
  }

  /** All of it: encoded anew, or else merged, or else in the parts that were taken. [DOC-12] */
  encode(): Encoded {
    if (this.#log.length > 0) this.compact();
    if (this.#log.length === 0) return { update: this.#base, rest: [], error: null };
    try {
      this.#base = Y.mergeUpdates([...(this.#base === null ? [] : [this.#base]), ...this.#log]);
      this.#log = new UpdateLog();
      return { update: this.#base, rest: [], error: null };
    } catch (error) {
      return { update: this.#base, rest: [...this.#log], error };
    }
  }

  close(): void {
    try {
      this.#doc.destroy();
    } catch {
      // nobody uses it any more
    }
  }

  #make(): Y.Doc {
    const doc = new Y.Doc({ gc: this.#isCollecting });
    doc.store.clients = new WatchedClients();
    Y.transact(doc, () => {
      if (this.#base !== null) Y.applyUpdate(doc, this.#base);
      for (const update of this.#log) Y.applyUpdate(doc, update);
    });
    doc.on("update", (update: Uint8Array, _origin: unknown, _doc: Y.Doc, transaction: Y.Transaction) => {
      this.#taken.push({ update, isOurs: transaction.local });
      this.#deleted?.changed(transaction);
    });
    return doc;
  }

  /** From now on this encoding is all of it. */
  #rebase(encoded: Uint8Array, { counts }: Update): void {
    this.#base = encoded;
    this.#log = new UpdateLog();
    this.#isExact = true;
    this.#parts = partsOf(counts);
    this.#maxLog = maxLogFor(encoded);
  }

  /** Takes out what Yjs could not integrate, with which it would refuse whatever comes. Returns that, as updates. [STORE-52] */
  #setAside(): readonly Uint8Array[] {
    const { store } = this.#doc;
    const { pendingStructs, pendingDs } = store;
    if (pendingStructs === null && pendingDs === null) return [];
    store.pendingStructs = store.pendingDs = null;
    const encoded = Y.encodeStateAsUpdate(this.#doc);
    const content = readUpdate(encoded, ANY);
    this.#states = new Map(statesIn(content));
    this.#rebase(encoded, content);
    return [pendingStructs?.update, pendingDs]
      .filter((update) => update !== undefined && update !== null)
      .map((update) => Y.convertUpdateFormatV2ToV1(update));
  }

  /** Throws when Yjs has not done what was planned. */
  #check(reached: ReadonlyMap<number, number>): void {
    const { store } = this.#doc;
    if (store.pendingStructs !== null || store.pendingDs !== null) throw new FrameError("update cannot be integrated");
    for (const [client, clock] of reached)
      if (Y.getState(store, client) !== clock) throw new FrameError("update cannot be integrated");
  }
}

function maxLogFor(base: Uint8Array | null): number {
  return Math.max(MIN_LOG, (base?.length ?? 0) / 2);
}

/** Whether one who knows nothing can integrate all of it. */
function isWhole({ runs, deletions }: Update): boolean {
  const { blocked, reached } = plan(runs.map(begin), () => 0);
  return blocked.length === 0 && deletions.every(({ client, end }) => end <= (reached.get(client) ?? 0));
}
