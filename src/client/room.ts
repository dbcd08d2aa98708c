/** A room that this client is in: its provider, its awareness, its people. */
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import {
  Emitter,
  type Json,
  type JsonObject,
  type MetaOption,
  type NoMeta,
  type Unsubscribe,
  asRecord,
  equal,
} from "../presence/index.ts";
import { type Grant, type RoomMessage, isMessageType } from "../wire/index.ts";
import { RoomAwareness } from "./provider/awareness.ts";
import { DEFAULT_LIMITS, checkMeta } from "./provider/fit.ts";
import { nextMeta } from "./meta.ts";
import type { Provider } from "./provider/provider.ts";
import type { Roster } from "./rosters/roster.ts";
import type { OwnSession } from "./session.ts";
import { AwarenessRoster } from "./rosters/track.ts";

export interface DocOption {
  /**
   * The document to share; default: one of its own. The room does not destroy a document that it was given; when somebody
   * else does, the room is left.
   */
  readonly doc?: Y.Doc;
}

/** `meta` is what others in the room see as this session's metadata; default `{}`, where nothing in its type is required. */
export type RoomOptions<RoomMeta = JsonObject> = DocOption & MetaOption<RoomMeta>;

/** The provider of a room, as applications and editor bindings use it. */
export type RoomProvider = Pick<
  Provider,
  "doc" | "awareness" | "synced" | "wsconnected" | "wsconnecting" | "on" | "once" | "off" | "connect" | "disconnect"
>;

/** The options of `join`, which may be left out where nothing in the metadata's type is required. */
export type JoinArguments<RoomMeta = JsonObject> = NoMeta extends RoomMeta
  ? [options?: RoomOptions<RoomMeta>]
  : [options: RoomOptions<RoomMeta>];

/** The same where nothing is known of the metadata's type. */
export type JoinOptions<RoomMeta> = DocOption & { readonly meta?: RoomMeta };

/** A room, from `presence.join` until as many `leave`s. */
export interface Room<RoomMeta = JsonObject> {
  readonly name: string;
  /** For editor bindings; `user` and `copresence` of its local state are kept by the client. */
  readonly awareness: Awareness;
  readonly doc: Y.Doc;
  /** Looks like y-websocket's. */
  readonly provider: RoomProvider;
  readonly roster: Roster<RoomMeta>;
  /** What the relay lets this client do here; null until it has said so, and if it says nothing of it. */
  readonly grants: readonly Grant[] | null;
  /** Whether what is written to the document reaches others; true until the relay says that it does not. */
  readonly canWrite: boolean;
  /** Calls back when `grants` changed. */
  subscribe(listener: () => void): Unsubscribe;
  /**
   * Changes what others in the room see as this session's metadata.
   *
   * @throws TypeError for what is no object, or that JSON cannot hold; RangeError for more than the relay takes (16 KiB,
   * 62 levels)
   */
  setMeta(meta: RoomMeta | ((previous: RoomMeta) => RoomMeta)): void;
  /**
   * Takes the own cursor, selection and whatever else an editor binding said out of the local state: all but `user` and
   * `copresence`. For bindings that clear nothing when they unmount (y-codemirror.next, y-quill, y-monaco, y-excalidraw).
   */
  clearCursor(): void;
  /**
   * Sends a one-off message to everyone else who is in the room now, also to the user's other tabs: a reaction, "look here". It
   * comes behind what this client said of itself before, and is stored nowhere. Without the grant `presence`, and from a user who is
   * invisible, nobody gets it.
   *
   * @param type the application's own word for what it is, 1 to 128 characters
   * @param payload anything that JSON can hold, at most 16 KiB; default null
   * @returns whether it went out; false: there is no connection, and the message is lost
   * @throws RangeError for a payload or a type that is too long, or an empty type; TypeError for what JSON cannot hold
   */
  broadcast(type: string, payload?: Json): boolean;
  /** Calls back with each message that somebody else in the room, or a server (`from` is null), sends. */
  on(type: "message", listener: (message: RoomMessage) => void): Unsubscribe;
  /** Leaves, once everyone who joined has: each `join` needs its own. Others see it at once. */
  leave(): void;
}

export type MakeProvider = (room: string, doc: Y.Doc, awareness: Awareness) => Provider;

export class JoinedRoom<RoomMeta> implements Room<RoomMeta> {
  readonly name: string;
  readonly awareness: Awareness;
  readonly doc: Y.Doc;
  readonly provider: Provider;
  readonly roster: AwarenessRoster<RoomMeta>;
  readonly #session: OwnSession;
  readonly #onEmpty: () => void;
  readonly #ownsDoc: boolean;
  readonly #emitter = new Emitter<{ change: null; message: RoomMessage }>();
  readonly #stopSession: Unsubscribe;
  #meta: RoomMeta;
  #grants: readonly Grant[] | null = null;
  /** What the local state held last that is not ours. */
  #binding: object = {};
  #holders = 1;

  constructor(
    name: string,
    session: OwnSession,
    makeProvider: MakeProvider,
    options: JoinOptions<RoomMeta>,
    onEmpty: () => void,
  ) {
    this.name = name;
    this.#session = session;
    this.#onEmpty = onEmpty;
    this.#ownsDoc = options.doc === undefined;
    this.#meta = nextMeta({} as RoomMeta, options.meta ?? ({} as RoomMeta));
    this.doc = options.doc ?? new Y.Doc();
    // before the awareness hears of it: that would clear the local state, which we would restore [ROOM-7]
    this.doc.on("destroy", this.#end);
    this.awareness = new RoomAwareness(this.doc);
    this.#restore();
    // before the roster listens, so that nobody sees what is mended here; "change" says nothing of a state that was changed
    // in place, "update" does
    this.awareness.on("change", this.#restore);
    this.awareness.on("update", this.#restore);
    this.awareness.on("change", this.#onChange);
    this.doc.on("afterTransaction", this.#onTransaction);
    this.provider = makeProvider(name, this.doc, this.awareness);
    this.roster = new AwarenessRoster<RoomMeta>(this.awareness, {
      roomId: name,
      status: "connecting",
      connectionOf: (clientId) => this.provider.inbound.markOf(clientId),
    });
    this.provider.on("snapshot", () => this.roster.setStatus("live"));
    this.provider.on("marks", (clientIds) => this.roster.refresh(clientIds));
    this.provider.on("control", (control) => {
      if (control.kind === "hello") this.#setGrants(control.grants ?? null);
      if (control.kind !== "messages") return;
      for (const message of control.messages) {
        // [MSG-1] one that is sent together with others' comes back to its author
        if (message.from?.clientId !== this.awareness.clientID) this.#emitter.emit("message", message);
      }
    });
    this.roster.follow(this.provider);
    this.#stopSession = session.on("change", this.#restore);
    this.provider.connect();
  }

  get grants(): readonly Grant[] | null {
    return this.#grants;
  }

  get canWrite(): boolean {
    return this.#grants?.includes("write") ?? true;
  }

  readonly subscribe = (listener: () => void): Unsubscribe => this.#emitter.on("change", listener);

  setMeta(meta: RoomMeta | ((previous: RoomMeta) => RoomMeta)): void {
    this.#meta = nextMeta(this.#meta, meta, this.provider.outbound.limits);
    this.#restore();
    this.provider.retry();
  }

  broadcast(type: string, payload: Json = null): boolean {
    if (!isMessageType(type)) throw new RangeError("the type of a message is a text of 1 to 128 characters");
    checkMeta(payload, DEFAULT_LIMITS);
    return this.provider.say({ kind: "broadcast", type, payload });
  }

  on(type: "message", listener: (message: RoomMessage) => void): Unsubscribe {
    return this.#emitter.on(type, listener);
  }

  /** Takes what the relay grants, and tells the listeners when that changed. [CLIENT-11] [CLIENT-15] */
  #setGrants(grants: readonly Grant[] | null): void {
    if (equal(this.#grants, grants)) return;
    this.#grants = grants;
    this.#emitter.emit("change", null);
  }

  // [STATE-9] what is not ours is the binding's: it is left out
  clearCursor(): void {
    const { user, copresence } = this.awareness.getLocalState() ?? {};
    this.#binding = {};
    this.awareness.setLocalState({ user, copresence });
  }

  /** Counts another `join` of the same room. */
  hold({ doc, meta }: JoinOptions<RoomMeta>): void {
    if (doc !== undefined && doc !== this.doc) {
      throw new Error(`room "${this.name}" is joined with another document; leave it first`);
    }
    if (meta !== undefined) this.setMeta(meta);
    this.#holders++;
  }

  leave(): void {
    if (this.#holders > 0 && --this.#holders === 0) this.#end();
  }

  /** A room does not outlive its document. */
  readonly #end = (): void => this.#onEmpty();

  destroy(): void {
    this.#holders = 0;
    this.#stopSession();
    this.doc.off("destroy", this.#end);
    this.#emitter.clear();
    this.doc.off("afterTransaction", this.#onTransaction);
    this.roster.destroy();
    this.provider.destroy();
    this.awareness.destroy();
    if (this.#ownsDoc) this.doc.destroy();
  }

  /** A local edit is made by the user of this page. [ACT-7] */
  readonly #onTransaction = ({ local, changed }: Y.Transaction): void => {
    if (local && changed.size > 0) this.#session.active();
  };

  /** A local cursor is moved by the user of this page; what the client says by itself, and says again, is no input. [ACT-7] */
  readonly #onChange = (_change: unknown, origin: unknown): void => {
    // the change that leaving the room makes is no input
    if (origin !== "local" || this.#holders === 0) return;
    const { user: _user, copresence: _copresence, ...binding } = this.awareness.getLocalState() ?? {};
    if (equal(binding, this.#binding)) return;
    this.#binding = binding;
    this.#session.active();
  };

  /**
   * Sees to it that the local state says who we are. Editor bindings share the state: some set a user of their own, one
   * replaces it whole, or clears it. [STATE-5]
   */
  readonly #restore = (): void => {
    // it is left, and what is said last is nothing
    if (this.#holders === 0) return;
    const local = this.awareness.getLocalState() ?? {};
    const { user, copresence } = this.#session.announce(this.#meta);
    // a binding may add to the user (a colour it needs), but not say that it is somebody else
    const merged = { ...asRecord(local["user"]), ...user };
    if (equal(local["user"], merged) && equal(local["copresence"], copresence)) return;
    this.awareness.setLocalState({ ...local, user: merged, copresence });
  };
}
