/**
 * A room: its members, the register of their states, a document, and the flush that tells every member what changed.
 *
 * It knows members, not sockets. A frame goes in and changes come out; the hub has the directory say who may be seen, and
 * hands the changes back for the members to be told. Nothing here calls upwards.
 */
import { type PresenceEvent, type User } from "../../presence/index.ts";
import {
  type AdmitUsers,
  type Author,
  type Change,
  CursorLimiter,
  Echoes,
  type Moment,
  NativeAudience,
  type PresentEntry,
  type Publication,
  Register,
  type RegisterLimits,
  type StateMemory,
  type StateUpdate,
  Updates,
  WholeStates,
  isMove,
  nudges,
} from "../../awareness/index.ts";
import { type Report, Sessions } from "../../lobby/index.ts";
import {
  Close,
  type Control,
  EMPTY_STATE_VECTOR,
  EMPTY_UPDATE,
  type Frame,
  FrameError,
  KEEP_ALIVE_FRAME,
  type Mark,
  type MarkEntry,
  NO_STATES_FRAME,
  QUERY_FRAME,
  Ticker,
  controlFrame,
  isLobby,
  syncStep1Frame,
  syncStep2Frame,
} from "../../wire/index.ts";
import type { RoomDocument } from "../documents/index.ts";
import { immediate } from "../immediate.ts";
import type { Dropped } from "../metrics.ts";
import { Packet } from "../packet.ts";
import { type Clock, wallTimeOf } from "../ports/clock.ts";
import type { Member } from "../ports/member.ts";
import { type FlushLoad, tickMs } from "./tick.ts";

/** What a room is told once, when it is made. */
export interface RoomSetup {
  readonly limits: RegisterLimits;
  /** What the states of all rooms take. */
  readonly states: StateMemory;
  /** Shortest time between two flushes, ms. */
  readonly tick: number;
  /** How many cursors it shows; 0: all. */
  readonly maxCursors: number;
  readonly clock: Clock;
  readonly load: FlushLoad;
  /** What the clock of a new client id begins with. */
  readonly firstClock: () => number;
  /** Says whether users may be brought into a lobby. Throws `FrameError`. */
  readonly admitUsers: AdmitUsers;
  /** Told who came and went in the room, once somebody observes it. */
  readonly onEvents: (events: readonly PresenceEvent[]) => void;
  /** Counts what was not taken for want of a grant. */
  readonly onDropped: (what: Dropped) => void;
}

const KEEP_ALIVE = new Packet(KEEP_ALIVE_FRAME);
const QUERY = new Packet(QUERY_FRAME);
const NO_STATES = new Packet(NO_STATES_FRAME);
/** What those get who may not read a document, and what they are asked: its state vector tells of it, too. */
const NO_DOCUMENT = new Packet(syncStep2Frame(EMPTY_UPDATE));
const BLIND_QUESTION = new Packet(syncStep1Frame(EMPTY_STATE_VECTOR));
const NO_NUDGES: ReadonlyMap<Author, ReadonlyMap<number, StateUpdate>> = new Map();
const NO_CHANGES: readonly Change[] = [];

/** How often to look for states to renew, ms. */
const RENEWAL_SWEEP_MS = 5_000;
/** Longest that a member may lag and still be told the rest, ms: for longer those who left are not remembered. */
const MAX_LAG_MS = 60_000;

/** What a member that reads too slowly has missed something of. */
interface Missed {
  readonly publications: Set<Publication>;
  /** Monotonic ms. */
  readonly since: number;
}

export class Room {
  readonly name: string;
  readonly members: Set<Member> = new Set();
  readonly register: Register;
  readonly document: RoomDocument;
  readonly #setup: RoomSetup;
  readonly #isLobby: boolean;
  /** Its people, while somebody on the server side listens. A lobby counts its people itself. */
  #people: Sessions<PresentEntry> | null = null;
  readonly #updates: Updates;
  readonly #cursors: CursorLimiter;
  readonly #native = new NativeAudience();
  readonly #echoes = new Echoes();
  readonly #ticker: Ticker;
  /** Marked ids that have gone, of which nobody has been told yet: one that comes back meanwhile never went. */
  readonly #unmarked = new Set<number>();
  /**
   * Members that asked for the document and got it. An update that came before what it builds on would be half taken: its
   * deletions at once, the rest later. [ROOM-6]
   */
  readonly #readers = new Set<Member>();
  readonly #missed = new Map<Member, Missed>();
  #stockMembers = 0;
  #nativeMembers = 0;
  /** When a stock client was last seen to go: it remembers clocks up to then. Monotonic ms. */
  #stockLeftAt = -Infinity;
  #renewalsAt = -Infinity;

  constructor(name: string, setup: RoomSetup, makeDocument: (room: Room) => RoomDocument) {
    this.name = name;
    this.#setup = setup;
    this.#isLobby = isLobby(name);
    this.#cursors = new CursorLimiter(this.#isLobby ? 0 : setup.maxCursors);
    this.register = new Register(name, setup.limits, setup.admitUsers, setup.states);
    this.#updates = new Updates(setup.firstClock);
    const intervalMs = (): number => tickMs(setup.tick, this.members.size, setup.load.roundMs(this, setup.clock.now()));
    this.#ticker = new Ticker(intervalMs, () => this.#flush(), immediate);
    this.document = makeDocument(this);
  }

  get empty(): boolean {
    return this.members.size === 0 && this.register.size === 0;
  }

  /** Who is present, as others see them, by user id. */
  get users(): ReadonlyMap<string, User> {
    if (this.#people !== null) return this.#people.users;
    const people = this.#countPeople();
    people.flush(this.#setup.clock.wall());
    return people.users;
  }

  /** Tells `onEvents` from now on who comes and goes, or no more. */
  observe(isObserved: boolean): void {
    if (this.#isLobby || isObserved === (this.#people !== null)) return;
    this.#people = isObserved ? this.#countPeople() : null;
    // who is here already does not come
    this.#people?.flush(this.#setup.clock.wall());
  }

  join(member: Member): void {
    this.members.add(member);
    if (member.kind === "stock") this.#stockMembers++;
    if (member.kind === "native") this.#nativeMembers++;
    // asked before it is told anything: by the order of its messages, what it says before it answers is no echo
    const question = this.document.ask();
    if (question !== null) member.send(member.access.read ? new Packet(question) : BLIND_QUESTION);
    this.#sendSnapshot(member, this.#firstSnapshot(member));
  }

  /** Acts on a frame. Throws `FrameError`, having taken nothing of it. [WIRE-2] */
  receive(member: Member, frame: Frame, at: Moment): readonly Change[] {
    switch (frame.type) {
      case "syncStep1":
        this.#answerQuestion(member, frame.stateVector);
        return NO_CHANGES;
      case "syncStep2":
        this.#answered(member);
        this.#write(member, frame.update);
        return NO_CHANGES;
      case "update":
        this.#write(member, frame.update);
        return NO_CHANGES;
      case "awareness":
        return this.#hear(member, frame.payload, at);
      case "patch": {
        if (member.kind !== "native") throw new FrameError("unexpected patch message");
        if (!member.access.presence) return this.#drop("awareness");
        const changes = this.register.patch(member, frame.id, frame.clock, frame.patch, at);
        // what is not known as its own must be said whole [PATCH-6]
        if (changes === null) member.send(QUERY);
        return changes ?? NO_CHANGES;
      }
      case "queryAwareness":
        this.#sendSnapshot(member, this.#firstSnapshot(member));
        return NO_CHANGES;
      case "control":
        this.#answerControl(member, frame.control);
        return NO_CHANGES;
      case "denied":
        throw new FrameError("unexpected auth message");
      case "states":
        throw new FrameError("unexpected states message");
    }
  }

  /** Takes out a member that is gone. Entries that `isExplicit` leave at once; the rest may come back within the grace. */
  leave(member: Member, now: number, isExplicit: (entry: PresentEntry) => boolean): readonly Change[] {
    if (!this.members.delete(member)) return NO_CHANGES;
    this.#readers.delete(member);
    this.#missed.delete(member);
    if (member.kind === "native" && --this.#nativeMembers === 0) this.#native.clear();
    if (member.kind === "stock") {
      this.#stockMembers--;
      this.#stockLeftAt = now;
    }
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

  /** Has members told of a change, as far as they may see it. */
  publish(change: Change): void {
    switch (change.type) {
      case "entered":
        this.#refresh(change.entry);
        return this.#publishState(change.entry, new Set(change.entry.publishedState.fields.keys()));
      case "claimed":
      case "renamed":
        return this.#refresh(change.entry);
      case "changed":
        return this.#publishState(change.entry, change.fields);
      case "left":
        return this.#publishLeave(change.entry);
      case "superseded":
        return this.#tellNative(change.author, { kind: "superseded", session: change.session });
      case "taken":
        return this.#tellNative(change.author, { kind: "taken", clientId: change.id });
      case "returned": {
        const member = this.#memberOf(change.author);
        if (member === null) return;
        const others = this.#othersThan(member);
        return this.#sendSnapshot(member, this.#updates.snapshot(others, this.#setup.clock.now()));
      }
    }
  }

  /** Lets observers see an entry, or hides it. [STATUS-5] */
  show(entry: PresentEntry, isVisible: boolean): void {
    const visible = isVisible && !this.#isLobby;
    if (entry.visible === visible) return;
    entry.visible = visible;
    if (visible) this.#updates.changed(entry);
    else this.#updates.removed(entry);
    this.#count(entry);
    this.#ticker.schedule();
    if (visible && entry.mark !== "clear") this.#sendMarks([this.#markEntry(entry)]);
  }

  /** Tells a member of the lobby its user's newest choice of status, made in another session. */
  tellChoice(entry: PresentEntry, manual: Extract<Control, { kind: "manual" }>["manual"]): void {
    if (entry.owner !== null) this.#tellNative(entry.owner, { kind: "manual", manual });
  }

  /** Sends an update of the document to all but its author. */
  sendUpdate(packet: Packet, author: unknown): void {
    const { clock, load } = this.#setup;
    const startedAt = clock.now();
    for (const member of this.#readers) if (member !== author) member.send(packet);
    load.fanOutMs += clock.now() - startedAt;
  }

  /** Does what comes by time: renewals for stock observers, and forgetting. */
  sweep(now: number): void {
    this.register.sweep(now);
    if (now - this.#renewalsAt < RENEWAL_SWEEP_MS) return;
    this.#renewalsAt = now;
    // of a room that has fallen quiet no more is kept than has to be
    this.#echoes.forget();
    // native members were told of fields, which stay what they are
    if (this.#nativeMembers === 0) this.register.fold(now - RENEWAL_SWEEP_MS);
    if (this.#stockMembers === 0) return;
    this.#tell(this.#updates.takeRenewals(this.register.present(), now), { stockOnly: true });
  }

  /** A member has read all that it was sent. [FLOW-1] */
  catchUp(member: Member): void {
    const missed = this.#missed.get(member);
    if (missed === undefined) return;
    this.#missed.delete(member);
    // too much is forgotten of what happened meanwhile: it had better begin anew
    if (this.#setup.clock.now() - missed.since > MAX_LAG_MS) return member.close(Close.restart, "missed too much");
    const others = [...missed.publications].filter(({ entry }) => entry?.owner !== member);
    if (others.length === 0) return;
    this.#tellOne(
      member,
      others.map((publication) => this.#updates.asOf(publication)),
    );
  }

  /** Ends it; members that are still there hear no more of it. */
  close(): void {
    // the last leave may still wait for its flush
    this.#ticker.stop();
    this.#flush();
    this.members.clear();
    this.#readers.clear();
    this.#missed.clear();
    this.register.close();
    this.#setup.load.forget(this);
    this.document.close();
  }

  #answerQuestion(member: Member, stateVector: Uint8Array): void {
    // a stock client waits for an answer, be it empty
    if (!member.access.read) return member.send(NO_DOCUMENT);
    for (const packet of this.document.sync(stateVector, member.kind === "native")) member.send(packet);
    this.#readers.add(member);
  }

  #hear(member: Member, payload: Uint8Array, at: Moment): readonly Change[] {
    // nothing to say but that the page lives; the answer tells it that the relay does
    if (member.kind === "native" && payload.length === 1 && payload[0] === 0) {
      member.send(KEEP_ALIVE);
      return NO_CHANGES;
    }
    if (this.#isEcho(member, payload)) {
      member.answers = true;
      return NO_CHANGES;
    }
    const { entries, echoes } = this.register.read(member, payload);
    if (echoes) member.answers = true;
    if (member.access.presence) return this.register.apply(member, entries, at);
    return entries.length > 0 ? this.#drop("awareness") : NO_CHANGES;
  }

  #drop(what: Dropped): readonly Change[] {
    this.#setup.onDropped(what);
    return NO_CHANGES;
  }

  #write(member: Member, update: Uint8Array): void {
    if (member.access.write) this.document.apply(update, member);
    else this.#setup.onDropped("document");
  }

  /** What is known of an entry besides its state changed: its user, its session, or its connection. */
  #refresh(entry: PresentEntry): void {
    if (this.#count(entry)) this.#ticker.schedule();
    if (this.#unmarked.delete(entry.id) && entry.visible) this.#sendMarks([this.#markEntry(entry, "clear")]);
    const mark = connectivityOf(entry);
    if (entry.mark === mark) return;
    entry.mark = mark;
    if (entry.visible) this.#sendMarks([this.#markEntry(entry)]);
  }

  #memberOf(author: Author): Member | null {
    // every author of this room's register is one of its members
    return this.members.has(author as Member) ? (author as Member) : null;
  }

  /** Counts an entry among the people of the room, if others may see it. Returns whether that is news. */
  #count(entry: PresentEntry): boolean {
    if (this.#people === null) return false;
    const wall = this.#setup.clock.wall();
    if (entry.visible) return this.#people.set(entry, reportOf(entry), wall);
    this.#people.delete(entry, wall, wall);
    return false;
  }

  #countPeople(): Sessions<PresentEntry> {
    const people = new Sessions<PresentEntry>(this.name);
    const wall = this.#setup.clock.wall();
    for (const entry of this.register.present()) if (entry.visible) people.set(entry, reportOf(entry), wall);
    return people;
  }

  #publishLeave(entry: PresentEntry): void {
    if (entry.mark !== "clear" && entry.visible) this.#unmarked.add(entry.id);
    this.#cursors.left(entry.id);
    this.#updates.removed(entry);
    const { clock } = this.#setup;
    this.#people?.delete(entry, wallTimeOf(entry.lastSeen, clock), clock.wall());
    this.#ticker.schedule();
  }

  #publishState(entry: PresentEntry, fields: ReadonlySet<string>): void {
    if (!entry.visible) return;
    const moved = isMove(fields);
    const hidden = moved ? this.#cursors.moved(entry.id, this.#setup.clock.now()) : null;
    const other = hidden === null ? undefined : this.register.get(hidden);
    if (other !== undefined) this.#updates.changed(other);
    // nobody sees it move
    if (moved && fields.size === 1 && !this.#cursors.shows(entry.id)) return;
    this.#updates.changed(entry);
    this.#ticker.schedule();
  }

  /** What others see of states: in a crowd, not everybody's cursor. */
  #seen(updates: readonly StateUpdate[]): readonly StateUpdate[] {
    return updates.map((each) =>
      each.state === null || this.#cursors.shows(each.publication.id) ? each : { ...each, state: each.state.person },
    );
  }

  #flush(): void {
    const { clock, load, onEvents } = this.#setup;
    const startedAt = clock.now();
    this.#tell(this.#updates.takeChanges(startedAt), { stockOnly: false });
    this.#unmarked.clear();
    const events = this.#people?.flush(clock.wall()) ?? [];
    if (events.length > 0) onEvents(events);
    const endedAt = clock.now();
    load.flushed(this, endedAt - startedAt, endedAt);
  }

  /** One message for all of a kind, but for owners that must not see a clock above their own. */
  #tell(told: readonly StateUpdate[], to: { readonly stockOnly: boolean }): void {
    if (told.length === 0) return;
    const updates = this.#seen(told);
    const patches = to.stockOnly || this.#nativeMembers === 0 ? null : this.#native.changes(updates);
    const patchPacket = patches === null ? null : new Packet(patches);
    const whole = this.#nativeMembers === this.members.size ? null : new WholeStates(updates);
    const wholePacket = whole === null ? null : new Packet(whole.frame);
    if (whole !== null && this.#stockMembers > 0) {
      this.#echoes.told(
        updates.map(({ publication }) => publication.id),
        whole.encoded,
      );
    }
    const overrides = whole === null ? NO_NUDGES : nudges(updates);
    const author = whole === null ? null : authorOf(updates);
    for (const member of this.members) {
      const isNative = member.kind === "native";
      if ((isNative && to.stockOnly) || !member.access.observe) continue;
      const own = overrides.get(member);
      // in small rooms most news is of one, who knows it; but patches build on what they were told before
      if (member === author && !isNative && own === undefined) continue;
      if (isNative) {
        if (patchPacket !== null && !this.#skips(member, updates)) member.send(patchPacket);
      } else if (whole !== null && wholePacket !== null && !this.#skips(member, updates)) {
        member.send(own === undefined ? wholePacket : new Packet(whole.withOverrides(own)));
      }
    }
  }

  /** Whether a stock client only says back what it heard of others lately: nothing of it would be taken. */
  #isEcho(member: Member, update: Uint8Array): boolean {
    const [own, second] = member.kind === "stock" ? this.register.ownedBy(member) : [];
    return own !== undefined && second === undefined && this.#echoes.has(update, own.id);
  }

  /** A member that reads too slowly is told once, when it has caught up, how things are then. */
  #skips(member: Member, updates: readonly StateUpdate[]): boolean {
    let missed = this.#missed.get(member);
    if (missed === undefined) {
      if (!member.lagging) return false;
      missed = { publications: new Set(), since: this.#setup.clock.now() };
      this.#missed.set(member, missed);
    }
    for (const { publication } of updates) missed.publications.add(publication);
    return true;
  }

  /** All that a newcomer may see. It may have written some of it itself, before it lost its connection. [ROOM-4] */
  #firstSnapshot(member: Member): StateUpdate[] {
    const others = this.#othersThan(member);
    if (!member.access.observe) return [];
    if (member.kind !== "stock") return this.#updates.snapshot(others, -Infinity);
    const safe = this.#updates.snapshot(
      others.filter((entry) => !entry.isStock),
      this.#stockLeftAt,
    );
    return [...safe, ...this.#updates.preview(others.filter((entry) => entry.isStock))];
  }

  /** A stock client that had something to say of itself has said it. */
  #answered(member: Member): void {
    if (!this.register.answered(member) || !member.access.observe) return;
    const entries = this.#othersThan(member).filter((entry) => entry.isStock);
    const updates = this.#updates.afterPreview(entries, this.#stockLeftAt);
    if (updates.length > 0) this.#tellOne(member, updates);
  }

  #othersThan(member: Member): PresentEntry[] {
    return [...this.register.present()].filter((entry) => entry.owner !== member);
  }

  #sendSnapshot(member: Member, updates: readonly StateUpdate[]): void {
    const isNative = member.kind === "native";
    if (!member.access.observe) return isNative ? member.send(NO_STATES) : undefined;
    if (isNative) member.send(new Packet(this.#native.snapshot(this.#seen(updates))));
    else if (updates.length > 0) this.#tellOne(member, updates);
    if (!isNative) return;
    const marked = [...this.register.present()].filter(({ mark, visible }) => mark !== "clear" && visible);
    if (marked.length > 0) member.send(control({ kind: "marks", marks: marked.map((each) => this.#markEntry(each)) }));
  }

  /** Tells one member these states, whole. */
  #tellOne(member: Member, told: readonly StateUpdate[]): void {
    const updates = this.#seen(told);
    member.send(new Packet(member.kind === "native" ? this.#native.whole(updates) : new WholeStates(updates).frame));
  }

  #sendMarks(marks: readonly MarkEntry[]): void {
    if (this.#nativeMembers === 0) return;
    const packet = control({ kind: "marks", marks });
    for (const member of this.members) if (member.kind === "native" && member.access.observe) member.send(packet);
  }

  #markEntry({ id, mark, lastSeen }: PresentEntry, as: Mark = mark): MarkEntry {
    return [id, as, wallTimeOf(lastSeen, this.#setup.clock)];
  }

  /** Tells an author that understands it. */
  #tellNative(author: Author, message: Control): void {
    if (author.kind === "native") this.#memberOf(author)?.send(control(message));
  }

  #answerControl(member: Member, { kind }: Control): void {
    if (kind !== "ping" || member.kind !== "native") throw new FrameError(`unexpected control message ${kind}`);
    member.send(control({ kind: "pong" }));
  }
}

/** Whose news it is, if all of it is one author's. */
function authorOf(updates: readonly StateUpdate[]): Author | null {
  let author: Author | null = null;
  for (const { publication, state } of updates) {
    const owner = state === null ? null : (publication.entry?.owner ?? null);
    if (owner === null || (author !== null && owner !== author)) return null;
    author = owner;
  }
  return author;
}

function connectivityOf({ phase, owner }: PresentEntry): Mark {
  if (phase === "orphaned") return "reconnecting";
  return owner?.silent === true ? "silent" : "clear";
}

/** What an entry says to a lobby, or to the people of a room. */
export function reportOf(entry: PresentEntry): Report {
  const { fields } = entry.publishedState;
  return {
    room: isLobby(entry.room) ? null : entry.room,
    claim: entry.claim,
    connected: entry.phase === "live",
    silent: entry.owner?.silent ?? false,
    bytes: (fields.get("user")?.length ?? 0) + (fields.get("copresence")?.length ?? 0),
  };
}

function control(message: Control): Packet {
  return new Packet(controlFrame(message));
}
