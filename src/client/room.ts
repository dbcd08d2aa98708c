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
import { RoomAwareness, guardDocument } from "./provider/awareness.ts";
import { DEFAULT_LIMITS, checkMeta } from "./provider/fit.ts";
import { nextMeta } from "./meta.ts";
import type { Provider } from "./provider/provider.ts";
import { followRelay } from "./rosters/follow.ts";
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
   * @returns whether it went out; false: there is no connection, or more was sent than the relay takes of one connection (500 messages
   * a second, 2,000 at once), and the message is lost
   * @throws RangeError for a payload or a type that is too long, or an empty type; TypeError for what JSON cannot hold
   */
  broadcast(type: string, payload?: Json): boolean;
  /**
   * `message`: each message that somebody else in the room, or a server (`from` is null), sends. `missed`: so many messages were sent
   * and do not come, since this page did not read in time; those that come next were sent after them.
   */
  on<K extends keyof RoomEvents>(type: K, listener: (event: RoomEvents[K]) => void): Unsubscribe;
  /** Leaves, once everyone who joined has: each `join` needs its own. Others see it at once. */
  leave(): void;
}

/** What `room.on` tells. */
export interface RoomEvents {
  readonly message: RoomMessage;
  readonly missed: { readonly count: number };
}

export type MakeProvider = (room: string, doc: Y.Doc, awareness: Awareness) => Provider;

/** A room as the client has it. */
export interface JoinedRoom<RoomMeta> extends Room<RoomMeta> {
  readonly provider: Provider;
  /** Counts another `join` of the same room. */
  hold(options: JoinOptions<RoomMeta>): void;
  destroy(): void;
}

/** @param onEmpty nobody holds the room any more, or its document is destroyed: it is to be destroyed, too */
export function joinRoom<RoomMeta>(
  name: string,
  session: OwnSession,
  makeProvider: MakeProvider,
  options: JoinOptions<RoomMeta>,
  onEmpty: () => void,
): JoinedRoom<RoomMeta> {
  let meta = nextMeta({} as RoomMeta, options.meta ?? ({} as RoomMeta));
  const doc = options.doc ?? new Y.Doc();
  guardDocument(doc);
  const emitter = new Emitter<RoomEvents & { change: null }>(["message", "missed", "change"]);
  let grants: readonly Grant[] | null = null;
  /** What the local state held last that is not ours. */
  let lastBinding: object = {};
  let holders = 1;

  // before the awareness hears of it: that would clear the local state, which we would restore [ROOM-7]
  doc.on("destroy", onEmpty);
  const awareness = new RoomAwareness(doc);
  restore();
  // before the roster listens, so that nobody sees what is mended here; "change" says nothing of a state that was changed
  // in place, "update" does
  awareness.on("change", restore);
  awareness.on("update", restore);
  awareness.on("change", onChange);
  doc.on("afterTransaction", onTransaction);
  const provider = makeProvider(name, doc, awareness);
  const roster = new AwarenessRoster<RoomMeta>(awareness, {
    roomId: name,
    status: "connecting",
    connectionOf: (clientId) => provider.inbound.markOf(clientId),
  });
  provider.on("snapshot", () => roster.setStatus("live"));
  provider.on("marks", (clientIds) => roster.refresh(clientIds));
  provider.on("control", (control) => {
    if (control.kind === "hello") setGrants(control.grants ?? null);
    // [MSG-8]
    if (control.kind === "missed") emitter.emit("missed", control);
    if (control.kind !== "messages") return;
    for (const message of control.messages) {
      // [MSG-1] one that is sent together with others' comes back to its author
      if (message.from?.clientId !== awareness.clientID) emitter.emit("message", message);
    }
  });
  followRelay(roster, provider);
  const stopSession = session.on("change", restore);
  provider.connect();

  /** Takes what the relay grants, and tells the listeners when that changed. [CLIENT-11] [CLIENT-15] */
  function setGrants(next: readonly Grant[] | null): void {
    if (equal(grants, next)) return;
    grants = next;
    emitter.emit("change", null);
  }

  function setMeta(change: RoomMeta | ((previous: RoomMeta) => RoomMeta)): void {
    meta = nextMeta(meta, change, provider.outbound.limits);
    restore();
    provider.retry();
  }

  /** A local edit is made by the user of this page. [ACT-7] */
  function onTransaction({ local, changed }: Y.Transaction): void {
    if (local && changed.size > 0) session.active();
  }

  /** A local cursor is moved by the user of this page; what the client says by itself, and says again, is no input. [ACT-7] */
  function onChange(_change: unknown, origin: unknown): void {
    // the change that leaving the room makes is no input
    if (origin !== "local" || holders === 0) return;
    const { user: _user, copresence: _copresence, ...binding } = awareness.getLocalState() ?? {};
    if (equal(binding, lastBinding)) return;
    lastBinding = binding;
    session.active();
  }

  /**
   * Sees to it that the local state says who we are. Editor bindings share the state: some set a user of their own, one
   * replaces it whole, or clears it. [STATE-5]
   */
  function restore(): void {
    // it is left, and what is said last is nothing
    if (holders === 0) return;
    const local = awareness.getLocalState() ?? {};
    const { user, copresence } = session.announce(meta);
    // a binding may add to the user (a colour it needs), but not say that it is somebody else
    const merged = { ...asRecord(local["user"]), ...user };
    if (equal(local["user"], merged) && equal(local["copresence"], copresence)) return;
    awareness.setLocalState({ ...local, user: merged, copresence });
  }

  return {
    name,
    awareness,
    doc,
    provider,
    roster,
    get grants() {
      return grants;
    },
    get canWrite() {
      return grants?.includes("write") ?? true;
    },
    subscribe: (listener) => emitter.on("change", listener),
    setMeta,
    broadcast(type, payload = null) {
      if (!isMessageType(type)) throw new RangeError("the type of a message has 1 to 128 characters");
      checkMeta(payload, DEFAULT_LIMITS, "payload");
      return provider.trySay({ kind: "broadcast", type, payload });
    },
    on: (type, listener) => emitter.on(type, listener),
    // [STATE-9] what is not ours is the binding's: it is left out
    clearCursor() {
      const { user, copresence } = awareness.getLocalState() ?? {};
      lastBinding = {};
      awareness.setLocalState({ user, copresence });
    },
    hold(next) {
      if (next.doc !== undefined && next.doc !== doc) {
        throw new Error(`room "${name}" is joined with another document; leave it first`);
      }
      if (next.meta !== undefined) setMeta(next.meta);
      holders++;
    },
    leave() {
      if (holders > 0 && --holders === 0) onEmpty();
    },
    destroy() {
      holders = 0;
      stopSession();
      emitter.clear();
      doc.off("destroy", onEmpty);
      doc.off("afterTransaction", onTransaction);
      roster.destroy();
      provider.destroy();
      awareness.destroy();
      if (options.doc === undefined) doc.destroy();
    },
  };
}
