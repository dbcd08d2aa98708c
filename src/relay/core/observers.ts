/**
 * Tells the members of a room of the states in it: when a member comes, when something changes, and when a member that had fallen
 * behind has caught up. It reads the register, and changes nothing in it but what observers were told.
 */
import { type Author, type PresentEntry, type Register, isMove } from "../../awareness/index.ts";
import {
  CursorLimiter,
  Echoes,
  NativeAudience,
  type StateUpdate,
  Updates,
  WholeStates,
  nudges,
  previewed,
  withNudges,
} from "../../awareness/audience/index.ts";
import { Close, type Mark, type MarkEntry, NO_STATES_FRAME } from "../../wire/index.ts";
import { Packet, control } from "../ports/packet.ts";
import { type Clock, wallTimeOf } from "../ports/clock.ts";
import type { Member } from "../ports/member.ts";
import { MissedStates } from "./missed.ts";
import { SupersededIds } from "./superseded-ids.ts";
import { Unanswered } from "./unanswered.ts";

const NO_STATES = new Packet(NO_STATES_FRAME);
const NO_NUDGES: ReadonlyMap<Author, ReadonlyMap<number, StateUpdate>> = new Map();

/**
 * How long after the last person of another relay has left a stock client that was connected there may still come here, with the
 * clocks of that relay in its memory, ms. Departed ids are remembered no longer either (OWN-6).
 */
const REMEMBERED_MS = 120_000;

/** Hands on to other relays what they have to hear of the clients that are connected to this relay. */
export interface StatesOutlet {
  /** States that say something new, or that have left. */
  states(updates: readonly StateUpdate[]): void;
  /** A client that is connected here has written to the document. [BUS-11] */
  update(message: Uint8Array): void;
  /** What another relay has sent was new to the document. @param relay as the member that it is [BUS-13] */
  taken(update: Uint8Array, relay: unknown): void;
  /** A stock client has come that may remember clocks which other relays have given out. [BUS-7] */
  renew(): void;
  /** A client that is connected here has sent a one-off message. @param message as JSON [MSG-6] */
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
  /**
   * Ids that had a mark and have left since the last flush. When such an id comes back before observers are told of its leave, they
   * have to be told that it has the mark no more.
   */
  readonly #unmarked = new Set<number>();
  readonly #missed: MissedStates;
  readonly #unanswered: Unanswered;
  readonly #superseded = new SupersededIds();
  /** null: no other relay is told. */
  outlet: StatesOutlet | null = null;
  /** When somebody on another relay, or another relay itself, last left, monotonic ms. */
  #remoteAt = -Infinity;
  #stockMembers = 0;
  #nativeMembers = 0;
  /** When a stock client last went, monotonic ms: it remembers the clocks that it was sent until then. */
  #stockLeftAt = -Infinity;

  /** @param members of the room, as they come and go */
  constructor(members: ReadonlySet<Member>, register: Register, setup: ObserversSetup) {
    this.#members = members;
    this.#register = register;
    this.#clock = setup.clock;
    this.#updates = new Updates(setup.firstClock);
    this.#cursors = new CursorLimiter(setup.maxCursors);
    this.#missed = new MissedStates(setup.clock);
    this.#unanswered = new Unanswered(register, setup.clock);
  }

  /** Whether anybody is told patches. Then the fields that they were told of must stay as they are. */
  get hasNative(): boolean {
    return this.#nativeMembers > 0;
  }

  joined(member: Member): void {
    if (member.kind === "stock") {
      this.#stockMembers++;
      this.#unanswered.joined(member);
    }
    if (member.kind === "native") this.#nativeMembers++;
  }

  left(member: Member, now: number): void {
    this.#missed.left(member);
    this.#superseded.left(member);
    if (member.kind === "native" && --this.#nativeMembers === 0) this.#native.clear();
    // clients that come here from a relay that has stopped remember its clocks [BUS-7]
    if (member.kind === "relay") this.#remoteAt = now;
    if (member.kind !== "stock") return;
    this.#unanswered.settled(member);
    this.#stockMembers--;
    this.#stockLeftAt = now;
  }

  /** Tells a member that is new, or that asks, all that it may see. [ROOM-4] */
  greet(member: Member): void {
    if (member.kind === "relay") return;
    this.#sendSnapshot(member, this.#firstSnapshot(member));
  }

  /**
   * A stock client has answered the first question, so it has announced all that is its own. It is told the states again that could
   * have been its own until now. Returns whether there is something to tell everybody.
   */
  answered(member: Member): boolean {
    this.#unanswered.settled(member);
    if (!member.access.observe) return false;
    const entries = this.#othersThan(member).filter((entry) => entry.isStock);
    const updates = this.#updates.afterPreview(entries, this.#stockLeftAt);
    if (updates.length > 0) this.#tellOne(member, updates);
    return this.#renewForNewcomer();
  }

  /**
   * A stock client that was connected to another relay remembers the clocks that everybody had then. So everybody gets a new clock,
   * from the home relay of each. [BUS-7]
   */
  #renewForNewcomer(): boolean {
    const hasRemote = this.#hasRemote() || this.#clock.now() - this.#remoteAt <= REMEMBERED_MS;
    if (this.outlet === null || !hasRemote) return false;
    this.renewAll();
    this.outlet.renew();
    return true;
  }

  /** The states of clients that are connected to this relay, as other relays are told them. */
  own(): StateUpdate[] {
    const own = [...this.#register.present()].filter(
      ({ isRemote, owner, phase }) => !isRemote && (owner !== null || phase === "orphaned"),
    );
    return this.#updates.snapshot(own, -Infinity);
  }

  /** Gives the clients that are connected here new clocks. [BUS-7] */
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
   * A stock client is back, and has dropped all that it saw before. It is told all of it again, with clocks that are new to it.
   * Returns whether there is something to tell everybody.
   */
  returned(member: Member): boolean {
    this.#sendSnapshot(member, this.#updates.snapshot(this.#othersThan(member), this.#clock.now()));
    return this.#renewForNewcomer();
  }

  /** A client speaks for an id through another connection than before. */
  claimed(entry: PresentEntry): void {
    this.#superseded.claimed(entry);
    if (this.outlet !== null && entry.owner !== null && !entry.isRemote) this.#updates.claimed(entry);
  }

  /** Another connection speaks for an id of a member now. */
  superseded(member: Member, id: number): void {
    this.#superseded.add(member, id);
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

  /** The user, the session or the connection of an entry changed, and not its state. */
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

  /** Sends states again to stock observers, which drop what nobody renews. [LIVE-9] [LIVE-21] */
  renew(now: number): void {
    // a quiet room keeps no more in memory than it has to
    this.#echoes.forget();
    if (this.#stockMembers === 0 && this.outlet === null) return;
    const updates = this.#updates.takeRenewals(this.#register.present(), now);
    if (updates.length > 0) this.outlet?.states(updates);
    this.#tell(updates, { stockOnly: true });
  }

  /** A member has read all that it was sent. [FLOW-1] */
  catchUp(member: Member): void {
    const missed = this.#missed.take(member);
    // too much of what happened meanwhile is forgotten: the client has to begin anew
    if (missed === null) return member.close(Close.restart, "missed too much");
    const others = missed.filter(({ entry }) => entry?.owner !== member);
    if (others.length === 0) return;
    this.#tellOne(
      member,
      others.map((publication) => this.#updates.asOf(publication)),
    );
  }

  /** Whether a message of a stock client holds nothing but what the client heard of others lately: none of it would be taken. */
  isEcho(member: Member, update: Uint8Array): boolean {
    const [own, second] = member.kind === "stock" ? this.#register.ownedBy(member) : [];
    return own !== undefined && second === undefined && this.#echoes.has(update, own.id);
  }

  close(): void {
    this.#missed.clear();
  }

  /** The states as others see them: without the cursors that the room does not show. [FLOW-5] */
  #seen(updates: readonly StateUpdate[]): readonly StateUpdate[] {
    return updates.map((each) =>
      each.state === null || this.#cursors.shows(each.publication.id) ? each : { ...each, state: each.state.person },
    );
  }

  /**
   * Tells all members. Members of one kind get one message, but an owner that must not see a clock above its own gets a message of
   * its own.
   */
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
      // [ROOM-8] in small rooms most news is of one member, who knows it already; a native member is told all the same, since the
      // patches that follow build on it
      if (member === author && !isNative && own === undefined) continue;
      if (isNative) {
        if (patchPacket !== null && !this.#missed.skips(member, updates)) member.send(patchPacket);
      } else if (whole !== null && wholePacket !== null && !this.#missed.skips(member, updates)) {
        const ids = this.#unanswered.idsOf(member);
        if (ids !== null) this.#sendOne(member, previewed(updates, member, ids, own));
        else if (this.#superseded.has(member)) this.#sendOne(member, withNudges(updates, own));
        else member.send(own === undefined ? wholePacket : new Packet(whole.withOverrides(own)));
      }
    }
  }

  /**
   * All that a newcomer may see. Some of the states may be its own, from before it lost its connection. [ROOM-4] [GRANT-4]
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
    this.#sendOne(member, this.#seen(told));
  }

  /** Sends one member these states as others see them, without those of ids that it has lost. */
  #sendOne(member: Member, seen: readonly StateUpdate[]): void {
    const updates = this.#superseded.without(member, seen);
    if (updates.length === 0) return;
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

/** The author of all of these updates; null: there are several, or none. */
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
