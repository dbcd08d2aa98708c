/**
 * A Yjs provider over one connection to one room: document sync and awareness, as y-websocket does them, for a relay
 * that it trusts.
 *
 * Trust means: the relay's word on who is here is taken as it comes, nobody is expired locally, and only the own state
 * is sent. While the connection is down peers stay as they were, and after it is back those who do not return in time
 * go.
 */
import { ObservableV2 } from "lib0/observable";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { equal, readState } from "../presence/index.ts";
import {
  type Control,
  type Fields,
  type Frame,
  FrameError,
  KEEP_ALIVE_FRAME,
  type Mark,
  StatesReader,
  TOO_LARGE,
  Ticker,
  type Told,
  controlFrame,
  decodeFrame,
  fieldsOf,
  isPatched,
  json,
  patchFrame,
  stateFrame,
  syncStep1Frame,
  syncStep2Frame,
  text,
  updateFrame,
  writePatch,
} from "../wire/index.ts";
import {
  ReconnectingSocket,
  type SocketTiming,
  type TokenGiver,
  type WebSocketConstructor,
  defaultSocketTiming,
} from "./socket.ts";

export type ProviderStatus = "connecting" | "connected" | "disconnected";

/** The first four are those of y-websocket's provider. */
// a type, not an interface: only that has the index signature that lib0 asks for
export type ProviderEvents = {
  status: (event: { readonly status: ProviderStatus }) => void;
  sync: (synced: boolean) => void;
  synced: (synced: boolean) => void;
  /** The relay refused for good; `connect()` tries again. */
  closed: (event: { readonly code: number; readonly reason: string }) => void;
  /** Everybody in the room is known, for the first time on this connection. */
  snapshot: () => void;
  /** What is known of these clients' connections changed (`markOf`). */
  marks: (clientIds: readonly number[]) => void;
  /** Whoever was held and has not returned is given up. */
  released: () => void;
  control: (control: Control) => void;
};

export interface ProviderOptions {
  /** null: it never connects. */
  readonly WebSocket: WebSocketConstructor | null;
  readonly tokens: TokenGiver;
  readonly timing?: Partial<SocketTiming>;
  /**
   * What to do with the document. Default `share`; `read`: nothing of it is sent (the relay alone writes a lobby);
   * `none`: the relay sends none of it either.
   */
  readonly sync?: "share" | "read" | "none";
  /** Whether the page is hidden, and its timers are not to be relied on. Default: it is not. */
  readonly isHidden?: () => boolean;
}

/** Shortest time between two frames with the own state, ms. */
const SEND_MS = 33;
/** How much to read before the relay is told that somebody reads. */
const ANSWER_BYTES = 16 * 1024;
/** One that sends, and has heard nothing for so long, asks whether it is heard. */
const QUIET_MS = 5_000;
/** Grace for peers after a reconnect, until the relay names its own, ms. */
const DEFAULT_GRACE_MS = 3_000;

interface Marked {
  readonly mark: Mark;
  readonly lastSeen: number;
}

export class Provider extends ObservableV2<ProviderEvents> {
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  readonly #socket: ReconnectingSocket;
  readonly #timing: SocketTiming;
  readonly #sync: boolean;
  readonly #sender: Ticker;
  /** The own state as the relay was last told on this connection. */
  #told: Fields | null = null;
  /** Bytes that came since anything was sent. */
  #unanswered = 0;
  #reader = new StatesReader();
  readonly #marks = new Map<number, Marked>();
  /** Marks from before the connection was lost that the relay has not repeated. */
  #doubtful = new Set<number>();
  /** Peers from before the connection was lost that the relay has not named since. */
  readonly #held = new Set<number>();
  #holdTimer: ReturnType<typeof setTimeout> | undefined;
  /** The hold is over as soon as the relay proves that it would have told of those who came back. */
  #holdIsOver = false;
  /** Connected again: whom the relay does not know may have lost it as we did, been given up, and yet return. */
  #holds = false;
  /** When the relay was last heard before the connection was lost, ms since the epoch. */
  #lostContactAt = 0;
  #graceMs = DEFAULT_GRACE_MS;
  /** The relay renews the own state for observers that need it: one of ours, which said so. */
  #renews = false;
  #synced = false;
  #awaitsLong = false;
  #snapshot = false;
  /** The code with which the relay refused for good. */
  #refusedWith: number | undefined;
  #destroyed = false;

  /** @param url of the room; asked anew for each attempt */
  constructor(url: () => string, doc: Y.Doc, awareness: Awareness, options: ProviderOptions) {
    super();
    this.doc = doc;
    this.awareness = awareness;
    this.#timing = { ...defaultSocketTiming, ...options.timing };
    this.#sync = options.sync !== "none";
    this.#socket = new ReconnectingSocket(
      url,
      options.WebSocket,
      this.#timing,
      {
        dialed: () => this.emit("status", [{ status: "connecting" }]),
        opened: () => this.#opened(),
        message: (bytes) => this.#message(bytes),
        down: () => this.#down(),
        refused: (code, reason) => {
          this.#refusedWith = code;
          this.emit("closed", [{ code, reason }]);
        },
        // the relay announces what is long; of another server, the document may be
        isBusy: () => this.#awaitsLong || (!this.#renews && this.#sync && !this.#synced),
        isHidden: options.isHidden ?? (() => false),
      },
      options.tokens,
    );
    this.#sender = new Ticker(
      () => SEND_MS,
      () => this.#sendOwn(),
    );
    // Yjs encodes what it has just decoded for whoever listens
    if ((options.sync ?? "share") === "share") doc.on("update", this.#onDocUpdate);
    awareness.on("update", this.#onAwarenessUpdate);
  }

  get wsconnected(): boolean {
    return this.#socket.phase === "open";
  }

  get wsconnecting(): boolean {
    return this.#socket.phase === "connecting";
  }

  /** The document is as the relay has it. */
  get synced(): boolean {
    return this.#synced;
  }

  /** What is known of a client's connection, other than its state. */
  markOf(clientId: number): Marked | undefined {
    if (this.#held.has(clientId)) return { mark: "reconnecting", lastSeen: this.#lostContactAt };
    return this.#marks.get(clientId);
  }

  /** Connected again not long ago: whom the relay does not know any more may yet return. */
  get holds(): boolean {
    return this.#holds;
  }

  /** When the relay was last heard before the connection was lost, ms since the epoch. */
  get lostContactAt(): number {
    return this.#lostContactAt;
  }

  /** Whether a peer is only kept because it may return. */
  isHeld(clientId: number): boolean {
    return this.#held.has(clientId);
  }

  connect(): void {
    if (!this.#destroyed) this.#socket.connect();
  }

  /** Goes on with another token on the connection as it is, if there is one. */
  authorize(token: string): void {
    this.#socket.send(controlFrame({ kind: "token", token }));
  }

  /** Tries again, if what was sent was too large: it may be so no more. */
  retry(): void {
    if (this.#refusedWith === TOO_LARGE) this.connect();
  }

  /** Leaves: others see it at once. Peers stay as they were, until `connect` finds out who is still there. */
  disconnect(): void {
    const wasOpen = this.wsconnected;
    if (wasOpen) this.#sayWhole(null);
    this.#socket.disconnect();
    clearTimeout(this.#holdTimer);
    if (wasOpen) this.#down();
  }

  /** The network may have changed, or time may have passed unnoticed: make sure of the connection now. */
  wake(): void {
    this.#socket.wake();
  }

  /** Gives the connection up until `wake`, without a leave: others wait for the grace. */
  suspend(): void {
    // what is still to be said about the own state, now: no timer of the page runs any more
    this.#sender.run();
    this.#socket.suspend();
  }

  override destroy(): void {
    if (this.#destroyed) return;
    this.disconnect();
    this.#destroyed = true;
    this.#sender.stop();
    this.#remove(this.#peersBut(new Set()));
    this.doc.off("update", this.#onDocUpdate);
    this.awareness.off("update", this.#onAwarenessUpdate);
    super.destroy();
  }

  readonly #onDocUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin !== this) this.#send(updateFrame(update));
  };

  readonly #onAwarenessUpdate = (
    { added, updated, removed }: { readonly added: Ids; readonly updated: Ids; readonly removed: Ids },
    origin: unknown,
  ): void => {
    if (origin === this) return;
    if ([...added, ...updated, ...removed].includes(this.awareness.clientID)) this.#sender.schedule();
  };

  #opened(): void {
    this.#snapshot = false;
    this.#reader = new StatesReader();
    this.#refusedWith = undefined;
    this.#renews = false;
    this.#awaitsLong = false;
    this.#doubtful = new Set(this.#marks.keys());
    this.emit("status", [{ status: "connected" }]);
    if (this.#sync) this.#send(syncStep1Frame(Y.encodeStateVector(this.doc)));
    this.#sayAnew();
  }

  /** Says the own state with a clock that nobody has seen: the relay may have given this client up. */
  #sayAnew(): void {
    const local = this.awareness.getLocalState();
    if (local !== null) this.awareness.setLocalState(local);
    this.#tell();
  }

  /** Sends the own state now, whatever the relay may know. */
  #tell(): void {
    this.#told = null;
    this.#sender.run();
  }

  #down(): void {
    this.#setSynced(false);
    // of a connection that brought nothing it cannot be said that contact was made
    if (this.#snapshot) {
      this.#lostContactAt = this.#socket.heardAt;
      this.#holds = true;
    }
    this.#snapshot = false;
    // as long as nothing is heard, nobody has failed to return
    clearTimeout(this.#holdTimer);
    this.emit("status", [{ status: "disconnected" }]);
  }

  #message(bytes: Uint8Array): void {
    this.#unanswered += bytes.length;
    this.#awaitsLong = false;
    if (this.#renews && this.#unanswered > ANSWER_BYTES) this.#send(KEEP_ALIVE_FRAME);
    try {
      this.#receive(decodeFrame(bytes));
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      // a newer relay may say things that this client does not know: they are not for it
      console.warn(`copresence: ignored a message of the relay: ${error.message}`);
    }
  }

  #receive(frame: Frame): void {
    switch (frame.type) {
      case "syncStep1":
        return this.#send(syncStep2Frame(Y.encodeStateAsUpdate(this.doc, frame.stateVector)));
      case "syncStep2":
        Y.applyUpdate(this.doc, frame.update, this);
        // the answer to the first question: all that the relay says unasked came before it
        this.#dropMarks();
        return this.#setSynced(true);
      case "update":
        return Y.applyUpdate(this.doc, frame.update, this);
      case "states":
        return this.#applyStates(this.#reader.read(frame.payload));
      case "awareness": // an empty one answers a renewal
      case "patch":
        return;
      case "queryAwareness":
        return this.#tell();
      case "denied":
        return console.warn(`copresence: the relay denied access: ${frame.reason}`);
      case "control":
        return this.#control(frame.control);
    }
  }

  #control(control: Control): void {
    switch (control.kind) {
      case "hello":
        this.#graceMs = control.graceMs;
        this.#renews = true;
        break;
      case "marks":
        for (const [id, mark, lastSeen] of control.marks) {
          this.#doubtful.delete(id);
          if (mark === "clear") this.#marks.delete(id);
          else this.#marks.set(id, { mark, lastSeen });
        }
        this.#emitMarks(control.marks.map(([id]) => id));
        break;
      case "pong":
        if (this.#holdIsOver) this.#release();
        break;
      case "long":
        this.#awaitsLong = true;
        break;
      case "access":
      case "manual":
      case "superseded":
      case "token":
      case "ping":
        break;
    }
    this.emit("control", [control]);
  }

  #applyStates(told: readonly Told[]): void {
    const { states, meta, clientID } = this.awareness;
    const added: number[] = [];
    const updated: number[] = [];
    const changed: number[] = [];
    const removed: number[] = [];
    const returned: number[] = [];
    for (const { id, fields, before } of told) {
      if (id === clientID) {
        // the relay gave this client up, but it lives
        if (fields === null && states.has(id)) this.#sayAnew();
        continue;
      }
      if (fields === null) {
        // given up, perhaps just before we came back, by a relay that they may have lost as we did
        if (this.#holds && this.markOf(id)?.mark === "reconnecting" && states.has(id)) {
          this.#marks.delete(id);
          this.#held.add(id);
        } else removed.push(...this.#drop([id]));
        continue;
      }
      if (this.#held.delete(id)) returned.push(id);
      const previous = states.get(id);
      const next = valueOf(fields, before, previous);
      // the relay expires who is gone: here nobody grows old
      meta.set(id, { clock: (meta.get(id)?.clock ?? 0) + 1, lastUpdated: Infinity });
      (previous === undefined ? added : updated).push(id);
      if (previous !== undefined && equal(previous, next)) continue;
      states.set(id, next);
      if (previous !== undefined) changed.push(id);
    }
    // the first states on a connection are all that there are
    const isFirst = !this.#snapshot;
    this.#snapshot = true;
    const missing = isFirst ? this.#peersBut(new Set(told.map(({ id }) => id))) : [];
    for (const id of missing) this.#held.add(id);
    removed.push(...this.#takeReturned(added));
    this.#announce(removed, added, updated, changed);
    this.#emitMarks([...returned, ...missing].filter((id) => states.has(id)));
    if (!isFirst) return;
    this.#startHold();
    this.emit("snapshot", []);
  }

  /** Whoever is here but is not named. */
  #peersBut(named: ReadonlySet<number>): number[] {
    return [...this.awareness.states.keys()].filter((id) => id !== this.awareness.clientID && !named.has(id));
  }

  #startHold(): void {
    clearTimeout(this.#holdTimer);
    this.#holdIsOver = false;
    // whoever lost the relay as we did may still wait out its back-off
    const holdMs = this.#graceMs + this.#timing.maxBackoffMs;
    if (this.#holds) this.#holdTimer = setTimeout(() => this.#endHold(), holdMs);
  }

  /** Takes out the held peers whose session is back under a new id: their page was loaded again. */
  #takeReturned(added: readonly number[]): number[] {
    if (this.#held.size === 0 || added.length === 0) return [];
    const back = new Set(added.map((id) => this.#sessionOf(id)));
    return this.#drop([...this.#held].filter((id) => back.has(this.#sessionOf(id))));
  }

  /** Takes peers out, for the caller to announce. */
  #drop(ids: readonly number[]): number[] {
    return ids.filter((id) => {
      this.#held.delete(id);
      this.awareness.meta.delete(id);
      return this.awareness.states.delete(id);
    });
  }

  #sessionOf(id: number): string {
    const claim = readState(id, this.awareness.states.get(id), "");
    return JSON.stringify([claim?.user.id, claim?.session.id]);
  }

  #dropMarks(): void {
    const dropped = [...this.#doubtful].filter((id) => this.#marks.delete(id));
    this.#doubtful.clear();
    this.#emitMarks(dropped);
  }

  #emitMarks(ids: readonly number[]): void {
    if (ids.length > 0) this.emit("marks", [ids]);
  }

  /** Time is up for those who are held; but is it they who are gone, or the relay again? */
  #endHold(): void {
    this.#holdIsOver = true;
    this.#socket.wake();
  }

  #release(): void {
    this.#holdIsOver = false;
    this.#holds = false;
    for (const id of this.#held) this.#marks.set(id, { mark: "reconnecting", lastSeen: this.#lostContactAt });
    this.#remove([...this.#held]);
    this.emit("released", []);
  }

  #remove(ids: readonly number[]): void {
    this.#announce(this.#drop(ids));
  }

  /** As y-protocols announces: `change` when something is different, `update` when something was said. */
  #announce(removed: Ids, added: Ids = [], updated: Ids = [], changed: Ids = []): void {
    const { awareness } = this;
    const differs = added.length + changed.length + removed.length > 0;
    if (differs) awareness.emit("change", [{ added, updated: changed, removed }, this]);
    if (differs || updated.length > 0) awareness.emit("update", [{ added, updated, removed }, this]);
    for (const id of removed) this.#marks.delete(id);
  }

  /**
   * Sends what is new about the own state; or, where nothing is, three bytes that say that the page lives. It is the relay
   * that renews a state for observers that need it.
   */
  #sendOwn(): void {
    const local = this.awareness.getLocalState();
    const known = this.#renews ? this.#told : null;
    const fields = local && fieldsOf(local, known ?? undefined);
    this.#told = fields;
    if (fields === null || known === null) this.#sayWhole(local);
    else if (isPatched(known, fields)) {
      const id = this.awareness.clientID;
      this.#send(patchFrame(id, this.#clock, (encoder) => (this.#told = writePatch(encoder, known, fields))));
    }
    // answered, which a connection that nothing comes over for so long needs to be believed in
    else this.#socket.renew(KEEP_ALIVE_FRAME);
    if (this.#renews && Date.now() - this.#socket.heardAt >= QUIET_MS) this.#socket.renew(KEEP_ALIVE_FRAME);
  }

  #sayWhole(local: object | null): void {
    this.#send(stateFrame(this.awareness.clientID, this.#clock, local));
  }

  get #clock(): number {
    return this.awareness.meta.get(this.awareness.clientID)?.clock ?? 0;
  }

  #send(frame: Uint8Array): void {
    this.#unanswered = 0;
    this.#socket.send(frame);
  }

  #setSynced(synced: boolean): void {
    if (this.#synced === synced) return;
    this.#synced = synced;
    this.emit("synced", [synced]);
    this.emit("sync", [synced]);
  }
}

type Ids = readonly number[];

/** A state, with the values that did not change as they were. */
function valueOf(fields: Fields, before: Fields, previous: object | undefined): Record<string, unknown> {
  const known = previous as Record<string, unknown> | undefined;
  return Object.fromEntries(
    [...fields].map(([name, bytes]) => [
      name,
      known !== undefined && before.get(name) === bytes ? known[name] : json(text(bytes), Infinity),
    ]),
  );
}
