/**
 * The document of a room, which its clients write. The relay keeps one only once there is content: a room that carries
 * nothing but presence never makes a Y.Doc [ROOM-2], nor does one whose document is only read whole [DOC-8].
 */
import { EMPTY_STATE_VECTOR, EMPTY_UPDATE, FrameError, syncStep1Frame } from "../../wire/index.ts";
import { isRelay } from "../ports/member.ts";
import type { Packet } from "../ports/packet.ts";
import { Answers } from "./answers.ts";
import type { DocumentHost, RoomDocument } from "./document.ts";
import type { Documents } from "./documents.ts";
import type { Kept } from "./memory.ts";
import { type Encoded, LiveDocument, type TakenUpdate } from "./live/live.ts";
import { answerOf, updatePackets } from "./answer.ts";
import { WholeDocument } from "./whole.ts";
import { HeldUpdates } from "./stored/held.ts";
import { Pending } from "./pending.ts";
import { type Queued, UpdateQueue, isSmall, joined, soleAuthor } from "./queue.ts";
import { type Plan, begin, divide, grownBy, plan } from "./update/plan.ts";
import { noRoom, tooLarge } from "./update/refusal.ts";
import { type StateVector, readStateVector, writeStateVector } from "./update/state-vector.ts";
import { type Deletion, type Update, readUpdate } from "./update/update.ts";
import { mergeUpdates } from "./stored/merge.ts";

/** With each client that ever wrote, each update takes Yjs longer. */
const MAX_CLIENTS = 10_000;
/** By how much a document may look too large before it is counted anew: Yjs joins what belongs together. */
const SLACK = 1.25;
/** What the relay takes for a part of an open document, and for a subdocument, about: bytes. */
const BYTES_PER_PART = 250;
const BYTES_PER_SUBDOCUMENT = 2_000;
/** When it took longer to take what waited, ms, then for a while each update is taken at once: its author is to pay for it. [DOC-23] */
const COSTLY_MS = 8;
const COSTLY_FOR_MS = 2_000;

/** Why an update that had waited could not be taken. */
interface Refusal {
  readonly from: unknown;
  readonly error: FrameError;
}

export class SharedDocument implements RoomDocument {
  readonly #room: string;
  readonly #documents: Documents;
  readonly #host: DocumentHost;
  readonly #answers = new Answers<readonly Packet[]>();
  #stateVector: Uint8Array | null = null;
  #live: LiveDocument | null = null;
  #pending: Pending | null = null;
  readonly #queue = new UpdateQueue();
  readonly #held = new HeldUpdates();
  #costlyUntil = -Infinity;
  /** A long document as it was at some moment, for those who come with nothing of it. */
  #whole: WholeDocument | null = null;
  #keepsHistory: boolean;
  /** What has to wait until it is loaded; null: it is. */
  #waiting: (() => void)[] | null = null;

  constructor(room: string, documents: Documents, host: DocumentHost) {
    this.#room = room;
    this.#documents = documents;
    this.#host = host;
    this.#keepsHistory = !documents.options.documentGc || this.#kept?.keepsHistory === true;
    const loading = documents.open(room);
    if (loading === null) return;
    this.#waiting = [];
    void loading.then(() => this.#loaded());
  }

  get isReady(): boolean {
    return this.#waiting === null;
  }

  whenReady(run: () => void): void {
    if (this.#waiting === null) run();
    else this.#waiting.push(run);
  }

  /** Whether there is content. */
  get hasContent(): boolean {
    return this.#live !== null || this.#kept !== undefined;
  }

  get isUnsettled(): boolean {
    return !this.#queue.isEmpty;
  }

  ask(): Uint8Array {
    this.settle();
    if (this.#live === null) return syncStep1Frame(this.#kept?.stateVector ?? EMPTY_STATE_VECTOR);
    this.#stateVector ??= syncStep1Frame(writeStateVector(this.#live.states));
    return this.#stateVector;
  }

  sync(stateVector: Uint8Array): readonly Packet[] {
    const known = readStateVector(stateVector);
    this.settle();
    // the answer holds what others have not been told yet, and one who has it is not told again
    this.#held.sendAll();
    if (!this.hasContent) return answerOf([]);
    return this.#answers.get(stateVector, () => this.#answer(known));
  }

  apply(update: Uint8Array, from: unknown): void {
    const { options } = this.#documents;
    // a copy, since parts of it may be held
    const read = readUpdate(update.slice(), options);
    if (read.runs.length === 0 && read.deletions.length === 0) return;
    this.#documents.memory.checkRoom(!this.hasContent);
    const live = this.#opened();
    if (isSmall(update.length, read) && this.#mayWait(from) && this.#enqueue(live, read, from)) return;
    this.settle();
    this.#integrate(read, from);
  }

  settle(): void {
    const queued = this.#queue.takeAll();
    const live = this.#live;
    if (queued.length === 0 || live === null) return;
    const startedAt = performance.now();
    const refusals = this.#takeAll(live, queued);
    const elapsedMs = performance.now() - startedAt;
    if (elapsedMs > COSTLY_MS) this.#costlyUntil = startedAt + elapsedMs + COSTLY_FOR_MS;
    // [COST-7] who is closed for it may be the last in the room
    for (const { from } of queued) this.#host.charge(from, elapsedMs / queued.length);
    for (const { from, error } of refusals) this.#host.refuse(from, error);
  }

  /** Takes what waited: in one transaction, or else one by one. Returns what of it could not be taken. [DOC-24] */
  #takeAll(live: LiveDocument, queued: readonly Queued[]): readonly Refusal[] {
    const { planned, deletions, hasTypes, parts } = joined(queued);
    const author = soleAuthor(queued);
    try {
      this.#tell(this.#take(live, planned, deletions, hasTypes, parts), author);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return queued.length === 1 ? [{ from: author, error }] : queued.flatMap((each) => this.#takeAlone(each));
    }
    this.#documents.memory.resized(this.#room, sizeOf(live, null));
    return [];
  }

  /** Takes one update that waited. Returns why that was not possible, if it was not. */
  #takeAlone({ read, from }: Queued): readonly Refusal[] {
    try {
      this.#integrate(read, from);
      return [];
    } catch (error) {
      if (error instanceof FrameError) return [{ from, error }];
      throw error;
    }
  }

  /** Whether an update may wait for the next flush. */
  #mayWait(from: unknown): boolean {
    // what another relay has taken is told of and stored there [BUS-11]
    if (isRelay(from) || this.#pending?.empty === false || performance.now() < this.#costlyUntil) return false;
    if (!this.#queue.accepts(from)) this.settle();
    return true;
  }

  /** Has an update wait to be taken with others, if nothing is missing that it builds on. Throws `FrameError`. [DOC-22] */
  #enqueue(live: LiveDocument, read: Update, from: unknown): boolean {
    const stateOf = (client: number): number => this.#queue.reached(client) ?? live.stateOf(client);
    const planned = plan(read.runs.map(begin), stateOf);
    const { ready, early } = divide(read.deletions, planned, stateOf);
    if (planned.blocked.length > 0 || early.length > 0) return false;
    // it is known
    if (planned.pieces.length === 0 && ready.length === 0) return true;
    const parts = grownBy(read, planned, ready.length);
    this.#checkSize(live, planned, read, parts + this.#queue.parts);
    this.#queue.add({ read, planned, deletions: ready, parts, from });
    this.#host.scheduleFlush();
    return true;
  }

  #integrate(read: Update, from: unknown): void {
    const { options } = this.#documents;
    const live = this.#opened();
    const planned = plan(read.runs.map(begin), live.stateOf);
    const { ready, early } = divide(read.deletions, planned, live.stateOf, this.#mostEarly());
    const parts = grownBy(read, planned, ready.length);
    this.#checkSize(live, planned, read, parts);
    const pending = (this.#pending ??= new Pending(options.maxPendingStructs));
    const entries = pending.admit(planned.blocked, early, from);
    this.#tell(this.#take(live, planned, ready, read.hasTypes, parts), from);
    pending.add(entries);
    this.#resume(live, pending, planned.reached);
    this.#documents.memory.resized(this.#room, sizeOf(live, pending));
  }

  secure(updates: readonly Uint8Array[], isNews: boolean): void {
    // what somebody typed for half a minute is one record
    if (updates.length > 0) void this.#documents.record(this.#room, mergeUpdates(updates), isNews);
  }

  keepHistory(): void {
    this.settle();
    this.#keepsHistory = true;
    this.#documents.keepHistory(this.#room);
    this.#live?.keepHistory();
    const kept = this.#kept;
    // the room may be left before anybody writes
    if (kept?.keepsHistory === false) this.#documents.memory.keep(this.#room, { ...kept, keepsHistory: true });
  }

  close(): void {
    this.settle();
    this.#held.sendAll();
    this.#waiting = [];
    this.#putAway();
    this.#documents.left(this.#room);
  }

  #loaded(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const run of waiting) run();
  }

  /** Keeps its encoding alone. */
  #putAway(): void {
    const live = this.#live;
    if (live === null) return;
    this.#live = null;
    // [DOC-15] what waits is kept beside the document
    const pending = this.#pending?.empty === false ? this.#pending : null;
    const { update, rest } = this.#encode(live);
    const stateVector = writeStateVector(live.states);
    live.close();
    this.#documents.memory.closed(this.#room);
    if (update === null && rest.length === 0 && pending === null) return;
    const keepsHistory = this.#keepsHistory;
    this.#documents.memory.keep(this.#room, {
      update: update ?? EMPTY_UPDATE,
      rest,
      stateVector,
      pending,
      keepsHistory,
    });
  }

  /** What one has not of it, as messages. [STORE-9] */
  #answer(known: StateVector): readonly Packet[] {
    const live = this.#live;
    if (live === null || known.size > 0) return answerOf(this.#since(known));
    const since = this.#whole?.since(live);
    if (since !== undefined && since !== null) return since;
    const updates = this.#since(known);
    // of one that cannot be encoded there is no more than what was written
    this.#whole = updates.length === 1 && updates[0] !== undefined ? WholeDocument.of(updates[0], live) : null;
    return this.#whole?.answer ?? answerOf(updates);
  }

  get #kept(): Kept | undefined {
    return this.#documents.memory.kept(this.#room);
  }

  /** What one has not of it, as updates. */
  #since(known: StateVector): readonly Uint8Array[] {
    const kept = this.#kept;
    // all of it is an answer too, where there is no room to find out what is missing
    if (this.#live === null && kept !== undefined && (known.size === 0 || !this.#documents.memory.canGrow))
      return [kept.update, ...kept.rest];
    const live = this.#opened();
    try {
      return [live.encodeSince(known)];
    } catch (error) {
      this.#documents.warn(`the document of ${this.#room} could not be encoded, and was made again`, error);
      live.restore();
    }
    try {
      return [live.encodeSince(known)];
    } catch {
      const { update, rest } = this.#encode(live);
      return update === null ? rest : [update, ...rest];
    }
  }

  /** Encodes the document, or hands out what it was made of where that cannot be done. [DOC-12] */
  #encode(live: LiveDocument): Encoded {
    const encoded = live.encode();
    if (encoded.rest.length > 0) {
      const message = `the document of ${this.#room} could not be encoded, and is kept as it was written`;
      this.#documents.warn(message, encoded.error);
    }
    return encoded;
  }

  /** The document, in memory as Yjs has it. Throws `FrameError`. */
  #opened(): LiveDocument {
    if (this.#live !== null) return this.#live;
    const kept = this.#kept;
    const isEmpty = kept === undefined || kept.update.length === EMPTY_UPDATE.length;
    try {
      this.#live = new LiveDocument(isEmpty ? null : kept.update, kept?.rest ?? [], !this.#keepsHistory);
    } catch (error) {
      this.#documents.warn(`the document of ${this.#room} cannot be read`, error);
      throw noRoom("the document cannot be read");
    }
    this.#pending = kept?.pending ?? null;
    this.#documents.memory.release(this.#room);
    this.#documents.memory.resized(this.#room, sizeOf(this.#live, this.#pending));
    for (const update of this.#live.blocked) this.#hold(update);
    return this.#live;
  }

  /** Has what was stored wait for what it builds on, which was not. [STORE-52] */
  #hold(update: Uint8Array): void {
    const message = `the document of ${this.#room} lacks something that was not stored: what builds on that`;
    try {
      this.#integrate(readUpdate(update, this.#documents.options), this);
      this.#documents.warn(`${message} waits for a client that has it`);
    } catch (error) {
      this.#documents.warn(`${message} is left out`, error);
    }
  }

  #take(
    live: LiveDocument,
    planned: Plan,
    deletions: readonly Deletion[],
    hasTypes: boolean,
    parts: number,
  ): readonly TakenUpdate[] {
    const told = live.take(planned, deletions, hasTypes, parts);
    if (told.length > 0) this.#answers.clear();
    if (planned.reached.size > 0) this.#stateVector = null;
    return told;
  }

  /** Takes what waited for these clients, and what waited for that. Who sent the last of it is not to blame for the rest. */
  #resume(live: LiveDocument, pending: Pending, reached: ReadonlyMap<number, number>): void {
    for (let news = reached; news.size > 0 && !pending.empty;) {
      const { cursors, deletions } = pending.take(news);
      if (cursors.length === 0 && deletions.length === 0) return;
      const planned = plan(cursors, live.stateOf);
      const { ready, early } = divide(deletions, planned, live.stateOf);
      const parts = planned.pieces.reduce((sum, { from, to }) => sum + to - from, 0);
      try {
        this.#tell(this.#take(live, planned, ready, true, parts), null);
      } catch (error) {
        // it is forgotten
        if (error instanceof FrameError) return;
        throw error;
      }
      pending.holdAgain(planned.blocked, early);
      news = planned.reached;
    }
  }

  #tell(told: readonly TakenUpdate[], author: unknown): void {
    for (const { update, isOurs } of told) {
      // [BUS-11]
      const isTheirs = !isOurs && isRelay(author);
      if (isTheirs) this.#host.taken(update, author);
      const stored = isTheirs ? null : this.#documents.record(this.#room, update);
      const packets = updatePackets(update);
      this.#held.send(() => {
        for (const packet of packets) this.#host.sendUpdate(packet, isOurs ? null : author);
      }, stored);
    }
  }

  /** How many deletions of what is not known may wait at most, if nothing of them is held already. */
  #mostEarly(): number {
    return this.#documents.options.maxPendingStructs + (this.#pending?.parts ?? 0);
  }

  /** Refuses what would make the document too large. [DOC-17] */
  #checkSize(live: LiveDocument, { pieces, reached }: Plan, { counts }: Update, parts: number): void {
    if (pieces.length === 0) return;
    const { maxDocumentStructs, maxSubdocuments } = this.#documents.options;
    let clients = live.states.size;
    for (const client of reached.keys()) if (live.stateOf(client) === 0) clients++;
    if (clients > MAX_CLIENTS) throw tooLarge(`document is of more than ${MAX_CLIENTS} clients`);
    if (counts.subdocuments > 0 && live.subdocuments + counts.subdocuments > maxSubdocuments)
      throw tooLarge(`document has more than ${maxSubdocuments} subdocuments`);
    this.#checkBytes(live, pieces[0]?.run.bytes.length ?? 0);
    if (live.parts + parts <= maxDocumentStructs * SLACK) return;
    // [DOC-18] what was counted letter by letter is counted anew, as Yjs keeps it
    if (!live.isExact) live.compact();
    if (live.parts + parts > maxDocumentStructs)
      throw tooLarge(`document has more than ${maxDocumentStructs} insertions`);
  }

  /** Refuses what would make the document longer than it may be. What deletes alone is taken. [STORE-14] */
  #checkBytes(live: LiveDocument, bytes: number): void {
    const { maxDocument } = this.#documents.options;
    if (maxDocument === 0 || live.bytes + bytes <= maxDocument) return;
    // what was deleted since it was encoded last may be forgotten
    if (!live.isExact) live.compact();
    if (live.bytes + bytes > maxDocument) throw tooLarge(`document is larger than ${maxDocument} bytes`);
  }
}

function sizeOf(live: LiveDocument, pending: Pending | null): number {
  const { bytes, parts, subdocuments } = live;
  return bytes + parts * BYTES_PER_PART + subdocuments * BYTES_PER_SUBDOCUMENT + (pending?.bytes ?? 0);
}
