/**
 * A Yjs provider over a channel to one room: document sync and awareness, as y-websocket does them, for a relay
 * that it trusts.
 *
 * Trust means: the relay's word on who is here is taken as it comes, nobody is expired locally, and only the own state
 * is sent. While the connection is down peers stay as they were, and after it is back those who do not return in time
 * go.
 */
import * as random from "lib0/random";
import { ObservableV2 } from "lib0/observable";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import { guarded } from "../../presence/index.ts";
import {
  type Control,
  TOO_LARGE,
  type RelayFrame,
  controlFrame,
  decodeRelayFrame,
  syncStep1Frame,
  syncStep2Frame,
  updateFrame,
} from "../../wire/index.ts";
import { emitGuarded } from "./awareness.ts";
import { type Inbound, createInbound } from "./inbound.ts";
import type { ProviderEvents, ProviderOptions } from "./options.ts";
import { Outbound } from "./outbound.ts";
import type { Channel } from "../link/channel.ts";
import { ignored } from "../link/link.ts";

/** Grace for peers after a reconnect, until the relay names its own, ms. */
const DEFAULT_GRACE_MS = 3_000;

export class Provider extends ObservableV2<ProviderEvents> {
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  /** The own state on its way out. */
  readonly outbound: Outbound;
  /** Peers on their way in. */
  readonly inbound: Inbound;
  readonly #channel: Channel;
  readonly #options: ProviderOptions;
  #graceMs = DEFAULT_GRACE_MS;
  /** Peers who lost the relay as this client did have had time to come back when this fires. */
  #holdTimer: ReturnType<typeof setTimeout> | undefined;
  /** That time is up, and the relay is asked whether it is there, which proves that it would have told of them. */
  #isAsking = false;
  #synced = false;
  /** What was told last of what is wrong with the connection. */
  #trouble: string | null = null;
  /** The code with which the relay refused for good. */
  #refusedWith: number | undefined;
  #destroyed = false;

  constructor(doc: Y.Doc, awareness: Awareness, options: ProviderOptions) {
    super();
    this.doc = doc;
    this.awareness = awareness;
    this.#options = options;
    // the application goes back in the history of the document: the relay is not to forget what was deleted [DOC-11]
    const request = { room: options.room, ...(!doc.gc && { keepsHistory: true }) };
    this.#channel = options.link.channel(request, {
      dialed: () => this.emit("status", [{ status: "connecting" }]),
      opened: () => this.#opened(),
      message: (bytes) => this.#message(bytes),
      down: () => this.#down(),
      // [CLIENT-7]
      failed: (trouble) => {
        if (trouble !== null && trouble !== this.#trouble) this.#problem(trouble);
        this.#trouble = trouble;
      },
      // what was sent may have been too large, and less is sent next time [LIVE-7]
      forgives: (code, reason) => code === TOO_LARGE && this.outbound.tooLarge(reason),
      refused: (code, reason) => {
        this.#refusedWith = code;
        this.emit("closed", [{ code, reason }]);
      },
    });
    this.outbound = new Outbound(awareness, this.#channel, options.announcement, (field, why) => {
      this.#problem(`"${field}" of the state in ${options.room} is not sent, others keep what they have: ${why}`);
    });
    this.inbound = createInbound(awareness, this, this.outbound, options.clock, (ids) => this.emit("marks", [ids]));
    // Yjs encodes again what it has just decoded if anybody listens: nobody should who does not have to
    if (options.sync === "share") doc.on("update", this.#onDocUpdate);
  }

  get wsconnected(): boolean {
    return this.#channel.phase === "open";
  }

  get wsconnecting(): boolean {
    return this.#channel.phase === "connecting" && this.#options.link.isUp;
  }

  /** The document is as the relay has it. */
  get synced(): boolean {
    return this.#synced;
  }

  connect(): void {
    if (!this.#destroyed) this.#channel.connect();
  }

  /** Tries again, if what was sent was too large: it may be so no more. */
  retry(): void {
    this.outbound.retry();
    if (this.#refusedWith === TOO_LARGE) this.connect();
  }

  /** Says something behind all that is to be said of the own state. Returns whether there is a connection that it goes out on. */
  say(control: Control): boolean {
    this.outbound.flush();
    this.#channel.send(controlFrame(control));
    return this.wsconnected;
  }

  /** Says it, if the relay takes that much. Returns whether it goes out. [MSG-9] */
  trySay(control: Control): boolean {
    return this.wsconnected && this.#options.link.takesMessage() && this.say(control);
  }

  /** Leaves: others see it at once. Peers stay as they were, until `connect` finds out who is still there. */
  disconnect(): void {
    this.outbound.leave();
    this.#channel.disconnect();
  }

  override destroy(): void {
    if (this.#destroyed) return;
    this.disconnect();
    this.#destroyed = true;
    this.#options.link.drop(this.#channel);
    this.outbound.stop();
    this.inbound.clear();
    this.doc.off("update", this.#onDocUpdate);
    super.destroy();
  }

  /** [CLIENT-1] Tells all listeners, whatever one of them throws. */
  override emit<K extends keyof ProviderEvents>(name: K, args: Parameters<ProviderEvents[K]>): void {
    emitGuarded(this._observers, name, args);
  }

  readonly #onDocUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin !== this) this.#channel.send(updateFrame(update));
  };

  #opened(): void {
    this.#refusedWith = undefined;
    this.outbound.opened();
    this.inbound.opened();
    this.emit("status", [{ status: "connected" }]);
  }

  /** Asks for the document, once it is known who is there to be asked. */
  #ask(): void {
    if (this.#options.sync !== "none") this.#channel.send(syncStep1Frame(Y.encodeStateVector(this.doc)));
  }

  #down(): void {
    this.#setSynced(false);
    this.inbound.lost(this.#options.link.heardAt);
    // as long as nothing is heard, nobody has failed to return
    this.#stopHold();
    this.emit("status", [{ status: "disconnected" }]);
  }

  #problem(message: string): void {
    this.emit("problem", [new Error(`copresence: ${message}`)]);
  }

  #message(bytes: Uint8Array): void {
    try {
      this.#receive(decodeRelayFrame(bytes));
    } catch (error) {
      ignored(error);
    }
  }

  #receive(frame: RelayFrame): void {
    switch (frame.type) {
      case "syncStep1":
        return this.#channel.send(syncStep2Frame(Y.encodeStateAsUpdate(this.doc, frame.stateVector)));
      case "syncStep2":
        this.#applyUpdate(frame.update);
        // the answer to the first question: all that the relay says unasked came before it
        this.inbound.dropDoubtful();
        return this.#setSynced(true);
      case "update":
        return this.#applyUpdate(frame.update);
      case "states":
        if (this.inbound.take(frame.payload)) this.#isWhole();
        return;
      case "awareness": // an empty one answers a renewal
        return;
      case "queryAwareness":
        return this.outbound.tell();
      case "control":
        return this.#control(frame.control);
    }
  }

  /** [CLIENT-1] What an observer of the document throws, Yjs throws once all is applied. */
  #applyUpdate(update: Uint8Array): void {
    guarded(() => Y.applyUpdate(this.doc, update, this));
  }

  /** The first states on a connection are all that there are. Peers that are missing are waited for. [ROSTER-6] */
  #isWhole(): void {
    this.#waitForMissing();
    this.emit("snapshot", []);
  }

  /** @param isPartial the relay does not hear the others, and does not know who is with them [ROSTER-10] */
  #waitForMissing(isPartial = false): void {
    this.#stopHold();
    if (isPartial || !this.inbound.holds) return;
    this.#holdTimer = setTimeout(
      () => {
        this.#isAsking = true;
        this.say({ kind: "ping" });
      },
      // a peer that lost the relay as we did may still wait out its back-off
      this.#graceMs + this.#options.timing.maxBackoffMs,
    );
  }

  #stopHold(): void {
    clearTimeout(this.#holdTimer);
    this.#isAsking = false;
  }

  #control(control: Control): void {
    switch (control.kind) {
      case "hello": {
        this.#graceMs = control.graceMs;
        this.#options.link.greeted(control);
        // who hears of it may set the clock, and with it what is said
        this.emit("control", [control]);
        // first: once the document is there, others see this client
        this.outbound.greeted(control);
        return this.#ask();
      }
      case "marks":
        return this.inbound.mark(control.marks);
      case "pong":
        // the relay is there: peers that have not returned are gone [ROSTER-6]
        if (!this.#isAsking) return;
        this.#isAsking = false;
        this.inbound.release();
        return this.emit("released", []);
      case "taken":
        return this.#takeAnotherId(control.clientId);
      default:
        if (control.kind === "world") this.#waitForMissing(control.partial);
        // for the client, which knows the session and the tokens
        this.emit("control", [control]);
    }
  }

  /** [CLIENT-5] Somebody else in the room has the client id. */
  #takeAnotherId(clientId: number): void {
    this.outbound.disown(clientId);
    // as Yjs does when it notices by itself, which it may have done already; the awareness follows
    if (clientId === this.doc.clientID) this.doc.clientID = random.uint32();
    this.awareness.getLocalState();
    this.inbound.disown(clientId);
  }

  #setSynced(synced: boolean): void {
    if (this.#synced === synced) return;
    this.#synced = synced;
    this.emit("synced", [synced]);
    this.emit("sync", [synced]);
  }
}
