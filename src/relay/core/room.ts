/**
 * A room: its members, the register of their states, a document, and the flush that tells every member what changed.
 *
 * It knows members, not sockets. A frame goes in and changes come out; the hub has the directory say who may be seen, and
 * hands the changes back for the members to be told. Nothing here calls upwards.
 */
import type { Unsubscribe, User } from "../../presence/index.ts";
import { type Author, type Change, type Moment, type PresentEntry, Register } from "../../awareness/index.ts";
import {
  type Control,
  type Frame,
  FrameError,
  KEEP_ALIVE_FRAME,
  QUERY_FRAME,
  type SessionChange,
  type UnwatchRequest,
  type WatchRequest,
  isLobby,
} from "../../wire/index.ts";
import type { DocumentHost, RoomDocument } from "../documents/index.ts";
import type { Dropped } from "./counters.ts";
import { RoomMessages } from "../messages/room-messages.ts";
import { Packet, control } from "../ports/packet.ts";
import type { Member } from "../ports/member.ts";
import { Members } from "./members.ts";
import { Observers } from "./observers.ts";
import { RoomPeople } from "./people.ts";
import { Readers } from "./readers.ts";
import { Flusher } from "./flush/flusher.ts";
import type { RoomSetup } from "./setup.ts";
import { RoomSharing } from "./sharing.ts";

const KEEP_ALIVE = new Packet(KEEP_ALIVE_FRAME);
const QUERY = new Packet(QUERY_FRAME);
const NO_CHANGES: readonly Change[] = [];

/** How long a room waits between two flushes when it costs more than its share, unless it is large, ms. Nobody minds a cursor that old. [FLOW-3] */
const USUAL_INTERVAL_MS = 33;
/** How often to look for states to renew, ms. */
const RENEWAL_SWEEP_MS = 5_000;

/** The members that are told of a lobby without its document: `Watchers` of lobby/watchers.ts. */
export interface LobbyWatchers {
  /** Acts on what a member asks for. Throws `FrameError`. */
  take(member: Member, request: WatchRequest | UnwatchRequest): void;
  /** A member asks for the lobby's document. */
  tellFirst(member: Member): void;
  left(member: Member): void;
}

export class Room implements DocumentHost {
  readonly name: string;
  readonly members: Members = new Members();
  readonly register: Register;
  readonly document: RoomDocument;
  readonly #setup: RoomSetup;
  readonly #isLobby: boolean;
  /** The people of the room. They are counted while somebody on the server side listens. A lobby counts its own. */
  readonly people: RoomPeople;
  /** The members that are told of a lobby without its document; null: this is no lobby. */
  watchers: LobbyWatchers | null = null;
  /** One-off messages on their way. */
  readonly messages: RoomMessages;
  /** The room as it is shared with other relays. */
  readonly sharing: RoomSharing;
  readonly #observers: Observers;
  readonly #flusher: Flusher;
  readonly #readers: Readers;
  #renewalsAt = -Infinity;
  #holds = 0;

  constructor(name: string, setup: RoomSetup, makeDocument: (room: Room) => RoomDocument) {
    this.name = name;
    this.#setup = setup;
    this.#isLobby = isLobby(name);
    this.register = new Register(name, setup.limits, setup.admitUsers, setup.stateMemory, setup.tie);
    this.people = new RoomPeople(name, this.register, setup.clock);
    this.#observers = new Observers(this.members, this.register, {
      clock: setup.clock,
      firstClock: setup.firstClock,
      maxCursors: this.#isLobby ? 0 : setup.maxCursors,
    });
    this.#flusher = new Flusher({
      clock: setup.clock,
      load: setup.load,
      shortestMs: setup.tick,
      usualMs: USUAL_INTERVAL_MS,
      audience: this.members,
      flush: (now) => this.#flush(now),
      onFlushed: (tookMs, waitedMs) => setup.probe.flushed(name, tookMs, waitedMs),
    });
    this.messages = new RoomMessages(this.members, this.register, this.#flusher, setup);
    this.document = makeDocument(this);
    this.#readers = new Readers(this.document, this.members, setup);
    this.sharing = new RoomSharing({
      members: this.members,
      observers: this.#observers,
      readers: this.#readers,
      messages: this.messages,
      flusher: this.#flusher,
    });
  }

  /** Keeps the room, though nobody is in it. Returns the undo. */
  hold(): Unsubscribe {
    this.#holds++;
    return () => void this.#holds--;
  }

  get isHeld(): boolean {
    return this.#holds > 0;
  }

  /** No client of this relay is here or may return, and nobody holds the room. */
  get empty(): boolean {
    if (this.isHeld) return false;
    if (this.members.own > 0) return false;
    for (const { isRemote } of this.register.present()) if (!isRemote) return false;
    return true;
  }

  /** How many connections of clients there are. Another relay is none, and neither is a member that a server has set. */
  get connections(): number {
    let count = 0;
    for (const { kind, access } of this.members) if (kind !== "relay" && access.isServer !== true) count++;
    return count;
  }

  /** Who is present, as others see them, by user id. */
  get users(): ReadonlyMap<string, User> {
    return this.people.users;
  }

  /** Tells `onEvents` from now on who comes and goes, or no more. */
  observe(isObserved: boolean): void {
    if (!this.#isLobby) this.people.observe(isObserved);
  }

  join(member: Member): void {
    // [ROSTER-11] with another relay nobody comes who was missed
    if (member.kind !== "relay") this.#setup.rush.came();
    this.members.add(member);
    this.#observers.joined(member);
    this.#readers.ask(member);
    this.#observers.greet(member);
    this.sharing.greet(member);
  }

  /** Acts on a frame. Throws `FrameError`, having taken nothing of it. [WIRE-11] [ROOM-1] */
  receive(member: Member, frame: Frame, at: Moment): readonly Change[] {
    switch (frame.type) {
      case "syncStep1":
        this.watchers?.tellFirst(member);
        this.#readers.question(member, frame.stateVector);
        return NO_CHANGES;
      case "syncStep2":
        if (this.register.answered(member) && this.#observers.answered(member)) this.#flusher.schedule();
        this.#readers.write(member, frame.update);
        return NO_CHANGES;
      case "update":
        this.#readers.write(member, frame.update);
        return NO_CHANGES;
      case "awareness":
        return this.#hear(member, frame.payload, at);
      case "patch": {
        if (member.kind !== "native") throw new FrameError("unexpected patch message");
        if (!member.access.presence) return this.#drop("awareness");
        return this.#orAsk(member, this.register.patch(member, frame.id, frame.clock, frame.patch, at));
      }
      case "queryAwareness":
        this.#observers.greet(member);
        return NO_CHANGES;
      case "control":
        this.#hearControl(member, frame.control, at.date);
        return NO_CHANGES;
      case "denied":
      case "states":
        throw new FrameError(`unexpected ${frame.type === "denied" ? "auth" : "states"} message`);
    }
  }

  /** The session of a member has changed its status or its user. Throws `FrameError`, having taken nothing of the change. [LINK-14] */
  restate(member: Member, change: SessionChange, at: Moment): readonly Change[] {
    if (!member.access.presence) return NO_CHANGES;
    return this.#orAsk(member, this.register.restate(member, change, at));
  }

  /** Takes out a member that is gone. Entries that `isExplicit` leave at once; the rest may come back within the grace. */
  leave(member: Member, now: number, isExplicit: (entry: PresentEntry) => boolean): readonly Change[] {
    if (!this.members.delete(member)) return NO_CHANGES;
    this.#readers.left(member);
    this.watchers?.left(member);
    this.messages.left(member);
    this.#observers.left(member, now);
    const changes: Change[] = [];
    for (const entry of this.register.ownedBy(member).slice()) {
      entry.lastSeen = member.lastSeen;
      if (isExplicit(entry)) changes.push(...this.register.remove(entry, now));
    }
    changes.push(...this.register.orphan(member, member.lastSeen));
    return changes;
  }

  /** Gives an entry up whose connection did not come back. */
  expire(entry: PresentEntry, now: number): readonly Change[] {
    return entry.phase === "orphaned" ? this.register.remove(entry, now) : NO_CHANGES;
  }

  /** Has the members told of a change, where they may see it. */
  publish(change: Change): void {
    switch (change.type) {
      case "entered":
        this.#observers.claimed(change.entry);
        this.#refresh(change.entry);
        return this.#tellOf(change.entry, new Set(change.entry.publishedState.fields.keys()));
      case "claimed":
        this.#observers.claimed(change.entry);
        return this.#refresh(change.entry);
      case "renamed":
        return this.#refresh(change.entry);
      case "changed":
        return this.#tellOf(change.entry, change.fields);
      case "left":
        return this.#publishLeave(change.entry);
      case "superseded": {
        const member = this.members.of(change.author);
        if (member !== null) this.#observers.superseded(member, change.id);
        return this.#tellNative(change.author, { kind: "superseded", session: change.session });
      }
      case "taken":
        return this.#tellNative(change.author, { kind: "taken", clientId: change.id });
      case "returned": {
        const member = this.members.of(change.author);
        if (member !== null && this.#observers.returned(member)) this.#flusher.schedule();
        return;
      }
    }
  }

  /** Lets observers see an entry, or hides it. [STATUS-5] */
  show(entry: PresentEntry, isVisible: boolean): void {
    // of the states in a lobby a room passes on only those by which relays vouch for their shards
    const visible = isVisible && !this.#isLobby;
    if (entry.visible === visible) return;
    this.#observers.setVisible(entry, visible);
    this.people.count(entry);
    this.#flusher.schedule();
  }

  /** Tells a member of the lobby its user's newest choice of status, made in another session. */
  tellChoice(entry: PresentEntry, manual: Extract<Control, { kind: "manual" }>["manual"]): void {
    if (entry.owner !== null) this.#tellNative(entry.owner, { kind: "manual", manual });
  }

  /** Sends an update of the document to all who read it but its author. */
  sendUpdate(packet: Packet, author: unknown): void {
    this.#readers.send(packet, author);
  }

  taken(update: Uint8Array, relay: unknown): void {
    this.sharing.taken(update, relay);
  }

  scheduleFlush(): void {
    this.#flusher.schedule();
  }

  /** Tells at once what waits to be told. */
  flushNow(): void {
    this.#flusher.flushNow();
  }

  refuse(author: unknown, { code, message }: FrameError): void {
    this.members.of(author)?.close(code, message);
  }

  charge(author: unknown, ms: number): void {
    this.members.of(author)?.charge(ms);
  }

  /** Does what comes by time: renewals for stock observers, and forgetting. */
  sweep(now: number): void {
    this.register.sweep(now);
    if (now - this.#renewalsAt < RENEWAL_SWEEP_MS) return;
    this.#renewalsAt = now;
    this.messages.sweep(now);
    // fields that native members were told of stay as they are; states that clients announce to a lobby are told to nobody
    this.register.fold(now - RENEWAL_SWEEP_MS, this.#observers.hasNative);
    this.#observers.renew(now);
  }

  /** A member has read all that it was sent. */
  catchUp(member: Member): void {
    this.#observers.catchUp(member);
    this.messages.catchUp(member);
  }

  /** Ends it; members that are still there hear no more of it. */
  close(): void {
    // the last leave may still wait for its flush
    this.#flusher.close({ flush: true });
    this.members.clear();
    this.#readers.clear();
    this.#observers.close();
    this.messages.close();
    this.register.close();
    this.document.close();
  }

  #hear(member: Member, payload: Uint8Array, at: Moment): readonly Change[] {
    // an empty update says that the page lives; the answer says that the relay does
    if (member.kind === "native" && payload.length === 1 && payload[0] === 0) {
      member.send(KEEP_ALIVE);
      return NO_CHANGES;
    }
    if (this.#observers.isEcho(member, payload)) {
      this.members.answered(member);
      return NO_CHANGES;
    }
    const { entries, echoes } = this.register.read(member, payload);
    if (echoes) this.members.answered(member);
    // what a member without the grant `presence` says of itself is dropped [GRANT-3]
    if (member.access.presence) return this.register.apply(member, entries, at);
    return entries.length > 0 ? this.#drop("awareness") : NO_CHANGES;
  }

  /** Asks a member for its whole state, where the register does not know it as the member's own. [PATCH-5] [LINK-15] */
  #orAsk(member: Member, changes: readonly Change[] | null): readonly Change[] {
    if (changes === null) member.send(QUERY);
    return changes ?? NO_CHANGES;
  }

  #drop(what: Dropped): readonly Change[] {
    this.#setup.onDropped(what);
    return NO_CHANGES;
  }

  /** The user, session or connection of an entry changed. */
  #refresh(entry: PresentEntry): void {
    if (this.people.count(entry)) this.#flusher.schedule();
    this.#observers.refresh(entry);
  }

  #tellOf(entry: PresentEntry, fields: ReadonlySet<string>): void {
    if (this.#observers.changed(entry, fields)) this.#flusher.schedule();
  }

  #publishLeave(entry: PresentEntry): void {
    this.#observers.removed(entry);
    this.people.left(entry);
    this.#flusher.schedule();
  }

  #flush(now: number): void {
    this.#send(now);
    this.messages.flush();
    const events = this.people.flush();
    if (events.length > 0) this.#setup.onEvents(events);
  }

  /** Sends what changed of the document, and of states: to each member in one write. [DOC-22] */
  #send(now: number): void {
    if (!this.document.isUnsettled) return this.#observers.flush(now);
    const corked = [...this.members];
    for (const member of corked) member.cork();
    try {
      this.document.settle();
      this.#observers.flush(now);
    } finally {
      for (const member of corked) member.uncork();
    }
  }

  /** Tells an author something that only clients of ours understand. */
  #tellNative(author: Author, message: Control): void {
    if (author.kind === "native") this.members.of(author)?.send(control(message));
  }

  /** Answers a client that asks whether people whom nobody names have gone. [ROSTER-6] [ROSTER-11] */
  #answer(member: Member): void {
    if (this.members.has(member)) member.send(control({ kind: "pong" }));
  }

  #hearControl(member: Member, said: Control, date: number): void {
    const { kind } = said;
    if (member.kind === "native") {
      if (kind === "ping") return this.#setup.rush.answer(member, () => this.#answer(member));
      if ((kind === "watch" || kind === "unwatch") && this.watchers !== null) return this.watchers.take(member, said);
      if (kind === "broadcast" && !this.#isLobby) return this.messages.say(member, said, date);
    }
    throw new FrameError(`unexpected control message ${kind}`);
  }
}
