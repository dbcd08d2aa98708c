/**
 * The document of a room. The relay keeps one only once there is content: a room that carries nothing but presence never
 * makes a Y.Doc.
 */
import * as Y from "yjs";
import {
  EMPTY_STATE_VECTOR,
  EMPTY_UPDATE,
  FrameError,
  syncStep1Frame,
  syncStep2Frame,
  updateFrame,
} from "../wire/index.ts";
import { encodeAsJson } from "./json.ts";
import { Packet } from "./packet.ts";

export interface RoomDocument {
  /** The sync step 1 that a newcomer is asked, if anything that it has would be taken. */
  ask(): Uint8Array | null;
  /**
   * What answers a client's sync step 1. Throws `FrameError`.
   *
   * @param isYjs whether it is known to read it with Yjs, not with another implementation
   */
  sync(stateVector: Uint8Array, isYjs?: boolean): readonly Packet[];
  /** Takes an update of a client. Throws `FrameError`. */
  apply(update: Uint8Array, from: unknown): void;
  /** Ends it with its room. */
  close(): void;
}

/** Documents of rooms that nobody is in, each as one compact update. */
export class Archive {
  readonly #updates = new Map<string, Uint8Array>();

  has(room: string): boolean {
    return this.#updates.has(room);
  }

  take(room: string): Uint8Array | undefined {
    const update = this.#updates.get(room);
    this.#updates.delete(room);
    return update;
  }

  keep(room: string, update: Uint8Array): void {
    this.#updates.set(room, update);
  }
}

type Broadcast = (packet: Packet, except: unknown) => void;

export class SharedDocument implements RoomDocument {
  readonly #room: string;
  readonly #archive: Archive;
  readonly #broadcast: Broadcast;
  #doc: Y.Doc | undefined;

  constructor(room: string, archive: Archive, broadcast: Broadcast) {
    this.#room = room;
    this.#archive = archive;
    this.#broadcast = broadcast;
  }

  /** Whether the relay holds a Y.Doc for this room. */
  get open(): boolean {
    return this.#doc !== undefined;
  }

  ask(): Uint8Array {
    const doc = this.#kept();
    return syncStep1Frame(doc === undefined ? EMPTY_STATE_VECTOR : Y.encodeStateVector(doc));
  }

  sync(stateVector: Uint8Array): readonly Packet[] {
    const doc = this.#kept();
    return [new Packet(syncStep2Frame(doc === undefined ? EMPTY_UPDATE : encodeSince(doc, stateVector)))];
  }

  apply(update: Uint8Array, from: unknown): void {
    if (isEmpty(update)) return;
    // a copy, since Yjs trusts the lengths in an update: on a shared buffer it could read on into others' bytes
    const copy = update.slice();
    try {
      // read to the end first: of an update whose deletions cannot be read, Yjs would have taken the insertions
      if (!isSound(Y.decodeUpdate(copy))) throw new RangeError("number out of range");
      Y.applyUpdate(this.#ensure(), copy, from);
    } catch {
      throw new FrameError("invalid document update");
    }
  }

  close(): void {
    if (this.#doc === undefined) return;
    const update = Y.encodeStateAsUpdate(this.#doc);
    if (!isEmpty(update)) this.#archive.keep(this.#room, update);
    this.#doc.destroy();
    this.#doc = undefined;
  }

  /** The document, if there is one yet. */
  #kept(): Y.Doc | undefined {
    return this.#archive.has(this.#room) ? this.#ensure() : this.#doc;
  }

  #ensure(): Y.Doc {
    if (this.#doc !== undefined) return this.#doc;
    const doc = new Y.Doc();
    const kept = this.#archive.take(this.#room);
    if (kept !== undefined) Y.applyUpdate(doc, kept);
    doc.on("update", (update: Uint8Array, from: unknown) => this.#broadcast(new Packet(updateFrame(update)), from));
    this.#doc = doc;
    return doc;
  }
}

/** How much more than a snapshot those who come may be sent for its age. */
const MAX_SINCE = 1 / 4;
/** A document that is smaller had better be encoded anew, bytes. */
const MIN_SNAPSHOT = 64 * 1024;
const DONE = new Packet(syncStep2Frame(EMPTY_UPDATE));

interface Snapshot {
  /** How large the document was, bytes. */
  readonly size: number;
  readonly stateVector: Uint8Array;
  /** The whole document, as it was then or is later, by what it was encoded with. */
  readonly whole: Map<(doc: Y.Doc) => Uint8Array, Packet>;
  /** What was written since; null until somebody asks. */
  since: Packet | null;
  sinceBytes: number;
}

/** A document that only the relay writes: clients' updates are ignored. */
export class ReadOnlyDocument implements RoomDocument {
  readonly #doc: Y.Doc;
  readonly #onRead: () => void;
  #isRead = false;
  readonly #onUpdate: (update: Uint8Array) => void;
  /** Encoding a large document takes long, and many come at once. */
  #snapshot: Snapshot | null = null;

  /** @param onRead before it is read for the first time: what is in it may wait until then */
  constructor(doc: Y.Doc, broadcast: Broadcast, onRead: () => void) {
    this.#doc = doc;
    this.#onRead = onRead;
    this.#onUpdate = (update) => {
      this.#age(update);
      broadcast(new Packet(updateFrame(update)), null);
    };
  }

  ask(): null {
    return null;
  }

  sync(stateVector: Uint8Array, isYjs = false): readonly Packet[] {
    this.#open();
    if (knowsAny(this.#doc, stateVector)) return [new Packet(syncStep2Frame(encodeSince(this.#doc, stateVector)))];
    const encode = isYjs ? encodeAsJson : Y.encodeStateAsUpdate;
    let whole = this.#snapshot?.whole.get(encode);
    if (whole === undefined) {
      const update = encode(this.#doc);
      if (update.length < MIN_SNAPSHOT) return [new Packet(syncStep2Frame(update))];
      whole = new Packet(updateFrame(update));
      this.#snapshot ??= this.#begin(update.length);
      this.#snapshot.whole.set(encode, whole);
    }
    // the answer comes last: one who took the snapshot for all of it would see people who have left since
    return [whole, this.#since()];
  }

  #open(): void {
    if (this.#isRead) return;
    this.#isRead = true;
    this.#onRead();
    // there was nobody to be told before
    this.#doc.on("update", this.#onUpdate);
  }

  #begin(size: number): Snapshot {
    return { size, stateVector: Y.encodeStateVector(this.#doc), whole: new Map(), since: DONE, sinceBytes: 0 };
  }

  /** What was written since the snapshot, as one update: it is far quicker to take than those that were written. */
  #since(): Packet {
    if (this.#snapshot === null) return DONE;
    this.#snapshot.since ??= new Packet(syncStep2Frame(encodeSince(this.#doc, this.#snapshot.stateVector)));
    return this.#snapshot.since;
  }

  apply(): void {}

  /** Lets the snapshot go once those who come had better be sent a new one. */
  #age(update: Uint8Array): void {
    if (this.#snapshot === null) return;
    this.#snapshot.since = null;
    this.#snapshot.sinceBytes += update.length;
    if (this.#snapshot.sinceBytes > this.#snapshot.size * MAX_SINCE) this.#snapshot = null;
  }

  close(): void {
    this.#doc.off("update", this.#onUpdate);
  }
}

/** Whether one with this state vector has anything of the document. Throws `FrameError`. */
function knowsAny(doc: Y.Doc, stateVector: Uint8Array): boolean {
  try {
    const known = Y.decodeStateVector(stateVector.slice());
    return [...doc.store.clients.keys()].some((client) => known.has(client));
  } catch {
    throw new FrameError("invalid state vector");
  }
}

function isEmpty(update: Uint8Array): boolean {
  return update.length === 2 && update[0] === 0 && update[1] === 0;
}

function encodeSince(doc: Y.Doc, stateVector: Uint8Array): Uint8Array {
  try {
    return Y.encodeStateAsUpdate(doc, stateVector.slice());
  } catch {
    throw new FrameError("invalid state vector");
  }
}

/** lib0 reads overlong numbers as Infinity or NaN. Yjs takes them, and would then write Infinity without end. */
function isSound({ structs, ds }: ReturnType<typeof Y.decodeUpdate>): boolean {
  const isId = (id: unknown): boolean =>
    !(id instanceof Y.ID) || (Number.isSafeInteger(id.client) && Number.isSafeInteger(id.clock));
  return (
    structs.every(
      (struct) =>
        isId(struct.id) &&
        Number.isSafeInteger(struct.id.clock + struct.length) &&
        (!(struct instanceof Y.Item) || [struct.origin, struct.rightOrigin, struct.parent].every(isId)),
    ) &&
    [...ds.clients].every(
      ([client, deletions]) =>
        Number.isSafeInteger(client) && deletions.every(({ clock, len }) => Number.isSafeInteger(clock + len)),
    )
  );
}
