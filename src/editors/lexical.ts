import * as Y from "yjs";
import type { EditorRoom } from "./room.ts";
import { onRename } from "./rename.ts";
import { caretUserOf } from "./user.ts";
import { type Unsubscribe, asRecord } from "../presence/index.ts";

/** What Lexical says of a client; there may be more in it. */
export interface LexicalState {
  anchorPos: null | Y.RelativePosition;
  focusPos: null | Y.RelativePosition;
  color: string;
  name: string;
  focusing: boolean;
  awarenessData: object;
  [key: string]: unknown;
}

/** Lexical's `ProviderAwareness`. */
export interface LexicalAwareness {
  getLocalState(): LexicalState | null;
  getStates(): Map<number, LexicalState>;
  setLocalState(state: LexicalState | null): void;
  setLocalStateField(field: string, value: unknown): void;
  on(type: "update", listener: () => void): void;
  off(type: "update", listener: () => void): void;
}

type Listener = (value: never) => void;

/** Lexical's `Provider`. */
export interface LexicalProvider {
  readonly awareness: LexicalAwareness;
  connect(): void;
  disconnect(): void;
  on(type: "sync", listener: (isSynced: boolean) => void): void;
  on(type: "update", listener: (update: unknown) => void): void;
  on(type: "status", listener: (event: { status: string }) => void): void;
  on(type: "reload", listener: (doc: Y.Doc) => void): void;
  off(type: "sync", listener: (isSynced: boolean) => void): void;
  off(type: "update", listener: (update: unknown) => void): void;
  off(type: "status", listener: (event: { status: string }) => void): void;
  off(type: "reload", listener: (doc: Y.Doc) => void): void;
}

/** The fields in which Lexical keeps the cursor. */
const FIELDS: ReadonlySet<string> = new Set(["anchorPos", "focusPos", "color", "name", "focusing", "awarenessData"]);

/**
 * Makes Lexical's `providerFactory` for a room: `<CollaborationPlugin providerFactory={lexicalProvider(room)} … />`.
 *
 * Lexical reads only what changes in its document after it was mounted, disconnects its provider when it is unmounted, and
 * says `null` of its user then. So it gets a document of its own, which is filled once it listens, and whose disconnecting
 * takes Lexical's cursor out of the room, but not the user.
 */
export function lexicalProvider(room: EditorRoom): (id: string, docs: Map<string, Y.Doc>) => LexicalProvider {
  return (id, docs) => {
    const doc = new Y.Doc();
    docs.set(id, doc);
    return new RoomLexicalProvider(room, doc);
  };
}

class RoomLexicalProvider implements LexicalProvider {
  readonly awareness: LexicalRoomAwareness;
  readonly #room: EditorRoom;
  readonly #doc: Y.Doc;
  readonly #listeners = new Map<string, Set<Listener>>();
  #isConnected = false;

  constructor(room: EditorRoom, doc: Y.Doc) {
    this.#room = room;
    this.#doc = doc;
    this.awareness = new LexicalRoomAwareness(room, doc);
  }

  // [EDIT-7]
  connect(): void {
    if (this.#isConnected) return;
    this.#isConnected = true;
    const { doc, provider } = this.#room;
    Y.applyUpdate(this.#doc, Y.encodeStateAsUpdate(doc, Y.encodeStateVector(this.#doc)), this);
    doc.on("update", this.#toEditor);
    this.#doc.on("update", this.#toRoom);
    provider.on("sync", this.#onSync);
    this.#tell("status", { status: "connected" });
    if (provider.synced) this.#onSync(true);
  }

  // [EDIT-8]
  disconnect(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.#room.doc.off("update", this.#toEditor);
    this.#doc.off("update", this.#toRoom);
    this.#room.provider.off("sync", this.#onSync);
    this.awareness.setLocalState(null);
    this.#tell("status", { status: "disconnected" });
  }

  on(type: string, listener: Listener): void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
  }

  off(type: string, listener: Listener): void {
    this.#listeners.get(type)?.delete(listener);
  }

  readonly #toEditor = (update: Uint8Array, origin: unknown): void => {
    if (origin !== this) Y.applyUpdate(this.#doc, update, this);
  };

  readonly #toRoom = (update: Uint8Array, origin: unknown): void => {
    if (origin !== this) Y.applyUpdate(this.#room.doc, update, this);
  };

  readonly #onSync = (isSynced: boolean): void => this.#tell("sync", isSynced);

  #tell(type: string, value: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(value as never);
  }
}

/** The awareness of a room as Lexical uses one: its fields are added to the state, and taken out again. */
class LexicalRoomAwareness implements LexicalAwareness {
  readonly #room: EditorRoom;
  readonly #doc: Y.Doc;
  /** What undoes a subscription, by listener. */
  readonly #undo = new Map<() => void, Unsubscribe>();
  /** Who is not shown for a moment, so that Lexical draws them anew. */
  #hidden: number | null = null;

  constructor(room: EditorRoom, doc: Y.Doc) {
    this.#room = room;
    this.#doc = doc;
  }

  getLocalState(): LexicalState | null {
    const state = this.#room.awareness.getLocalState();
    return state !== null && "anchorPos" in state ? (state as LexicalState) : null;
  }

  getStates(): Map<number, LexicalState> {
    const { awareness } = this.#room;
    const states = new Map<number, LexicalState>();
    for (const [clientId, state] of awareness.getStates()) {
      // of those who have no cursor in Lexical it wants to know nothing
      if (clientId === this.#hidden || !("anchorPos" in state)) continue;
      const { name, color } = caretUserOf(clientId, state);
      // Lexical knows itself by the id of its document
      const id = clientId === awareness.clientID ? this.#doc.clientID : clientId;
      states.set(id, { ...(state as LexicalState), name, color });
    }
    return states;
  }

  setLocalState(state: LexicalState | null): void {
    const { awareness } = this.#room;
    const local = awareness.getLocalState();
    if (local === null) return;
    const rest = Object.entries(local).filter(([field]) => !FIELDS.has(field));
    awareness.setLocalState({ ...Object.fromEntries(rest), ...asRecord(state) });
  }

  setLocalStateField(field: string, value: unknown): void {
    this.#room.awareness.setLocalStateField(field, value);
  }

  on(_type: "update", listener: () => void): void {
    const { awareness } = this.#room;
    this.off("update", listener);
    // [EDIT-9] Lexical keeps the name that a client had when it first drew them
    const stopRenames = onRename(awareness, (clientId) => {
      this.#hidden = clientId;
      listener();
      this.#hidden = null;
      listener();
    });
    awareness.on("update", listener);
    this.#undo.set(listener, () => {
      stopRenames();
      awareness.off("update", listener);
    });
  }

  off(_type: "update", listener: () => void): void {
    this.#undo.get(listener)?.();
    this.#undo.delete(listener);
  }
}
