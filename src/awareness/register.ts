/**
 * The register of a room: what is known of each client id, and which connection owns it. It has no socket and no timer; time comes in.
 * A frame is read and checked whole, against everything that can refuse it, before anything of it is written. What changed is returned as
 * a list.
 */
import { equal, isStockSession } from "../presence/index.ts";
import {
  type Entry as SaidEntry,
  type SessionChange,
  type StateBytes,
  checkClock,
  decodeEntries,
} from "../wire/index.ts";
import type { Author } from "./author.ts";
import type { Change, Moment, Reading } from "./change.ts";
import { Entries } from "./entries.ts";
import { type Entry, type PresentEntry, TIES, heldAtOf, isPresent, sessionKey } from "./entry.ts";
import type { AdmitUsers, RegisterLimits } from "./limits.ts";
import { StateMemory } from "./memory.ts";
import { mayBeNews } from "./ownership.ts";
import { type Plan, Planner } from "./plan.ts";
import { type Published, publish } from "./publish.ts";
import { type RemoteOutcome, type RemoteState, bytesOfNew, takeRemote } from "./remote.ts";

const NO_CHANGES: readonly Change[] = [];
const NO_FIELDS: ReadonlySet<string> = new Set();

/** How many states a message may hold besides those that the room knows: a client passes on what it heard from a sibling tab. */
const SPARE_ENTRIES = 1_000;

export class Register {
  readonly #room: string;
  readonly #entries: Entries;
  readonly #planner: Planner;
  readonly #memory: StateMemory;
  readonly #tie: number;

  /**
   * @param memory counts the memory of the states of all rooms; default: without a bound
   * @param tie from 0 to 1, another for each relay: decides between relays that let a session speak in the same millisecond
   */
  constructor(
    room: string,
    limits: RegisterLimits,
    admitUsers: AdmitUsers,
    memory: StateMemory = new StateMemory(0),
    tie = 0,
  ) {
    this.#tie = Math.floor(tie * (TIES - 1));
    this.#room = room;
    this.#memory = memory;
    this.#entries = new Entries(room, memory);
    this.#planner = new Planner(this.#entries, { room, limits, admitUsers, memory });
  }

  /** How many ids are here. */
  get size(): number {
    return this.#entries.size;
  }

  /** How many ids are here or remembered. */
  get known(): number {
    return this.#entries.known;
  }

  /** The ids that are here. */
  present(): Iterable<PresentEntry> {
    return this.#entries.present();
  }

  get(id: number): PresentEntry | undefined {
    const entry = this.#entries.get(id);
    return isPresent(entry) ? entry : undefined;
  }

  /** The ids that an author owns. */
  ownedBy(author: Author): readonly PresentEntry[] {
    return this.#entries.ownedBy(author);
  }

  /** A stock client answered the first question: from now on it may send back what it hears. Returns whether it is the first answer. */
  answered(author: Author): boolean {
    const record = this.#entries.record(author);
    if (record.echoes || author.kind !== "stock" || author.echoing === "never") return false;
    record.echoes = true;
    return true;
  }

  /** Reads an awareness message, without the entries that cannot be news. Throws `FrameError`. */
  read(author: Author, payload: Uint8Array): Reading {
    const speaker = this.#entries.speaker(author);
    let echoes = false;
    const select = (id: number, clock: number, isGone: boolean): boolean => {
      const entry = this.#entries.get(id);
      // a state of another client is an echo, which shows that the author reads what it is sent
      if (!isGone && isPresent(entry) && entry.owner !== author) echoes = true;
      return mayBeNews(entry, speaker, clock, isGone);
    };
    // the size of a state is checked when it is taken; an echo is bounded only by the number of its states
    const limits = { maxStateBytes: Infinity, maxEntries: 2 * this.#entries.known + SPARE_ENTRIES };
    const entries = decodeEntries(payload, limits, select);
    return { entries, echoes };
  }

  /** Takes what an author says of its own ids, and nothing of what it says of others'. Throws `FrameError` before it writes. [WIRE-11] */
  apply(author: Author, said: readonly SaidEntry[], at: Moment): readonly Change[] {
    if (said.length === 0) return NO_CHANGES;
    const plans = this.#planner.plan(author, said, at.date);
    const changes: Change[] = [];
    for (const plan of plans) this.#commit(author, plan, at, changes);
    return changes;
  }

  /**
   * Takes what an author changes about an own id. Returns null when the id is not known as the author's: it must say its
   * state whole. Throws `FrameError` before it writes.
   */
  patch(author: Author, id: number, clock: number, patch: Uint8Array, at: Moment): readonly Change[] | null {
    const entry = this.get(id);
    if (entry?.owner !== author) return null;
    checkClock(clock);
    if (clock <= entry.clock) return NO_CHANGES;
    const plan = this.#planner.planPatch(author, entry, clock, patch, at.date);
    const changes: Change[] = [];
    this.#commit(author, plan, at, changes);
    return changes;
  }

  /**
   * Makes a change of an author's session in all entries of the author. Returns null when the author owns none here: it must say its
   * state whole. Throws `FrameError` before it writes. [LINK-13] [LINK-14]
   */
  restate(author: Author, change: SessionChange, at: Moment): readonly Change[] | null {
    const owned = this.ownedBy(author).slice();
    if (owned.length === 0) return null;
    const planned = owned.map((entry) => [entry, this.#planner.planSession(author, entry, change, at.date)] as const);
    const changes: Change[] = [];
    // the author's clock stays as it was, since the next message of the author in this room has a clock above it
    for (const [entry, published] of planned) this.#update(entry, entry.clock, published, at, changes);
    return changes;
  }

  /** Takes what another relay says of the clients that are connected to it. Throws `FrameError` before it writes. [BUS-5] [BUS-6] */
  applyRemote(author: Author, said: readonly RemoteState[], now: number): RemoteOutcome {
    this.#memory.admitFromRelay(bytesOfNew(this.#entries, said));
    return takeRemote(this.#entries, this.#room, author, said, now);
  }

  /** Sets a state of the relay's own. */
  setOwn(id: number, state: StateBytes): Change {
    const known = this.get(id);
    const change = { state, changed: new Set(state.fields.keys()) };
    const published = publish(change, {
      id,
      room: this.#room,
      stamp: null,
      before: known,
      isOwn: true,
      date: Infinity,
    });
    const entry = known ?? this.#entries.add(id, 0, published, null, "", 0);
    entry.visible = true;
    this.#entries.setStates(entry, state, state);
    return { type: "changed", entry, fields: change.changed };
  }

  /** Takes an entry out. */
  remove(entry: PresentEntry, now: number): readonly Change[] {
    if (this.#entries.get(entry.id) !== entry) return NO_CHANGES;
    const changes: Change[] = [];
    this.#remove(entry, now, changes);
    return changes;
  }

  /** Forgets a connection that is gone. What it still owns waits without an owner. */
  orphan(author: Author, lastSeen: number): readonly Change[] {
    return this.#entries.orphan(author, lastSeen).map((entry) => ({ type: "claimed", entry }));
  }

  /** Forgets ids that left long ago. */
  sweep(now: number): void {
    this.#entries.sweep(now);
  }

  /** Forgets everybody: the room is closed. */
  close(): void {
    this.#entries.close();
  }

  /**
   * Packs the states of clients that have said nothing since a moment, monotonic ms.
   *
   * @param onlyHidden leaves out states that observers may see
   */
  fold(since: number, onlyHidden = false): void {
    this.#entries.fold(since, onlyHidden);
  }

  /** Another relay speaks for the session of an entry from now on: the entry's author must not take the session back. [BUS-52] */
  handOver(entry: PresentEntry): readonly Change[] {
    return entry.owner === null ? [] : [this.#entries.supersede(entry.owner, entry.id, entry, true)];
  }

  /** Writes a plan. Nothing can refuse it any more, but an earlier plan of the same message may have made it void. */
  #commit(author: Author, plan: Plan, at: Moment, changes: Change[]): void {
    const { id, clock, published } = plan;
    const { now } = at;
    const entry = this.#entries.get(id);
    const speaker = this.#entries.speaker(author);
    if (!mayBeNews(entry, speaker, clock, published === null)) return;
    if (published === null) return this.#takeBack(entry, clock, now, changes);
    const verdict = this.#planner.verdict(entry, speaker, published);
    switch (verdict) {
      case "introduce":
        return this.#introduce(author, plan, published, at, changes);
      case "update":
        return isPresent(entry) ? this.#update(entry, clock, published, at, changes) : undefined;
      case "claim":
        return isPresent(entry) ? this.#claim(author, entry, clock, published, at, changes) : undefined;
      case "taken":
        changes.push({ type: "taken", author, id });
        return;
      case "drop":
        return;
    }
  }

  /** An author takes its own state back: that is a leave. [LIVE-1] */
  #takeBack(entry: Entry | undefined, clock: number, now: number, changes: Change[]): void {
    if (!isPresent(entry)) return;
    entry.clock = clock;
    entry.lastSeen = now;
    this.#remove(entry, now, changes);
  }

  #introduce(author: Author, { id, clock }: Plan, published: Published, at: Moment, changes: Change[]): void {
    const entry = this.#entries.add(id, clock, published, author, author.access.lobby, at.now);
    changes.push({ type: "entered", entry });
    this.#takeOver(entry, at, changes);
  }

  #update(entry: PresentEntry, clock: number, published: Published, at: Moment, changes: Change[]): void {
    const { authored, state, changed, claim, corrected } = published;
    entry.lastSeen = at.now;
    entry.clock = clock;
    // a renewal: observers are told in due time
    if (changed.size === 0) return this.#entries.setStates(entry, authored, entry.publishedState);
    this.#entries.setStates(entry, authored, state);
    entry.corrected = corrected;
    const former = entry.claim;
    const isRenamed = former !== claim && !equal(former, claim);
    if (isRenamed) {
      this.#entries.setClaim(entry, claim);
      changes.push({ type: "renamed", entry });
    }
    changes.push({ type: "changed", entry, fields: changed });
    // [BUS-9] what the same session says later through this connection is no new beginning
    const isOther = isRenamed && sessionKey(former, entry.lobby) !== sessionKey(claim, entry.lobby);
    if (isOther) this.#takeOver(entry, at, changes);
  }

  /** [OWN-3] The id goes over to a connection that speaks as the same user and session. */
  #claim(
    author: Author,
    entry: PresentEntry,
    clock: number,
    published: Published,
    at: Moment,
    changes: Change[],
  ): void {
    const { owner, isRemote } = entry;
    this.#entries.own(entry, author);
    if (owner !== null && author.kind === "native") {
      // if the old connection lives, it is a duplicated tab, and must not take the id back
      changes.push(this.#entries.supersede(owner, entry.id, entry, false));
    }
    changes.push({ type: "claimed", entry });
    this.#update(entry, clock, published, at, changes);
    // [BUS-9] other relays hear whose it is now, also where nothing else of it is new
    if (isRemote && published.changed.size === 0) changes.push({ type: "changed", entry, fields: NO_FIELDS });
    this.#takeOver(entry, at, changes);
    if (owner !== null && author.kind === "stock") changes.push({ type: "returned", author });
  }

  /** [OWN-4] The moment a session speaks through a new connection, its entries of old connections leave. */
  #takeOver(entry: PresentEntry, { now, date }: Moment, changes: Change[]): void {
    const key = sessionKey(entry.claim, entry.lobby);
    const inSession = this.#entries.inSession(key).slice();
    // [BUS-9] later than every connection through which the session is known to have spoken
    const seen = inSession.reduce((most, other) => Math.max(most, other.heldAt), entry.heldAt);
    entry.heldAt = heldAtOf(Math.max(date, Math.floor(seen / TIES) + 1)) + this.#tie;
    if (entry.owner === null || isStockSession(entry.claim)) return;
    for (const other of inSession) {
      if (other === entry || other.owner === entry.owner) continue;
      const { id, owner } = other;
      this.#remove(other, now, changes);
      if (owner !== null) changes.push(this.#entries.supersede(owner, id, entry, false));
    }
  }

  #remove(entry: PresentEntry, now: number, changes: Change[]): void {
    this.#entries.remove(entry, now);
    changes.push({ type: "left", entry });
  }
}
