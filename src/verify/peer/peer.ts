/**
 * A client as y-websocket's is, made by hand, so that it can also do what the library would not: be frozen, be cut off, and
 * say anything of anybody.
 */
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import { WebSocket } from "ws";
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from "y-protocols/awareness";
import { readSyncMessage, writeSyncStep1, writeUpdate } from "y-protocols/sync";
import * as Y from "yjs";
import type { Dialect } from "./dialect.ts";
import { MESSAGE, type Said, awarenessMessage, statesMessage, updateMessage } from "./messages.ts";

/** An awareness state. */
export type State = Readonly<Record<string, unknown>>;

export interface PeerSetup {
  readonly dialect: Dialect;
  /** Where the server is, without the room. */
  readonly base: URL;
  readonly room: string;
  readonly token: string | null;
  /** The `Origin` that it sends, as a browser does; null: none. */
  readonly origin: string | null;
  /** What it announces of itself; null: it is nobody. */
  readonly state: State | null;
}

/** How a connection ended. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
}

/** How long a server may take to let somebody in, ms. */
const OPEN_MS = 10_000;
const HIDDEN_RENEWAL_MS = 60_000;

export class Peer {
  readonly doc: Y.Doc = new Y.Doc();
  readonly awareness: Awareness;
  /** Each time that somebody vanished from its view: the client id, and when, monotonic ms. */
  readonly vanished: { readonly id: number; readonly at: number }[] = [];
  /** Messages that came, of whatever kind. */
  messages = 0;
  /** Messages with awareness, or with changes of the document, that came. */
  awarenessMessages = 0;
  updates = 0;
  bytes = 0;
  /** When anything came last, and the longest time in which nothing came, monotonic ms. */
  heardAt: number = performance.now();
  /** Its connection ended so, other than by itself; null: it did not. */
  ended: Ended | null = null;
  readonly #setup: PeerSetup;
  #socket: WebSocket | null = null;
  #isFrozen = false;
  #isUnplugged = false;
  #renewal: ReturnType<typeof setInterval> | undefined;

  constructor(setup: PeerSetup) {
    this.#setup = setup;
    this.awareness = new Awareness(this.doc);
    this.awareness.setLocalState(setup.state);
    this.awareness.on("update", ({ added, updated, removed }: Record<"added" | "updated" | "removed", number[]>) => {
      const at = performance.now();
      this.vanished.push(...removed.map((id) => ({ id, at })));
      // as y-websocket does, be it news of its own or what it has heard
      this.#sayBack([...added, ...updated, ...removed]);
    });
    this.doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin === this) return;
      const encoder = encoding.createEncoder();
      encoding.writeVarUint(encoder, MESSAGE.sync);
      writeUpdate(encoder, update);
      this.send(encoding.toUint8Array(encoder));
    });
  }

  get id(): number {
    return this.awareness.clientID;
  }

  /** The clock of its own state. */
  get clock(): number {
    return this.awareness.meta.get(this.id)?.clock ?? 0;
  }

  /** Bytes that wait to be sent. */
  get unsent(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  get text(): string {
    return this.doc.getText("t").toJSON();
  }

  /** Connects; also again, as the same client. @throws Error when the server does not let it in */
  async open(): Promise<void> {
    const { dialect, base, room, token, origin } = this.#setup;
    const socket = new WebSocket(dialect.address(base, room, token), {
      autoPong: false,
      ...(origin !== null && { origin }),
    });
    this.#socket = socket;
    this.#isUnplugged = false;
    this.ended = null;
    socket.binaryType = "arraybuffer";
    socket.on("ping", (data) => this.#isUnplugged || socket.pong(data));
    socket.on("message", (data, isBinary) => isBinary && this.#receive(new Uint8Array(data as ArrayBuffer)));
    socket.on("close", (code, reason) => this.#closed(socket, { code, reason: reason.toString() }));
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the server does not answer within ${OPEN_MS} ms`)), OPEN_MS);
      socket.once("open", () => {
        clearTimeout(timer);
        // at once: a client announces itself before it answers, by which servers tell it from an echo
        this.#greet();
        resolve();
      });
      // "close" follows
      socket.on("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
    });
  }

  /** Whether it has the state of a client. @param field whose value this is; default: any state */
  sees(id: number, field?: string, value?: unknown): boolean {
    const state = this.awareness.getStates().get(id);
    return state !== undefined && (field === undefined || state[field] === value);
  }

  /** Those that it sees besides itself, by client id. */
  get others(): ReadonlyMap<number, State> {
    return new Map([...this.awareness.getStates()].filter(([id]) => id !== this.id));
  }

  set(field: string, value: unknown): void {
    this.awareness.setLocalStateField(field, value);
  }

  write(text: string): void {
    const shared = this.doc.getText("t");
    shared.insert(shared.length, text);
  }

  /** Says anything of any client ids. */
  say(...said: readonly Said[]): void {
    this.send(statesMessage(said));
  }

  /** Sends a document update, whether or not it is one. */
  sendUpdate(update: Uint8Array): void {
    this.send(updateMessage(update));
  }

  /** Sends a message, unless its page is frozen or its network gone. */
  send(message: Uint8Array): void {
    if (this.#socket?.readyState !== WebSocket.OPEN || this.#isFrozen || this.#isUnplugged) return;
    this.#socket.send(this.#setup.dialect.wrap(this.#setup.room, message));
  }

  /** Sends a text, which no client does. */
  sendText(text: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** Its page stops running: no timer, no message. Its browser goes on to answer pings. */
  freeze(): void {
    this.#isFrozen = true;
    clearInterval(this.awareness._checkInterval as ReturnType<typeof setInterval>);
  }

  /** Its page is hidden: its timers run once a minute. */
  hide(): void {
    clearInterval(this.awareness._checkInterval as ReturnType<typeof setInterval>);
    this.#renewal = setInterval(() => this.awareness.setLocalState(this.awareness.getLocalState()), HIDDEN_RENEWAL_MS);
  }

  /** Its network is gone, and nobody is told: neither data nor pongs go out. */
  unplug(): void {
    this.#isUnplugged = true;
  }

  /** Its connection is lost as when its process is killed: closed by TCP, without a word of WebSocket's. */
  cut(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.terminate();
    this.#forget();
  }

  /** Closes its connection. @param code 1000 on purpose, 1001 as a browser does for a tab that is closed */
  close(code = 1000): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(code);
    setTimeout(() => socket?.terminate(), 500).unref();
  }

  /** Frees all that it holds. */
  destroy(): void {
    clearInterval(this.#renewal);
    const socket = this.#socket;
    this.#socket = null;
    socket?.on("error", () => {});
    socket?.terminate();
    this.awareness.destroy();
    this.doc.destroy();
  }

  #greet(): void {
    for (const message of this.#setup.dialect.greeting(this.#setup.token)) this.send(message);
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, MESSAGE.sync);
    writeSyncStep1(encoder, this.doc);
    this.send(encoding.toUint8Array(encoder));
    if (this.awareness.getLocalState() === null) return;
    this.send(awarenessMessage(encodeAwarenessUpdate(this.awareness, [this.id])));
  }

  #sayBack(ids: number[]): void {
    try {
      this.send(awarenessMessage(encodeAwarenessUpdate(this.awareness, ids)));
    } catch (error) {
      // a state that is nested too deep to be written again: a server that lets it through is what is looked for
      if (!(error instanceof RangeError)) throw error;
    }
  }

  #closed(socket: WebSocket, ended: Ended): void {
    if (this.#socket !== socket) return;
    this.ended = ended;
    this.#socket = null;
    this.#forget();
  }

  /** y-websocket forgets everybody else when its connection is gone. */
  #forget(): void {
    const others = [...this.awareness.getStates().keys()].filter((id) => id !== this.id);
    removeAwarenessStates(this.awareness, others, this);
  }

  #receive(message: Uint8Array): void {
    this.messages++;
    this.bytes += message.length;
    this.heardAt = performance.now();
    if (this.#isFrozen || this.#isUnplugged) return;
    const decoder = this.#setup.dialect.decoder(message);
    const type = decoding.readVarUint(decoder);
    switch (type) {
      case MESSAGE.sync:
      case MESSAGE.syncReply:
        return this.#receiveSync(decoder);
      case MESSAGE.awareness:
        this.awarenessMessages++;
        return applyAwarenessUpdate(this.awareness, decoding.readVarUint8Array(decoder), this);
      case MESSAGE.queryAwareness:
        return this.send(
          awarenessMessage(encodeAwarenessUpdate(this.awareness, [...this.awareness.getStates().keys()])),
        );
      case MESSAGE.close:
        if (this.#setup.dialect.name === "hocuspocus")
          this.ended = { code: 1000, reason: decoding.readVarString(decoder) };
        return;
      default:
        return;
    }
  }

  #receiveSync(decoder: decoding.Decoder): void {
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, MESSAGE.sync);
    const isStep1 = readSyncMessage(decoder, encoder, this.doc, this) === 0;
    if (isStep1) this.send(encoding.toUint8Array(encoder));
    else this.updates++;
  }
}
