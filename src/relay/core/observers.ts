/**
 * Those who observe a room: what each kind of member is told of the states in it, when it comes, when something changes and
 * when it has fallen behind. It tells; what the register holds is not its business.
 */
import { type Author, type PresentEntry, type Publication, type Register, isMove } from "../../awareness/index.ts";
import {
  CursorLimiter,
  Echoes,
  NativeAudience,
  type StateUpdate,
  Updates,
  WholeStates,
  nudges,
  previewed,
} from "../../awareness/audience/index.ts";
import { Close, type Mark, type MarkEntry, NO_STATES_FRAME } from "../../wire/index.ts";
import { Packet, control } from "../ports/packet.ts";
import { type Clock, wallTimeOf } from "../ports/clock.ts";
import type { Member } from "../ports/member.ts";

const NO_STATES = new Packet(NO_STATES_FRAME);
const NO_NUDGES: ReadonlyMap<Author, ReadonlyMap<number, StateUpdate>> = new Map();

/** Longest that a member may lag and still be told the rest, ms: for longer those who left are not remembered. */
const MAX_LAG_MS = 60_000;

/**
 * When the last person of another relay has left, a stock client that was connected there may still come here for this time, and
 * remember that relay's clocks, ms. Nobody remembers a departed id for longer (OWN-6).
 */
const REMEMBERED_MS = 120_000;

/** Until a stock client answers the first question nobody knows which states are its own. It is waited for no longer than this, ms. [LIVE-10] */
const UNANSWERED_MS = 10_000;

/** A stock client of which nobody knows yet which states are its own: what it said before it lost its connection. */
interface Unanswered {
  /** Monotonic ms. */
  readonly since: number;
  /** Those that were here when it came. */
  readonly ids: ReadonlySet<number>;
}

/** What a member that reads too slowly has missed something of. */
interface Missed {
  readonly publications: Set<Publication>;
  /** Monotonic ms. */
  readonly since: number;
}

/** Who hands on to other relays what changes of the states that are this relay's own to tell. */
export interface StatesOutlet {
  /** These say something new, or have left. */
  states(updates: readonly StateUpdate[]): void;
  /** Somebody who is connected here has written to the document. [BUS-11] */
  update(message: Uint8Array): void;
  /** A stock client is here that may remember clocks of people on other relays. [BUS-7] */
  renew(): void;
  /** Somebody who is connected here has sent a one-off message: as JSON. [MSG-6] */
  message(message: string): void;
}

export interface ObserversSetup {
  readonly clock: Clock;
  /** What the clock of a new client id begins with. */
  readonly firstClock: () => number;
  /** How many cursors are shown; 0: all. */
  readonly maxCursors: number;
}

export class Observers {
  readonly #members: ReadonlySet<Member>;
  readonly #register: Register;
  readonly #clock: Clock;
  readonly #updates: Updates;
  readonly #cursors: CursorLimiter;
  readonly #native = new NativeAudience();
  readonly #echoes = new Echoes();
  /** Ids that had a mark and have left since the last flush: one that comes back before observers are told of the leave has the mark no more, and they are told of that. */
  readonly #unmarked = new Set<number>();
  readonly #missed = new Map<Member, Missed>();
  /** Stock clients that have yet to answer the first question. */
  readonly #unanswered = new Map<Member, Unanswered>();
  /** null: no other relay is told. */
  outlet: StatesOutlet | null = null;
  /** When somebody on another relay, or another relay itself, last left, monotonic ms. */
  #remoteAt = -Infinity;
  #stockMembers = 0;
  #nativeMembers = 0;
  /** When a stock client was last seen to go: it remembers clocks up to then. Monotonic ms. */
  #stockLeftAt = -Infinity;

  /** @param members of the room, as they come and go */
  constructor(members: ReadonlySet<Member>, register: Register, setup: ObserversSetup) {
    this.#members = members;
    this.#register = register;
    this.#clock = setup.clock;
    this.#updates = new Updates(setup.firstClock);
    this.#cursors = new CursorLimiter(setup.maxCursors);
  }

  /** Whether anybody is told patches, and so of fields that must stay what they are. */
  get hasNative(): boolean {
    return this.#nativeMembers > 0;
  }

  joined(member: Member): void {
    if (member.kind === "stock") {
      this.#stockMembers++;
      const ids = [...this.#register.present()].filter(({ isStock }) => isStock).map(({ id }) => id);
      this.#unanswered.set(member, { since: this.#clock.now(), ids: new Set(ids) });
    }
    if (member.kind === "native") this.#nativeMembers++;
  }

  left(member: Member, now: number): void {
    this.#missed.delete(member);
    if (member.kind === "native" && --this.#nativeMembers === 0) this.#native.clear();
    // those who come here from a relay that has stopped remember its clocks [BUS-7]
    if (member.kind === "relay") this.#remoteAt = now;
    if (member.kind !== "stock") return;
    this.#unanswered.delete(member);
    this.#stockMembers--;
    this.#stockLeftAt = now;
  }

  /** Tells one that is new, or asks, all that it may see. [ROOM-4] */
  greet(member: Member): void {
    if (member.kind === "relay") return;
    this.#sendSnapshot(member, this.#firstSnapshot(member));
  }

  /**
   * A stock client that had something to say of itself has said it: it is told what it may have taken for its own. Returns
   * whether there is something to tell everybody.
   */
  answered(member: Member): boolean {
    this.#unanswered.delete(member);
    if (!member.access.observe) return false;
    const entries = this.#othersThan(member).filter((entry) => entry.isStock);
    const updates = this.#updates.afterPreview(entries, this.#stockLeftAt);
    if (updates.length > 0) this.#tellOne(member, updates);
    return this.#renewForNewcomer();
  }

  /**
   * A stock client that was connected to another relay remembers clocks of everybody there and here: all get new ones, which
   * each home relay gives out. [BUS-7]
   */
  #renewForNewcomer(): boolean {
    const hasRemote = this.#hasRemote() || this.#clock.now() - this.#remoteAt <= REMEMBERED_MS;
    if (this.outlet === null || !hasRemote) return false;
    this.renewAll();
    this.outlet.renew();
    return true;
  }

  /** What other relays are told of those who are connected to this one. */
  own(): StateUpdate[] {
    const own = [...this.#register.present()].filter(
      ({ isRemote, owner, phase }) => !isRemote && (owner !== null || phase === "orphaned"),
    );
    return this.#updates.snapshot(own, -Infinity);
  }

  /** Gives those who are connected here new clocks. [BUS-7] */
  renewAll(): void {
    this.#updates.renewAll(this.#register.present());
  }

  /** Goes on above a clock that observers on another relay were told. [BUS-8] */
  raise(id: number, clock: number): void {
    const entry = this.#register.get(id);
    if (entry !== undefined) this.#updates.raiseTo(entry, clock);
  }

  #hasRemote(): boolean {
    for (const { isRemote } of this.#register.present()) if (isRemote) return true;
    return false;
  }

  /**
   * A stock client is back that has dropped all that it saw: it is told again, with clocks that it does not know. Returns whether
   * there is something to tell everybody.
   */
  returned(member: Member): boolean {
    this.#sendSnapshot(member, this.#updates.snapshot(this.#othersThan(member), this.#clock.now()));
    return this.#renewForNewcomer();
  }

  /** A state says something else in these fields. Returns whether there is something to tell. */
  changed(entry: PresentEntry, fields: ReadonlySet<string>): boolean {
    if (!entry.visible) return false;
    const moved = isMove(fields);
    const hidden = moved ? this.#cursors.moved(entry.id, this.#clock.now()) : null;
    const other = hidden === null ? undefined : this.#register.get(hidden);
    if (other !== undefined) this.#updates.changed(other);
    // nobody sees it move
    if (moved && fields.size === 1 && !this.#cursors.shows(entry.id)) return false;
    this.#updates.changed(entry);
    return true;
  }

  /** What is known of an entry besides its state changed: its user, its session, or its connection. */
  refresh(entry: PresentEntry): void {
    if (this.#unmarked.delete(entry.id) && entry.visible) this.#sendMarks([this.#markEntry(entry, "clear")]);
    const mark = connectivityOf(entry);
    if (entry.mark === mark) return;
    entry.mark = mark;
    if (entry.visible && !entry.isRemote && entry.publication !== null) {
      this.outlet?.states([
        { publication: entry.publication, clock: entry.publication.clock, state: entry.publishedState },
      ]);
    }
    if (entry.visible) this.#sendMarks([this.#markEntry(entry)]);
  }

  /** An entry is to be seen, or hidden, from now on. [STATUS-5] */
  setVisible(entry: PresentEntry, visible: boolean): void {
    entry.visible = visible;
    if (visible) this.#updates.changed(entry);
    else this.#updates.removed(entry);
    if (visible && entry.mark !== "clear") this.#sendMarks([this.#markEntry(entry)]);
  }

  removed(entry: PresentEntry): void {
    if (entry.isRemote) this.#remoteAt = this.#clock.now();
    if (entry.mark !== "clear" && entry.visible) this.#unmarked.add(entry.id);
    this.#cursors.left(entry.id);
    this.#updates.removed(entry);
  }

  /** Tells everybody what changed since the last flush. [ROOM-5] */
  flush(now: number): void {
    const updates = this.#updates.takeChanges(now);
    if (updates.length > 0) this.outlet?.states(updates);
    this.#tell(updates, { stockOnly: false });
    this.#unmarked.clear();
  }

  /** Renews states for stock observers. [LIVE-9] [LIVE-21] */
  renew(now: number): void {
    // of a room that has fallen quiet no more is kept than has to be
    this.#echoes.forget();
    if (this.#stockMembers === 0 && this.outlet === null) return;
    const updates = this.#updates.takeRenewals(this.#register.present(), now);
    if (updates.length > 0) this.outlet?.states(updates);
    this.#tell(updates, { stockOnly: true });
  }

  /** A member has read all that it was sent. [FLOW-1] */
  catchUp(member: Member): void {
    const missed = this.#missed.get(member);
    if (missed === undefined) return;
    this.#missed.delete(member);
    // too much is forgotten of what happened meanwhile: it had better begin anew
    if (this.#clock.now() - missed.since > MAX_LAG_MS) return member.close(Close.restart, "missed too much");
    const others = [...missed.publications].filter(({ entry }) => entry?.owner !== member);
    if (others.length === 0) return;
    this.#tellOne(
      member,
      others.map((publication) => this.#updates.asOf(publication)),
    );
  }

  /** Whether a stock client only says back what it heard of others lately: nothing of it would be taken. */
  isEcho(member: Member, update: Uint8Array): boolean {
    const [own, second] = member.kind === "stock" ? this.#register.ownedBy(member) : [];
    return own !== undefined && second === undefined && this.#echoes.has(update, own.id);
  }

  close(): void {
    this.#missed.clear();
  }

  /** What others see of states: in a crowd, not everybody's cursor. [FLOW-5] */
  #seen(updates: readonly StateUpdate[]): readonly StateUpdate[] {
    return updates.map((each) =>
      each.state === null || this.#cursors.shows(each.publication.id) ? each : { ...each, state: each.state.person },
    );
  }

  /** One message for all of a kind, but for owners that must not see a clock above their own. */
  #tell(told: readonly StateUpdate[], to: { readonly stockOnly: boolean }): void {
    if (told.length === 0) return;
    const updates = this.#seen(told);
    const patches = to.stockOnly || this.#nativeMembers === 0 ? null : this.#native.changes(updates);
    const patchPacket = patches === null ? null : new Packet(patches);
    const whole = this.#stockMembers === 0 ? null : new WholeStates(updates);
    const wholePacket = whole === null ? null : new Packet(whole.frame);
    if (whole !== null && this.#stockMembers > 0) {
      this.#echoes.told(
        updates.map(({ publication }) => publication.id),
        whole.encoded,
      );
    }
    const overrides = whole === null ? NO_NUDGES : nudges(updates);
    const author = whole === null ? null : authorOf(updates);
    for (const member of this.#members) {
      const isNative = member.kind === "native";
      if ((isNative && to.stockOnly) || !member.access.observe || member.kind === "relay") continue;
      const own = overrides.get(member);
      // [ROOM-8] in small rooms most news is of one member, who knows it; a native one is told, since patches build on that
      if (member === author && !isNative && own === undefined) continue;
      if (isNative) {
        if (patchPacket !== null && !this.#skips(member, updates)) member.send(patchPacket);
      } else if (whole !== null && wholePacket !== null && !this.#skips(member, updates)) {
        const unanswered = this.#unansweredOf(member);
        if (unanswered !== null) {
          const safe = previewed(updates, member, unanswered.ids, own);
          member.send(new Packet(new WholeStates(safe).frame));
        } else member.send(own === undefined ? wholePacket : new Packet(whole.withOverrides(own)));
      }
    }
  }

  #unansweredOf(member: Member): Unanswered | null {
    const unanswered = this.#unanswered.get(member);
    return unanswered !== undefined && this.#clock.now() - unanswered.since <= UNANSWERED_MS ? unanswered : null;
  }

  /** A member that reads too slowly is told once, when it has caught up, how things are then. [FLOW-1] */
  #skips(member: Member, updates: readonly StateUpdate[]): boolean {
    let missed = this.#missed.get(member);
    if (missed === undefined) {
      if (!member.lagging) return false;
      missed = { publications: new Set(), since: this.#clock.now() };
      this.#missed.set(member, missed);
    }
    for (const { publication } of updates) missed.publications.add(publication);
    return true;
  }

  /**
   * All that a newcomer may see. It may have written some of it itself, before it lost its connection. [ROOM-4]
   * [GRANT-4]
   */
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

  #othersThan(member: Member): PresentEntry[] {
    return [...this.#register.present()].filter((entry) => entry.owner !== member);
  }

  #sendSnapshot(member: Member, updates: readonly StateUpdate[]): void {
    const isNative = member.kind === "native";
    if (!member.access.observe) return isNative ? member.send(NO_STATES) : undefined;
    if (isNative) member.send(new Packet(this.#native.snapshot(this.#seen(updates))));
    else if (updates.length > 0) this.#tellOne(member, updates);
    if (!isNative) return;
    const marked = [...this.#register.present()].filter(({ mark, visible }) => mark !== "clear" && visible);
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
    for (const member of this.#members) if (member.kind === "native" && member.access.observe) member.send(packet);
  }

  #markEntry({ id, mark, lastSeen }: PresentEntry, as: Mark = mark): MarkEntry {
    return [id, as, wallTimeOf(lastSeen, this.#clock)];
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

function connectivityOf({ phase, owner, remote }: PresentEntry): Mark {
  if (phase === "orphaned") return "reconnecting";
  if (remote !== null) return remote.mark;
  return owner?.silent === true ? "silent" : "clear";
}
